"""Searching by less than an id."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from detector.console.search.model import search
from detector.core.events import Event
from tests.build import SYDNEY, transaction
from tests.console.harness import Harness


@pytest.fixture(scope="module")
def harness(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    """Three payments: two in Sydney, one with another card elsewhere."""
    card = {"card_token": "tok-77", "card_bin": "400000", "card_last4": "4242"}
    log: list[Event] = [
        transaction(0, "acc-10", customer_id="cust-10", merchant_id="mer-shop", **SYDNEY, **card),
        transaction(9, "acc-11", customer_id="cust-11", merchant_id="mer-shop", **SYDNEY),
        transaction(20, "acc-20", customer_id="cust-20", merchant_id="mer-other", city="Perth"),
    ]
    with closing(Harness(tmp_path_factory.mktemp("search"), log)) as harness:
        yield harness


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("acc-1", [("account", "acc-11"), ("account", "acc-10")]),
        ("cust-2", [("customer", "cust-20")]),
        ("mer-", [("merchant", "mer-other"), ("merchant", "mer-shop")]),
        ("4242", [("card", "tok-77")]),
        ("sydney", [("place", "Sydney")]),
        ("tok", [("card", "tok-77")]),
        ("ac", []),
        ("9999", []),
        ("nothing", []),
        ("acc-10", [("account", "acc-10")]),
        ("%", []),
        ("a_c", []),
    ],
)
def test_a_part_is_enough(harness: Harness, asked: str, found: list[tuple[str, str]]) -> None:
    """The newest first; an exact id hides those that only begin so; no wildcard is one."""
    hits = search(harness.store, harness.people, asked).hits
    assert [(hit.kind, hit.id) for hit in hits] == found


def test_those_who_used_it_are_listed(harness: Harness) -> None:
    """A place and a merchant lead to the accounts."""
    [place] = search(harness.store, harness.people, "Sydney").hits
    assert place.accounts == ["acc-11", "acc-10"] and place.href is None
    assert "2 payments" in place.detail
    html = harness.person("kim").get("/search?q=4242").text
    assert "card ending in 4242; 1 payment" in html and 'href="/accounts/acc-10"' in html
