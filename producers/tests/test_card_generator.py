"""The life of cards."""

import random
from collections import defaultdict
from datetime import timedelta
from typing import Any

import pytest

from producers.generators.card import CardGenerator, next_steps
from producers.generators.customer_pool import CustomerPool
from producers.generators.identifiers import Identifiers
from producers.models import CardEvent, Transaction
from producers.tests.conftest import START


@pytest.fixture
def cards(pool: CustomerPool, ids: Identifiers, rng: random.Random) -> Any:
    return CardGenerator(pool, ids, rng)


@pytest.fixture
def pool_tokens(pool: CustomerPool) -> Any:
    return {card.token for c in pool.customers for a in c.accounts for card in a.cards}


@pytest.fixture
def lives(cards: Any) -> Any:
    """The steps of each card in 4,000 events."""
    steps = defaultdict(list)
    for number in range(4_000):
        event = cards.generate(START + timedelta(seconds=number))
        steps[event.card_token].append(event.event_type)
    return steps


def test_no_step_comes_out_of_order(lives: Any, pool_tokens: Any) -> None:
    """Each step may follow the one before; cards of the pool are active from the start."""
    for token, steps in lives.items():
        last: Any = "ACTIVATED" if token in pool_tokens else None
        for step in steps:
            assert step == "ISSUED" if last is None else step in next_steps(last)
            last = step


def test_nothing_follows_the_end_of_a_card(lives: Any) -> None:
    """A card that expired or was replaced is heard of no more."""
    for steps in lives.values():
        assert not {"EXPIRED", "REPLACED"} & set(steps[:-1])


def test_every_kind_of_step_occurs(lives: Any) -> None:
    """The whole life of a card can be seen."""
    assert {step for steps in lives.values() for step in steps} == {
        "ISSUED", "ACTIVATED", "PIN_CHANGED", "LIMIT_CHANGED", "WALLET_PROVISIONED", "BLOCKED",
        "UNBLOCKED", "REPLACED", "EXPIRED",
    }  # fmt: skip


def test_cards_of_the_pool_never_end(lives: Any, pool_tokens: Any) -> None:
    """What customers pay with keeps its token."""
    for token in pool_tokens & lives.keys():
        assert not {"EXPIRED", "REPLACED"} & set(lives[token])


def test_a_card_belongs_to_its_owner(cards: Any, pool: CustomerPool) -> None:
    """Account and customer of an event fit together."""
    for _ in range(500):
        event = cards.generate(START)
        accounts = {account.account_id for account in pool[event.customer_id].accounts}
        assert event.account_id in accounts


def test_a_card_is_blocked_between_the_two_events(cards: Any) -> None:
    """`is_blocked` follows BLOCKED and UNBLOCKED of the pool's cards."""
    seen = set()
    for _ in range(3_000):
        event = cards.generate(START)
        if event.event_type == "UNBLOCKED" and event.card_token in seen:
            assert not cards.is_blocked(event.card_token)
        elif event.event_type == "BLOCKED" and cards.is_blocked(event.card_token):
            seen.add(event.card_token)
    assert seen


def test_a_blocked_card_is_declined(quiet_events: Any) -> None:
    """Between BLOCKED and UNBLOCKED no payment is approved."""
    blocked = set()
    for event in quiet_events:
        if isinstance(event, CardEvent):
            if event.event_type == "BLOCKED":
                blocked.add(event.card_token)
            elif event.event_type == "UNBLOCKED":
                blocked.discard(event.card_token)
        elif isinstance(event, Transaction) and event.card_token in blocked:
            assert event.status == "DECLINED"
