"""The six frauds that show in transactions, each planned in full.

A scenario returns the events of one instance in order of time. They meet the definition of their
pattern with a margin; only `compound` also needs the alerts about it.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from producers.generators.card import card_event
from producers.generators.customer_pool import new_card
from producers.generators.geography import cities_beyond, near
from producers.generators.merchants import (
    CASHING_OUT_CODES,
    TESTING_CODES,
    abroad,
    category,
    domestic,
    overseas,
)
from producers.generators.payments import Device, Label, Payer, PaymentFactory
from producers.models import CardEvent, Channel, Transaction, TransactionStatus, TransactionType

AttackEvent = Transaction | CardEvent


@dataclass(frozen=True, slots=True)
class Attack:
    """One instance of a fraud: its victim, start and pace."""

    label: Label
    victim: Payer
    at: datetime
    realistic: bool
    structuring_threshold: Decimal


def stranger(pay: PaymentFactory) -> Device:
    """Return a device and an address that no customer has used."""
    return Device(pay.ids.next("dev"), f"198.51.100.{pay.rng.randrange(1, 255)}")


def _spread(rng: random.Random, at: datetime, count: int, seconds: float) -> list[datetime]:
    """Return `count` times that begin at `at` and end `seconds` later, unevenly in between."""
    inner = sorted(rng.uniform(0, seconds) for _ in range(count - 2))
    return [at + timedelta(seconds=offset) for offset in (0.0, *inner, seconds)]


def _gaps(
    rng: random.Random, at: datetime, count: int, shortest: float, longest: float
) -> list[datetime]:
    """Return `count` times from `at` on, each `shortest` to `longest` seconds after the last."""
    times = [at]
    while len(times) < count:
        times.append(times[-1] + timedelta(seconds=rng.uniform(shortest, longest)))
    return times


def velocity(pay: PaymentFactory, attack: Attack) -> Sequence[AttackEvent]:
    """A stolen card is tested: many tiny payments, most of them declined."""
    rng, home, thief = pay.rng, attack.victim.customer.home, stranger(pay)
    events = []
    times = _spread(rng, attack.at, rng.randint(6, 9), rng.uniform(20, 42))
    for number, at in enumerate(times):
        cents = rng.randint(50, 900) if rng.random() < 0.85 else rng.randint(2_000, 9_000)
        shop = domestic(rng, rng.choice(TESTING_CODES))
        status: TransactionStatus = "DECLINED" if rng.random() < 0.65 else "APPROVED"
        if number % 3 == 0:
            events.append(pay.online(attack.victim, at, cents, shop, thief, status, attack.label))
        else:
            place = near(home, rng, spread_km=5)
            events.append(
                pay.in_person(attack.victim, at, cents, shop, place, status, attack.label)
            )
    return events


def geo_impossible(pay: PaymentFactory, attack: Attack) -> Sequence[AttackEvent]:
    """A new card is cloned at its first payment, and the clone is used far away soon after.

    The first payment is the customer's own and unlabelled. The card is new and is blocked
    afterwards, so that the customer's later payments are not compared with the thief's location.
    """
    rng, victim = pay.rng, attack.victim
    card = new_card(rng, pay.ids.next("card"))
    payer = victim._replace(card=card)
    home = victim.customer.home
    away = rng.choice(cities_beyond(home, 1_300))
    wait_s = rng.uniform(1_200, 5_400) if attack.realistic else rng.uniform(15, 35)
    copied_at = attack.at + timedelta(seconds=2)
    shop = domestic(rng, rng.choice(category(rng, online=False).codes))
    events: list[AttackEvent] = [
        card_event(pay.ids, victim, card, "ISSUED", attack.at),
        card_event(pay.ids, victim, card, "ACTIVATED", attack.at + timedelta(seconds=1)),
        pay.in_person(payer, copied_at, rng.randint(500, 9_000), shop, near(home, rng, 10)),
    ]
    times = _gaps(rng, copied_at + timedelta(seconds=wait_s), rng.randint(1, 2), 4, 9)
    for at in times:
        shop = abroad(rng, rng.choice(("5732", "5944", "5311")), away.country)
        cents = rng.randint(8_000, 180_000)
        place = near(away, rng, spread_km=10)
        events.append(pay.in_person(payer, at, cents, shop, place, label=attack.label))
    blocked_at = times[-1] + timedelta(seconds=rng.uniform(2, 5))
    events.append(card_event(pay.ids, victim, card, "BLOCKED", blocked_at))
    return events


def account_takeover(pay: PaymentFactory, attack: Attack) -> Sequence[AttackEvent]:
    """An account taken over: large payments and transfers from an unknown device."""
    rng, thief = pay.rng, stranger(pay)
    longest = 600.0 if attack.realistic else 12.0
    return [
        _large_payment(pay, attack, at, thief)
        for at in _gaps(rng, attack.at, rng.randint(2, 4), longest / 4, longest)
    ]


def cnp_spike(pay: PaymentFactory, attack: Attack) -> Sequence[AttackEvent]:
    """One card's details are used in many web shops in quick succession."""
    rng, thief = pay.rng, stranger(pay)
    span_s = rng.uniform(160, 230) if attack.realistic else rng.uniform(38, 48)
    events = []
    for at in _spread(rng, attack.at, rng.randint(9, 12), span_s):
        code = rng.choice(CASHING_OUT_CODES)
        shop = overseas(rng, code) if rng.random() < 0.6 else domestic(rng, code)
        status: TransactionStatus = "DECLINED" if rng.random() < 0.25 else "APPROVED"
        cents = rng.randint(1_500, 45_000)
        events.append(pay.online(attack.victim, at, cents, shop, thief, status, attack.label))
    return events


def structuring(pay: PaymentFactory, attack: Attack) -> Sequence[AttackEvent]:
    """Cash just under the reporting threshold, split over several branches and machines."""
    rng, home = pay.rng, attack.victim.customer.home
    threshold = int(attack.structuring_threshold * 100)
    lowest, highest = -(-threshold * 91 // 100), threshold - 1
    count = rng.randint(2, 4)
    if attack.realistic:
        times = _gaps(rng, attack.at, count, 480, 1_500)
    else:
        times = _gaps(rng, attack.at, count, 15, min(40.0, 45 / (count - 1)))
    events = []
    sites = rng.sample(range(1, 10), count)
    for site, at in zip(sites, times, strict=True):
        cents = rng.randint(lowest, highest)
        kind: TransactionType = "CASH_WITHDRAWAL" if rng.random() < 0.2 else "CASH_DEPOSIT"
        channel: Channel = "BRANCH" if rng.random() < 0.5 else "ATM"
        place = near(home, rng, spread_km=12)
        events.append(pay.cash(attack.victim, at, cents, place, channel, kind, site, attack.label))
    return events


def compound(pay: PaymentFactory, attack: Attack) -> Sequence[AttackEvent]:
    """A few large payments from an unknown device, about which two systems raise alerts."""
    rng, thief = pay.rng, stranger(pay)
    longest = 120.0 if attack.realistic else 15.0
    return [
        _large_payment(pay, attack, at, thief)
        for at in _gaps(rng, attack.at, rng.randint(2, 3), longest / 4, longest)
    ]


def _large_payment(pay: PaymentFactory, attack: Attack, at: datetime, thief: Device) -> Transaction:
    rng = pay.rng
    cents = rng.randint(55_000, 300_000)
    if rng.random() < 0.5:
        return pay.from_app(attack.victim, at, cents, thief, label=attack.label)
    code = rng.choice(CASHING_OUT_CODES)
    shop = overseas(rng, code) if rng.random() < 0.5 else domestic(rng, code)
    return pay.online(attack.victim, at, cents, shop, thief, label=attack.label)
