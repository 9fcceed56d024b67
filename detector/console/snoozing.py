"""Which open cases nobody wants to hear of: all of their patterns are snoozed."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from detector.console.context import Reader
from detector.console.filters import Where

Silent = dict[tuple[str, str], set[str]]
Row = dict[str, Any]


class Snoozed(Protocol):
    """A pattern silenced for an entity, as the desk keeps it."""

    @property
    def pattern(self) -> str:
        """The pattern."""

    @property
    def entity_kind(self) -> str:
        """One of account, customer, card."""

    @property
    def entity(self) -> str:
        """Its id; of a card the token."""


def snoozed_cases(reader: Reader, snoozes: Iterable[Snoozed]) -> list[str]:
    """The ids of the open cases all of whose patterns are snoozed.

    A pattern of a case is snoozed for its account or customer; or for a card, when every signal
    of the pattern in the case watched a card for which it is.
    """
    silent: Silent = defaultdict(set)
    for snooze in snoozes:
        silent[snooze.entity_kind, snooze.entity].add(snooze.pattern)
    if not silent:
        return []
    fired = _fired_on_cards(reader, [entity for kind, entity in silent if kind == "card"])
    return [
        case["case_id"]
        for case in _candidates(reader, silent, sorted({row["account_id"] for row in fired}))
        if all(_is_silent(case, pattern, silent, fired) for pattern in case["patterns"].split(", "))
    ]


def _fired_on_cards(reader: Reader, cards: Sequence[str]) -> list[Row]:
    """All signals of the accounts at which a pattern fired on one of the cards."""
    if not cards:
        return []
    where = Where()
    where.among("subject", cards)
    return reader.rows(
        f"""SELECT account_id, pattern, subject, occurred_at FROM mv_fraud_signals
        WHERE account_id IN (SELECT account_id FROM mv_fraud_signals WHERE {where.sql})""",
        where.parameters,
    )


def _candidates(reader: Reader, silent: Silent, accounts: Sequence[str]) -> list[Row]:
    named: dict[str, list[str]] = {"account": list(accounts), "customer": []}
    for kind, entity in silent:
        if kind in named:
            named[kind].append(entity)
    where = Where()
    for kind, entities in named.items():
        if entities:
            where.among(f"{kind}_id", entities)
    if not where.tests:
        return []
    return reader.rows(
        f"""SELECT case_id, account_id, customer_id, patterns, first_signal_at, last_signal_at
        FROM {reader.open_cases} WHERE {" OR ".join(where.tests)}""",
        where.parameters,
    )


def _is_silent(case: Row, pattern: str, silent: Silent, fired: Iterable[Row]) -> bool:
    for kind in ("account", "customer"):
        if pattern in silent.get((kind, case[f"{kind}_id"]), ()):
            return True
    cards = [
        row["subject"]
        for row in fired
        if row["account_id"] == case["account_id"]
        and row["pattern"] == pattern
        and case["first_signal_at"] <= row["occurred_at"] <= case["last_signal_at"]
    ]
    return bool(cards) and all(pattern in silent.get(("card", card), ()) for card in cards)
