"""Restores detection from the store, as if it had never stopped.

There are no snapshots: the state of every operator follows from committed events, so those still in
reach are read and fed again. The amount read does not grow with the history, except for one first
sighting per known value and one link per account.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import msgspec

from detector.cases.book import CustomerSignals
from detector.core.events import STREAMS, Event, Identity
from detector.pipeline.ports import Memory
from detector.signals.operators import OPERATORS
from detector.signals.rules import Rules
from detector.signals.signal import Signal


def recall(db: duckdb.DuckDBPyConnection, rules: Rules) -> Memory:
    """Read everything still within reach of the watermark."""
    row = db.execute("SELECT watermark, confirmed FROM progress").fetchone()
    watermark, confirmed = row or (None, None)
    # An unconfirmed watermark can go back.
    edge = (watermark if confirmed else _DAWN) - rules.lateness
    return Memory(
        confirmed=confirmed,
        unconfirmed=_unconfirmed(db, confirmed),
        events=_events(db, rules, edge),
        recent_ids=_recent_ids(db, edge),
        holdings=_holdings(db),
        attributed=_attributed(db, edge - rules.risk.window),
        customer_signals=read_signals(
            db.cursor(), "account_id IS NULL AND occurred_at >= ?", [edge]
        ),
        customers=_customers(db, rules.cases.gap, edge),
    )


def _events(db: duckdb.DuckDBPyConnection, rules: Rules, edge: datetime) -> Iterator[Event]:
    """The events that some operator still needs, each once, in order of time."""
    wanted: dict[str, list[str]] = {}
    parameters: dict[str, list[Any]] = {}
    for pattern in rules.patterns.values():
        needed = OPERATORS[pattern.operator].recalled(pattern, edge)
        for stream, condition in needed.items():
            wanted.setdefault(stream, []).append(f"({condition.text})")
            parameters.setdefault(stream, []).extend(condition.parameters)
    for stream in sorted(wanted, key=lambda name: name != "kyc_profiles"):
        kind = STREAMS[stream]
        columns = ", ".join(
            f"{name}::VARCHAR AS {name}" if name in ("amount", "base_amount") else name
            for name in kind.__struct_fields__
        )
        query = (
            f"SELECT {columns} FROM stg_{stream} AS e WHERE {' OR '.join(wanted[stream])} "
            "ORDER BY occurred_at, event_id"
        )
        cursor = db.cursor().execute(query, parameters[stream])
        while rows := cursor.fetchmany(10_000):
            for row in rows:
                yield kind(**dict(zip(kind.__struct_fields__, row, strict=True)))


def _unconfirmed(
    db: duckdb.DuckDBPyConnection, confirmed: datetime | None
) -> list[tuple[datetime, str]]:
    union = " UNION ALL ".join(
        f"SELECT occurred_at, customer_id FROM stg_{s}" for s in STREAMS if s != "kyc_profiles"
    )
    query = f"SELECT occurred_at, customer_id FROM ({union}) WHERE occurred_at > ? ORDER BY ALL"
    return db.execute(query, [confirmed or _DAWN]).fetchall()


def _recent_ids(db: duckdb.DuckDBPyConnection, edge: datetime) -> dict[Identity, datetime]:
    union = " UNION ALL ".join(
        f"SELECT '{s}' AS stream, event_id, occurred_at FROM {s}" for s in STREAMS
    )
    query = f"SELECT stream, event_id, occurred_at FROM ({union}) WHERE occurred_at >= ?"
    return {(stream, name): at for stream, name, at in db.execute(query, [edge]).fetchall()}


def _holdings(db: duckdb.DuckDBPyConnection) -> list[tuple[str, str, datetime]]:
    return db.execute(
        "SELECT customer_id, account_id, min(occurred_at) FROM ("
        "  SELECT customer_id, account_id, occurred_at FROM stg_transactions UNION ALL"
        "  SELECT customer_id, unnest(account_ids), occurred_at FROM stg_kyc_profiles"
        ") GROUP BY customer_id, account_id"
    ).fetchall()


def read_signals(
    cursor: duckdb.DuckDBPyConnection, where: str, parameters: list[Any]
) -> Iterator[Signal]:
    """The signals that meet a condition, in order of time; reads from the cursor as it goes."""
    names = Signal.__struct_fields__
    columns = ", ".join("amount::VARCHAR" if name == "amount" else name for name in names)
    cursor.execute(
        f"SELECT {columns} FROM fraud_signals WHERE {where} ORDER BY occurred_at, signal_id",
        parameters,
    )
    while rows := cursor.fetchmany(10_000):
        for row in rows:
            values = dict(zip(names, row, strict=True))
            values["evidence"] = msgspec.json.decode(values["evidence"])
            yield Signal(**values)


def _attributed(db: duckdb.DuckDBPyConnection, since: datetime) -> list[tuple[str, Signal]]:
    by_id = {s.signal_id: s for s in read_signals(db.cursor(), "occurred_at >= ?", [since])}
    rows = db.execute(
        "SELECT account_id, signal_id FROM account_signals WHERE occurred_at >= ? "
        "ORDER BY occurred_at, signal_id",
        [since],
    ).fetchall()
    return [(account, by_id[name]) for account, name in rows]


def customer_signals(db: duckdb.DuckDBPyConnection, customer_id: str) -> CustomerSignals:
    """A customer's closings, and their signals since the last closing but one."""
    name = [customer_id]
    closed = db.execute(f"{_CLOSINGS} AND customer_id = ? ORDER BY closed_until", name).fetchall()
    closed_until = [at for _, at in closed]
    since = closed_until[-2] if len(closed_until) > 1 else _DAWN
    signals = list(
        read_signals(db.cursor(), "customer_id = ? AND occurred_at > ?", [customer_id, since])
    )
    return CustomerSignals(customer_id, closed_until, signals)


def _customers(
    db: duckdb.DuckDBPyConnection, gap: timedelta, edge: datetime
) -> Iterator[CustomerSignals]:
    """The customers with closings, with an open case, or with signals that others can still join.

    The signals are those since the last closing but one.
    """
    closed_until: dict[str, list[datetime]] = {}
    for customer, at in db.execute(f"{_CLOSINGS} ORDER BY customer_id, closed_until").fetchall():
        closed_until.setdefault(customer, []).append(at)
    signals: dict[str, list[Signal]] = {}
    where = f"""customer_id IN (
        SELECT c.customer_id FROM cases AS c LEFT JOIN case_reviews AS r USING (case_id)
        WHERE coalesce(r.status, 'NEW') <> 'CLOSED'
        UNION SELECT customer_id FROM fraud_signals WHERE occurred_at >= ?
        UNION SELECT customer_id FROM ({_CLOSINGS}) WHERE closed_until >= ?
      ) AND occurred_at > coalesce((
        SELECT k.closed_until FROM (
          SELECT customer_id, closed_until, row_number() OVER (
            PARTITION BY customer_id ORDER BY closed_until DESC) AS place
          FROM ({_CLOSINGS})
        ) AS k WHERE k.customer_id = fraud_signals.customer_id AND k.place = 2
      ), ?)"""
    for signal in read_signals(db.cursor(), where, [edge - gap, edge, _DAWN]):
        signals.setdefault(signal.customer_id, []).append(signal)
    for customer in closed_until.keys() | signals.keys():
        yield CustomerSignals(customer, closed_until.get(customer, []), signals.get(customer, []))


_DAWN = datetime(1900, 1, 1, tzinfo=UTC)
_CLOSINGS = (
    "SELECT customer_id, closed_until FROM case_reviews "
    "WHERE status = 'CLOSED' AND closed_until IS NOT NULL"
)
