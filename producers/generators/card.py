"""The life cycle of a card, from issue to expiry, in valid order."""

import random
from datetime import datetime

from producers.generators.customer_pool import Card, CustomerPool, new_card
from producers.generators.identifiers import Identifiers
from producers.generators.payments import Payer
from producers.models import CardEvent, CardEventType

# What may follow each step, with weights. Replaced and expired cards are final.
_NEXT_STEPS: dict[CardEventType, dict[CardEventType, float]] = {
    "ISSUED": {"ACTIVATED": 1},
    "ACTIVATED": {
        "WALLET_PROVISIONED": 45, "PIN_CHANGED": 20, "LIMIT_CHANGED": 15, "BLOCKED": 8,
        "EXPIRED": 12,
    },
    "BLOCKED": {"UNBLOCKED": 70, "REPLACED": 30},
    "REPLACED": {},
    "EXPIRED": {},
}  # fmt: skip
_IN_USE: tuple[CardEventType, ...] = (
    "PIN_CHANGED", "LIMIT_CHANGED", "WALLET_PROVISIONED", "UNBLOCKED",
)  # fmt: skip
_NEXT_STEPS |= dict.fromkeys(_IN_USE, _NEXT_STEPS["ACTIVATED"])
# The cards that customers pay with neither expire nor change their token.
_LASTING = frozenset({"EXPIRED", "REPLACED"})
MAX_EXTRA_CARDS = 1_000


def card_event(
    ids: Identifiers, owner: Payer, card: Card, step: CardEventType, at: datetime
) -> CardEvent:
    """Return the event of one step in the life cycle of a card."""
    return CardEvent(
        event_id=ids.next("evt"),
        card_token=card.token,
        account_id=owner.account.account_id,
        customer_id=owner.customer.customer_id,
        event_type=step,
        occurred_at=at,
    )


def next_steps(step: CardEventType) -> dict[CardEventType, float]:
    """Return what may follow a step, with weights; empty for a final step."""
    return _NEXT_STEPS[step]


class CardGenerator:
    """Advances cards one step at a time.

    Cards of the pool are active from the start and stay usable or blocked. Virtual cards, which are
    never paid with, are issued in addition and go through the whole life cycle.
    """

    def __init__(self, pool: CustomerPool, ids: Identifiers, rng: random.Random) -> None:
        self._pool = pool
        self._ids = ids
        self._rng = rng
        self._blocked: dict[str, Payer] = {}
        self._virtual: dict[str, tuple[Payer, CardEventType]] = {}

    def is_blocked(self, token: str) -> bool:
        """Whether payments with this card are currently declined."""
        return token in self._blocked

    def generate(self, at: datetime) -> CardEvent:
        """Advance a random card by one step."""
        if self._rng.random() < 0.5:
            return self._virtual_card(at)
        return self._pool_card(at)

    def _pool_card(self, at: datetime) -> CardEvent:
        rng = self._rng
        if self._blocked and rng.random() < 0.3:
            payer = rng.choice(tuple(self._blocked.values()))
        else:
            customer = self._pool.choose(rng)
            account = rng.choice(customer.accounts)
            payer = Payer(customer, account, rng.choice(account.cards))
        token = payer.card.token
        last: CardEventType = "BLOCKED" if token in self._blocked else "ACTIVATED"
        steps = {s: w for s, w in next_steps(last).items() if s not in _LASTING}
        step = rng.choices(tuple(steps), weights=tuple(steps.values()))[0]
        if step == "BLOCKED":
            self._blocked[token] = payer
        else:
            self._blocked.pop(token, None)
        return card_event(self._ids, payer, payer.card, step, at)

    def _virtual_card(self, at: datetime) -> CardEvent:
        rng = self._rng
        full = len(self._virtual) >= MAX_EXTRA_CARDS
        if not self._virtual or (not full and rng.random() < 0.35):
            customer = self._pool.choose(rng)
            card = new_card(rng, self._ids.next("card"))
            payer = Payer(customer, rng.choice(customer.accounts), card)
            step: CardEventType = "ISSUED"
        else:
            token = rng.choice(tuple(self._virtual))
            payer, last = self._virtual.pop(token)
            steps = next_steps(last)
            step = rng.choices(tuple(steps), weights=tuple(steps.values()))[0]
        if next_steps(step):
            self._virtual[payer.card.token] = (payer, step)
        return card_event(self._ids, payer, payer.card, step, at)
