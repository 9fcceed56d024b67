"""The customers of the bank: a function of the seed, identical at every start."""

import random
from dataclasses import dataclass
from itertools import accumulate
from typing import TypeVar

from producers.generators.geography import AUSTRALIAN_CITIES, Itinerary, Place, near
from producers.generators.identifiers import card_token, fingerprint
from producers.generators.merchants import Merchant, category, domestic
from producers.models import KycStatus, RiskTier, Segment

# 9 is for national assignment, 036 is Australia: no card scheme issues such numbers.
CARD_BINS = ("903610", "903612", "903625", "903648")
FREQUENT_FLYER_SHARE = 0.05

T = TypeVar("T")

_HOMES = tuple(AUSTRALIAN_CITIES)
_HOME_WEIGHTS = tuple(accumulate(AUSTRALIAN_CITIES.values()))
_SEGMENTS: dict[Segment, float] = {
    "RETAIL": 72, "PREMIUM": 10, "STUDENT": 11, "BUSINESS": 4, "CASH_BUSINESS": 3,
}  # fmt: skip
_SPENDING: dict[Segment, float] = {
    "RETAIL": 1.0, "PREMIUM": 1.6, "STUDENT": 0.6, "BUSINESS": 1.8, "CASH_BUSINESS": 1.3,
}  # fmt: skip
_RISK_TIERS: dict[RiskTier, float] = {"LOW": 78, "MEDIUM": 17, "HIGH": 5}
_KYC_STATUS: dict[RiskTier, dict[KycStatus, float]] = {
    "LOW": {"VERIFIED": 97, "PENDING": 2, "EXPIRED": 1},
    "MEDIUM": {"VERIFIED": 85, "PENDING": 9, "EXPIRED": 5, "REJECTED": 1},
    "HIGH": {"VERIFIED": 55, "PENDING": 22, "EXPIRED": 13, "REJECTED": 10},
}


@dataclass(frozen=True, slots=True)
class Card:
    """A card by its token; there is no number behind it."""

    token: str
    bin: str
    last4: str


@dataclass(frozen=True, slots=True)
class Account:
    """An account with the cards linked to it, at least one."""

    account_id: str
    cards: tuple[Card, ...]


@dataclass(frozen=True, slots=True)
class CustomerProfile:
    """A customer's identity and usual behaviour."""

    customer_id: str
    home: Place
    accounts: tuple[Account, ...]
    registered_device_ids: tuple[str, ...]
    ip_address: str
    spending: float  # multiplies the usual amounts
    favourites: tuple[Merchant, ...]
    segment: Segment
    risk_tier: RiskTier
    kyc_status: KycStatus
    is_pep: bool
    noise_type: int  # the one type of false alarm that this customer's habits cause
    itinerary: Itinerary | None  # frequent flyers only

    @property
    def is_frequent_flyer(self) -> bool:
        """Whether the customer's location changes over time."""
        return self.itinerary is not None


class CustomerPool:
    """`size` customers that depend on the seed alone; a larger pool starts with the same ones."""

    def __init__(self, size: int, seed: int) -> None:
        self.customers = tuple(_customer(seed, number) for number in range(1, size + 1))
        self._by_id = {customer.customer_id: customer for customer in self.customers}

    def __len__(self) -> int:
        return len(self.customers)

    def __getitem__(self, customer_id: str) -> CustomerProfile:
        return self._by_id[customer_id]

    def choose(self, rng: random.Random) -> CustomerProfile:
        """Draw any customer."""
        return self.customers[int(rng.random() * len(self.customers))]


def new_card(rng: random.Random, *token_of: object) -> Card:
    """Return a card whose token depends on `token_of` alone."""
    return Card(card_token(*token_of), rng.choice(CARD_BINS), f"{rng.randrange(10_000):04d}")


def _draw(rng: random.Random, shares: dict[T, float]) -> T:
    return rng.choices(tuple(shares), weights=tuple(shares.values()))[0]


def _customer(seed: int, number: int) -> CustomerProfile:
    rng = random.Random(f"{seed}:customer:{number}")
    customer_id = f"cust_{number:06d}"
    home = near(rng.choices(_HOMES, cum_weights=_HOME_WEIGHTS)[0], rng, spread_km=15)
    accounts = tuple(
        _account(rng, seed, number, account)
        for account in range(1, rng.choices((1, 2, 3), weights=(55, 30, 15))[0] + 1)
    )
    devices = tuple(
        f"dev_{fingerprint(seed, number, device)}"
        for device in range(rng.choices((1, 2, 3), weights=(50, 37, 13))[0])
    )
    segment = _draw(rng, _SEGMENTS)
    is_pep = rng.random() < 0.01
    risk_tier: RiskTier = "HIGH" if is_pep else _draw(rng, _RISK_TIERS)
    flies = segment != "CASH_BUSINESS" and rng.random() < FREQUENT_FLYER_SHARE
    return CustomerProfile(
        customer_id=customer_id,
        home=home,
        accounts=accounts,
        registered_device_ids=devices,
        ip_address=f"203.0.113.{rng.randrange(1, 255)}",
        spending=_SPENDING[segment] * rng.lognormvariate(0, 0.5),
        favourites=tuple(
            domestic(rng, rng.choice(category(rng, online=False).codes)) for _ in range(4)
        ),
        segment=segment,
        risk_tier=risk_tier,
        kyc_status=_draw(rng, _KYC_STATUS[risk_tier]),
        is_pep=is_pep,
        noise_type=rng.randrange(1_000),
        itinerary=Itinerary(f"{seed}:{customer_id}", home) if flies else None,
    )


def _account(rng: random.Random, seed: int, customer: int, number: int) -> Account:
    cards = tuple(
        new_card(rng, seed, customer, number, card)
        for card in range(rng.choices((1, 2), weights=(80, 20))[0])
    )
    return Account(f"acc_{customer:06d}_{number}", cards)
