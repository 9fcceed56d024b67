"""Open cases of other customers that share a device, an IP address or a merchant with a case."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal

from pydantic import BaseModel

from detector.console.queries.where import Where
from detector.core.data import Row
from detector.core.names import Names
from detector.pipeline.ports import ConsoleReader

Kind = Literal["device", "ip", "merchant"]
AROUND = timedelta(hours=24)
"""Maximum time between the case's signals and the use of a shared device, address or merchant."""
MOST_VALUES = 12
MOST_CASES = 8


class LinkedCase(BaseModel):
    """An open case, and what it shares with the current one."""

    case_id: str
    customer_id: str
    level: str
    score: float
    patterns: Names
    exposure: Decimal
    status: str
    shares: list["Shared"]


class Shared(BaseModel):
    """One shared entity."""

    kind: Kind
    value: str


def linked_cases(
    reader: ConsoleReader,
    case_id: str,
    customer_id: str,
    since: datetime,
    until: datetime,
    devices: Sequence[str],
    addresses: Sequence[str],
    events: Sequence[str],
) -> list[LinkedCase]:
    """The open cases that share most with the case, at most `MOST_CASES`.

    `devices` and `addresses` are those of the case. Merchants count only where a pattern fired on
    both sides: everyone buys at the same supermarket.
    """
    spans = (since - AROUND, until + AROUND)
    shared: dict[str, set[tuple[Kind, str]]] = {}
    found = [
        *_users(reader, "device", "device_id", devices, spans),
        *_users(reader, "ip", "ip_address", addresses, spans),
        *_victims(reader, events, spans),
    ]
    for kind, value, customer in found:
        if customer == customer_id:
            continue  # Customers share their own devices with themselves.
        shared.setdefault(customer, set()).add((kind, value))
    # Customers who share most first, so that a busy address does not hide them.
    closest = sorted(shared, key=lambda c: (-len(shared[c]), c))[:200]
    if not closest:
        return []
    where = Where()
    where.among("customer_id", closest)
    rows = reader.rows(
        f"""SELECT case_id, customer_id, level, score, patterns, exposure, status
        FROM {reader.open_cases} WHERE {where.sql} AND case_id <> ?
        ORDER BY score DESC, exposure DESC, case_id LIMIT 500""",
        [*where.parameters, case_id],
    )
    rows.sort(key=lambda row: -len(shared[row["customer_id"]]))
    return [_linked(row, shared[row["customer_id"]]) for row in rows[:MOST_CASES]]


def _users(
    reader: ConsoleReader,
    kind: Kind,
    column: str,
    values: Sequence[str],
    spans: tuple[datetime, datetime],
) -> list[tuple[Kind, str, str]]:
    """The customers who paid or signed in with one of the values."""
    if not values:
        return []
    where = Where()
    where.among(column, values[:MOST_VALUES])
    where.add("occurred_at BETWEEN ? AND ?", *spans)
    rows = reader.rows(
        f"""SELECT {column} AS value, customer_id FROM stg_transactions WHERE {where.sql}
        UNION SELECT {column}, customer_id FROM stg_logins WHERE {where.sql}
        LIMIT 1000""",
        where.parameters * 2,
    )
    return [(kind, row["value"], row["customer_id"]) for row in rows]


def _victims(
    reader: ConsoleReader, events: Sequence[str], spans: tuple[datetime, datetime]
) -> list[tuple[Kind, str, str]]:
    """The customers with a signal at a merchant at which one of the events has a signal."""
    if not events:
        return []
    fired = Where()
    fired.among("t.event_id", events[:100])
    fired.add("t.occurred_at BETWEEN ? AND ?", *spans)
    rows = reader.rows(
        f"""SELECT DISTINCT t.merchant_id AS value, t.customer_id
        FROM stg_transactions AS t JOIN mv_fraud_signals AS s ON s.event_id = t.event_id
        WHERE t.occurred_at BETWEEN ? AND ? AND s.occurred_at BETWEEN ? AND ?
          AND t.merchant_id IN (SELECT t.merchant_id FROM stg_transactions AS t WHERE {fired.sql})
        LIMIT 1000""",
        [*spans, *spans, *fired.parameters],
    )
    return [("merchant", row["value"], row["customer_id"]) for row in rows]


def _linked(row: Row, shares: set[tuple[Kind, str]]) -> LinkedCase:
    order: tuple[Kind, ...] = ("device", "ip", "merchant")
    return LinkedCase(
        **row,
        shares=[
            Shared(kind=kind, value=value)
            for kind, value in sorted(shares, key=lambda s: (order.index(s[0]), s[1]))
        ],
    )
