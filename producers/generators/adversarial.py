"""Frauds that stay below the patterns' thresholds, or that no device or speed gives away.

Each returns the events of one instance in order of time. Shares and sizes: docs/data_model.md.
"""

import random
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from producers.generators.geography import AUSTRALIAN_CITIES, near
from producers.generators.merchants import (
    CASHING_OUT_CODES,
    TESTING_CODES,
    domestic,
    overseas,
)
from producers.generators.payments import Device, PaymentFactory
from producers.generators.scenarios import Attack, stranger
from producers.models import Transaction

Plan = Sequence[Transaction]


def card_testing(pay: PaymentFactory, attack: Attack) -> Plan:
    """A card is tested minutes apart at many shops, then used once for a larger amount."""
    rng, thief = pay.rng, stranger(pay)
    events = []
    at = attack.at
    for _ in range(rng.randint(4, 8)):
        shop = domestic(rng, rng.choice(TESTING_CODES))
        declined = rng.random() < 0.5
        events.append(
            pay.online(
                attack.victim, at, rng.randint(50, 900), shop, thief,
                "DECLINED" if declined else "APPROVED", attack.label,
            )
        )  # fmt: skip
        at += _seconds(rng.uniform(90, 400))
    events.append(_web_purchase(pay, attack, at, thief, 12_000, 60_000))
    return events


def stolen_card(pay: PaymentFactory, attack: Attack) -> Plan:
    """One to three purchases on the web with a stolen card number, hours apart."""
    rng, thief = pay.rng, stranger(pay)
    return [
        _web_purchase(pay, attack, at, thief, 3_000, 49_000)
        for at in _over(rng, attack.at, rng.randint(1, 3), 3 * 3600)
    ]


def small_takeover(pay: PaymentFactory, attack: Attack) -> Plan:
    """An account taken over from a new device; every payment is below 500."""
    rng, thief = pay.rng, stranger(pay)
    events = []
    for at in _over(rng, attack.at, rng.randint(3, 6), 2 * 3600):
        cents = rng.randint(15_000, 49_900)
        if rng.random() < 0.6:
            events.append(pay.from_app(attack.victim, at, cents, thief, label=attack.label))
        else:
            events.append(_web_purchase(pay, attack, at, thief, cents, cents))
    return events


def remote_access(pay: PaymentFactory, attack: Attack) -> Plan:
    """A thief works on the customer's own device: transfers to a mule they have never paid."""
    rng, mule = pay.rng, pay.ids.next("pay")
    return [
        pay.from_app(
            attack.victim, at, rng.randint(150_000, 900_000), _own(attack),
            label=attack.label, payee=mule,
        )
        for at in _over(rng, attack.at, rng.randint(1, 3), 1800)
    ]  # fmt: skip


def scam(pay: PaymentFactory, attack: Attack) -> Plan:
    """The customer is talked into paying: own device, new payee, a sum they never send."""
    rng, criminal = pay.rng, pay.ids.next("pay")
    count = rng.choices((1, 2, 3), weights=(60, 25, 15))[0]
    return [
        pay.from_app(
            attack.victim, at, _lognormal(rng, 4_000, 1.1, 5_000_000), _own(attack),
            label=attack.label, payee=criminal,
        )
        for at in _over(rng, attack.at, count, 36 * 3600)
    ]  # fmt: skip


def mule(pay: PaymentFactory, attack: Attack) -> Plan:
    """Cash comes in and most of it leaves for new payees within minutes."""
    rng, home = pay.rng, attack.victim.customer.home
    cents = rng.randint(200_000, 600_000)
    events = [
        pay.cash(
            attack.victim, attack.at, cents, near(home, rng, 12), "ATM", "CASH_DEPOSIT",
            rng.randint(1, 9), attack.label,
        )
    ]  # fmt: skip
    parts = rng.randint(1, 3)
    share = rng.uniform(0.8, 0.95) / parts
    for at in _over(rng, attack.at + _seconds(rng.uniform(180, 900)), parts, 1200):
        events.append(
            pay.from_app(attack.victim, at, int(cents * share), _own(attack), label=attack.label)
        )
    return events


def cash_splitting(pay: PaymentFactory, attack: Attack) -> Plan:
    """Cash at 60 to 95 % of the reporting threshold, at other branches, over days."""
    rng, home = pay.rng, attack.victim.customer.home
    threshold = int(attack.structuring_threshold * 100)
    events = []
    at = attack.at
    for site in rng.sample(range(1, 10), rng.randint(3, 6)):
        cents = rng.randint(threshold * 60 // 100, threshold * 95 // 100)
        place = near(home, rng, 25)
        events.append(
            pay.cash(attack.victim, at, cents, place, "BRANCH", "CASH_DEPOSIT", site, attack.label)
        )
        at += _seconds(rng.uniform(2 * 3600, 20 * 3600))
    return events


def cloned_card(pay: PaymentFactory, attack: Attack) -> Plan:
    """A copy of the card is used in another city, after as many hours as the journey takes."""
    rng = pay.rng
    city = rng.choice([c for c in AUSTRALIAN_CITIES if c.city != attack.victim.customer.home.city])
    start = attack.at + _seconds(rng.uniform(3, 6) * 3600)
    return [
        pay.in_person(
            attack.victim, at, rng.randint(6_000, 70_000),
            domestic(rng, rng.choice(("5732", "5944", "5311"))), near(city, rng, 8),
            label=attack.label,
        )
        for at in _over(rng, start, rng.randint(2, 5), 4 * 3600)
    ]  # fmt: skip


ADVERSARIAL: dict[str, tuple[Callable[[PaymentFactory, Attack], Plan], int]] = {
    "card_testing": (card_testing, 15),
    "stolen_card": (stolen_card, 40),
    "small_takeover": (small_takeover, 10),
    "remote_access": (remote_access, 6),
    "scam": (scam, 10),
    "mule": (mule, 4),
    "cash_splitting": (cash_splitting, 5),
    "cloned_card": (cloned_card, 10),
}
"""The frauds by kind, each with its weight among them by count."""


def draw(rng: random.Random) -> str:
    """Draw a kind by weight."""
    weights = [weight for _, weight in ADVERSARIAL.values()]
    return rng.choices(tuple(ADVERSARIAL), weights=weights)[0]


def _own(attack: Attack) -> Device:
    customer = attack.victim.customer
    return Device(customer.registered_device_ids[0], customer.ip_address)


def _web_purchase(
    pay: PaymentFactory, attack: Attack, at: datetime, thief: Device, least: int, most: int
) -> Transaction:
    code = pay.rng.choice(CASHING_OUT_CODES)
    # Half of the value of card fraud without the card is at merchants abroad.
    shop = overseas(pay.rng, code) if pay.rng.random() < 0.5 else domestic(pay.rng, code)
    return pay.online(
        attack.victim, at, pay.rng.randint(least, most), shop, thief, label=attack.label
    )


def _over(rng: random.Random, at: datetime, count: int, seconds: float) -> list[datetime]:
    """The start, and more times within so many seconds of it."""
    return [at, *sorted(at + _seconds(rng.uniform(30, seconds)) for _ in range(count - 1))]


def _lognormal(rng: random.Random, median: float, sigma: float, most: int) -> int:
    return min(most, int(median * 100 * rng.lognormvariate(0, sigma)))


def _seconds(value: float) -> timedelta:
    return timedelta(seconds=value)
