"""Honest customers whose behaviour resembles fraud: sprees, new phones, cash businesses."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from producers.agenda import Agenda
from producers.generators.customer_pool import Account, CustomerPool, CustomerProfile
from producers.generators.identifiers import fingerprint
from producers.generators.kyc_profile import KycProfileGenerator
from producers.generators.limits import OrdinaryLimits
from producers.generators.payments import Device, Payer, PaymentFactory
from producers.generators.transaction import TransactionGenerator
from producers.models import Event, Transaction

SPREE_SHARE = 0.01
NEW_PHONE_SHARE = 0.002
# A spree adds two or three payments to the first; a new phone adds two.
PAYMENTS_PER_ARRIVAL = 1 + SPREE_SHARE * 2.5 + NEW_PHONE_SHARE * 2
_SMALL_CENTS = 40_000


class Lookalikes:
    """Plans benign stories that unfold over time; each step stays within ordinary limits."""

    def __init__(
        self,
        agenda: Agenda,
        pay: PaymentFactory,
        transactions: TransactionGenerator,
        kyc: KycProfileGenerator,
        limits: OrdinaryLimits,
        structuring_threshold: Decimal,
    ) -> None:
        self._agenda = agenda
        self._pay = pay
        self._rng = pay.rng
        self._transactions = transactions
        self._kyc = kyc
        self._limits = limits
        self._threshold_cents = int(structuring_threshold * 100)

    def spree(self, at: datetime) -> Iterator[Event]:
        """Three or four payments within a minute, in one mall or in web shops."""
        payer = self._transactions.choose_payer(at)
        if payer is None:
            return
        online = self._rng.random() < 0.4

        def buy(when: datetime) -> Iterator[Event]:
            if self._limits.may_transact(payer.account.account_id, when):
                yield from _some(
                    self._transactions.web_shop(payer, when)
                    if online
                    else self._transactions.shop(payer, when, category="5311")
                )

        for number in range(1, self._rng.choice((3, 4))):
            self._agenda.plan(at + _seconds(number * 15 + self._rng.uniform(-4, 4)), buy)
        yield from buy(at)

    def new_phone(self, at: datetime) -> Iterator[Event]:
        """Small payments from a new phone, then its registration, then a large payment."""
        payer = self._transactions.choose_payer(at)
        if payer is None:
            return
        phone = Device(self._pay.ids.next("dev"), payer.customer.ip_address)

        def small(when: datetime) -> Iterator[Event]:
            if self._limits.may_transact(payer.account.account_id, when):
                yield from _some(self._transactions.web_shop(payer, when, phone, most=_SMALL_CENTS))

        def register(when: datetime) -> Iterator[Event]:
            yield self._kyc.publish(payer.customer, when, new_device=phone.device_id)

        def large(when: datetime) -> Iterator[Event]:
            registered = phone.device_id in self._kyc.devices_in_force(payer.customer, when)
            if registered and self._limits.may_transact(payer.account.account_id, when):
                cents = self._rng.randint(50_000, 250_000)
                yield self._pay.from_app(payer, when, cents, phone)

        registered_at = at + _seconds(self._rng.uniform(60, 150))
        self._agenda.plan(at + _seconds(self._rng.uniform(15, 55)), small)
        self._agenda.plan(registered_at, register)
        self._agenda.plan(registered_at + _seconds(self._rng.uniform(5, 60)), large)
        yield from small(at)

    def open_cash_businesses(self, pool: CustomerPool, start: datetime) -> None:
        """Let the cash businesses of the pool bank their takings once a day, from `start` on."""
        for customer in pool.customers:
            if customer.segment == "CASH_BUSINESS":
                for account in customer.accounts:
                    self._plan_banking(customer, account, start)

    def _plan_banking(self, customer: CustomerProfile, account: Account, after: datetime) -> None:
        def bank_takings(when: datetime) -> Iterator[Event]:
            self._plan_banking(customer, account, when)
            if self._limits.may_transact(account.account_id, when):
                payer = Payer(customer, account, account.cards[0])
                lowest = -(-self._threshold_cents * 9 // 10)
                cents = self._rng.randint(lowest, self._threshold_cents - 1)
                yield self._pay.cash(
                    payer, when, cents, customer.home, "BRANCH", "CASH_DEPOSIT", site=1
                )

        day = datetime(after.year, after.month, after.day, tzinfo=UTC)
        banking = banking_time(account, day)
        while banking <= after:
            day += timedelta(days=1)
            banking = banking_time(account, day)
        self._agenda.plan(banking, bank_takings)


def banking_time(account: Account, day: datetime) -> datetime:
    """Return when an account's cash is banked on a day: a function of the two alone.

    It shifts by less than an hour from day to day, so two deposits are never close.
    """
    usual_h = random.Random(fingerprint(account.account_id)).uniform(1, 22)
    today = random.Random(fingerprint(account.account_id, day.date()))
    return day + timedelta(hours=usual_h + today.uniform(0, 0.9))


def _some(event: Transaction | None) -> Iterator[Event]:
    if event is not None:
        yield event


def _seconds(value: float) -> timedelta:
    return timedelta(seconds=value)
