"""Honest customers who cross the patterns' thresholds; only in the adversarial profile."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from producers.agenda import Agenda
from producers.generators.customer_pool import CustomerPool
from producers.generators.geography import AUSTRALIAN_CITIES, cities_beyond, near
from producers.generators.login import LoginGenerator
from producers.generators.merchants import domestic
from producers.generators.payments import Device, Payer, PaymentFactory
from producers.generators.transaction import TransactionGenerator
from producers.models import Event, Login

FORGOTTEN_PASSWORD_SHARE = 0.006
"""Share of logins that three to five failures precede."""


class Crossers:
    """Plans what honest customers do that looks like fraud, in full view of the patterns."""

    def __init__(
        self,
        agenda: Agenda,
        pool: CustomerPool,
        pay: PaymentFactory,
        transactions: TransactionGenerator,
        logins: LoginGenerator,
    ) -> None:
        self._agenda = agenda
        self._pool = pool
        self._pay = pay
        self._rng = pay.rng
        self._transactions = transactions
        self._logins = logins
        self._stories: list[tuple[float, Callable[[Payer, datetime], Iterator[Event]]]] = [
            (0.0008, self.unregistered_phone),
            (0.0006, self.large_purchase),
            (0.0008, self.marketplace),
            (0.0015, self.head_office_terminal),
            (0.0010, self.family_device),
            (0.0004, self.two_tills),
        ]

    def instead(self, at: datetime) -> Iterator[Event] | None:
        """A story in place of an ordinary payment; mostly None."""
        draw = self._rng.random()
        for share, story in self._stories:
            if draw < share:
                payer = self._transactions.choose_payer(at)
                return story(payer, at) if payer is not None else None
            draw -= share
        return None

    def forgotten_password(self, at: datetime) -> list[Login]:
        """Three to five failures of an honest customer within a minute, then the login."""
        customer = self._pool.choose(self._rng)
        return self._logins.forgotten(customer, at)

    def unregistered_phone(self, payer: Payer, at: datetime) -> Iterator[Event]:
        """A large payment from a phone that the customer registers only days later."""
        phone = Device(self._pay.ids.next("dev"), payer.customer.ip_address)
        cents = self._rng.randint(52_000, 220_000)
        yield self._pay.online(payer, at, cents, domestic(self._rng, "5732"), phone)

    def large_purchase(self, payer: Payer, at: datetime) -> Iterator[Event]:
        """A car, a bond, a renovation: a large transfer to someone new."""
        device = self._transactions.own_device(payer.customer, at)
        if device is not None:
            yield self._pay.from_app(payer, at, self._rng.randint(200_000, 2_500_000), device)

    def marketplace(self, payer: Payer, at: datetime) -> Iterator[Event]:
        """Eight to ten payments to different sellers of one marketplace within five minutes."""
        device = self._transactions.own_device(payer.customer, at)
        if device is None:
            return
        shop, rng = domestic(self._rng, "5399"), self._rng

        def buy(when: datetime) -> Iterator[Event]:
            yield self._pay.online(payer, when, rng.randint(900, 9_000), shop, device)

        for number in range(1, rng.randint(8, 10)):
            self._agenda.plan(at + _seconds(number * rng.uniform(15, 28)), buy)
        yield from buy(at)

    def head_office_terminal(self, payer: Payer, at: datetime) -> Iterator[Event]:
        """Two payments at home; the second terminal is registered at a distant head office."""
        home, rng = payer.customer.home, self._rng
        offices = [city for city in cities_beyond(home, 1_100) if city in AUSTRALIAN_CITIES]
        office = rng.choice(offices or [home])
        shop = domestic(rng, "5411")

        def pay(when: datetime) -> Iterator[Event]:
            place = near(office, rng, 2)
            yield self._pay.in_person(payer, when, rng.randint(900, 9_000), shop, place)

        self._agenda.plan(at + _seconds(rng.uniform(600, 5_000)), pay)
        yield self._pay.in_person(payer, at, rng.randint(900, 9_000), shop, near(home, rng, 8))

    def family_device(self, payer: Payer, at: datetime) -> Iterator[Event]:
        """A payment from the device of another customer of the household."""
        other = self._pool.choose(self._rng)
        device = Device(other.registered_device_ids[0], payer.customer.ip_address)
        cents = self._rng.randint(4_000, 90_000)
        yield self._pay.online(payer, at, cents, domestic(self._rng, "5651"), device)

    def two_tills(self, payer: Payer, at: datetime) -> Iterator[Event]:
        """A cash business banks two days' takings of 9,000 to 9,999 within the hour."""
        rng, place = self._rng, payer.customer.home

        def bank(when: datetime) -> Iterator[Event]:
            cents = rng.randint(900_000, 999_900)
            yield self._pay.cash(payer, when, cents, place, "BRANCH", "CASH_DEPOSIT", 1)

        self._agenda.plan(at + _seconds(rng.uniform(300, 3_000)), bank)
        yield from bank(at)


def _seconds(value: float) -> timedelta:
    return timedelta(seconds=value)
