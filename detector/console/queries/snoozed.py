"""Which open cases are snoozed: those all of whose patterns are."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from detector.adapters.people.snoozes import Snooze
from detector.console.queries.where import Where
from detector.core.data import Row
from detector.core.names import split
from detector.pipeline.ports import ConsoleReader

Silent = dict[tuple[str, str], set[str]]


def snoozed_cases(reader: ConsoleReader, snoozes: Iterable[Snooze]) -> list[str]:
    """The ids of the open cases all of whose patterns are snoozed.

    A pattern of a case is snoozed for its account or customer; or for cards, when every signal of
    the pattern in the case was on a snoozed card.
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
        if all(_is_silent(case, pattern, silent, fired) for pattern in split(case["patterns"]))
    ]


def _fired_on_cards(reader: ConsoleReader, cards: Sequence[str]) -> list[Row]:
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


def _candidates(reader: ConsoleReader, silent: Silent, accounts: Sequence[str]) -> list[Row]:
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
