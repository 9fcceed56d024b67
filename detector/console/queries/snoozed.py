"""Which open cases are snoozed: those all of whose patterns are, unless they are critical."""

from collections import defaultdict
from collections.abc import Iterable

from detector.adapters.people.snoozes import Snooze
from detector.console.queries.where import Where
from detector.core.data import Row
from detector.core.names import split
from detector.pipeline.ports import ConsoleReader

Silent = dict[tuple[str, str], set[str]]


def snoozed_cases(reader: ConsoleReader, snoozes: Iterable[Snooze]) -> list[str]:
    """The ids of the open cases all of whose patterns are snoozed; never of a critical one.

    A pattern of a case is snoozed for its customer; or for accounts and cards, when every signal of
    the pattern in the case was on a snoozed account or card.
    """
    silent: Silent = defaultdict(set)
    for snooze in snoozes:
        silent[snooze.entity_kind, snooze.entity].add(snooze.pattern)
    if not silent:
        return []
    fired = _fired_on(reader, silent)
    return [
        case["case_id"]
        for case in _candidates(reader, silent, {row["customer_id"] for row in fired})
        if all(_is_silent(case, pattern, silent, fired) for pattern in split(case["patterns"]))
    ]


def _fired_on(reader: ConsoleReader, silent: Silent) -> list[Row]:
    """All signals of the customers who have one on a snoozed account or card."""
    where = Where()
    for kind, column in (("account", "account_id"), ("card", "subject")):
        if entities := [entity for of, entity in silent if of == kind]:
            where.among(column, entities)
    if not where.tests:
        return []
    return reader.rows(
        f"""SELECT customer_id, account_id, pattern, subject, occurred_at FROM mv_fraud_signals
        WHERE customer_id IN (
          SELECT customer_id FROM mv_fraud_signals WHERE {" OR ".join(where.tests)})""",
        where.parameters,
    )


def _candidates(reader: ConsoleReader, silent: Silent, fired: Iterable[str]) -> list[Row]:
    customers = {entity for kind, entity in silent if kind == "customer"} | set(fired)
    if not customers:
        return []
    where = Where()
    where.among("customer_id", sorted(customers))
    return reader.rows(
        f"""SELECT case_id, customer_id, patterns, first_signal_at, last_signal_at
        FROM {reader.open_cases} WHERE level <> 'critical' AND {where.sql}""",
        where.parameters,
    )


def _is_silent(case: Row, pattern: str, silent: Silent, fired: Iterable[Row]) -> bool:
    if pattern in silent.get(("customer", case["customer_id"]), ()):
        return True
    rows = [
        row
        for row in fired
        if row["customer_id"] == case["customer_id"]
        and row["pattern"] == pattern
        and case["first_signal_at"] <= row["occurred_at"] <= case["last_signal_at"]
    ]
    return bool(rows) and all(
        pattern in silent.get(("account", row["account_id"]), ())
        or pattern in silent.get(("card", row["subject"]), ())
        for row in rows
    )
