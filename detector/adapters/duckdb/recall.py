"""Restores detection from the store, as if it had never stopped.

There are no snapshots: the state of every operator follows from committed events, so those still in
reach are read and fed again. The amount read does not grow with the history, except for one first
sighting per known value and one link per account.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import duckdb
import msgspec

from detector.cases.session_window import SessionWindow
from detector.core.events import STREAMS, Event
from detector.pipeline.ports import Memory
from detector.signals.operators import OPERATORS
from detector.signals.rules import Rules
from detector.signals.signal import Signal


def recall(db: duckdb.DuckDBPyConnection, rules: Rules) -> Memory:
    """Read everything still within reach of the watermark."""
    row = db.execute("SELECT watermark FROM progress").fetchone()
    watermark = row[0] if row else None
    if watermark is None:
        return Memory()
    edge = watermark - rules.lateness
    return Memory(
        watermark=watermark,
        events=_events(db, rules, edge),
        recent_ids=_recent_ids(db, edge),
        holdings=_holdings(db),
        attributed=_attributed(db, edge - rules.risk.window),
        customer_signals=read_signals(db, "account_id IS NULL AND occurred_at >= ?", [edge]),
        session_windows=_session_windows(db, rules.cases.gap, edge),
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
            "amount::VARCHAR AS amount" if name == "amount" else name
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


def _recent_ids(db: duckdb.DuckDBPyConnection, edge: datetime) -> dict[str, datetime]:
    union = " UNION ALL ".join(f"SELECT event_id, occurred_at FROM {s}" for s in STREAMS)
    query = f"SELECT event_id, occurred_at FROM ({union}) WHERE occurred_at >= ?"
    return dict(db.execute(query, [edge]).fetchall())


def _holdings(db: duckdb.DuckDBPyConnection) -> list[tuple[str, str, datetime]]:
    return db.execute(
        "SELECT customer_id, account_id, min(occurred_at) FROM ("
        "  SELECT customer_id, account_id, occurred_at FROM stg_transactions UNION ALL"
        "  SELECT customer_id, unnest(account_ids), occurred_at FROM stg_kyc_profiles"
        ") GROUP BY customer_id, account_id"
    ).fetchall()


def read_signals(
    db: duckdb.DuckDBPyConnection, where: str, parameters: list[Any]
) -> Iterator[Signal]:
    """The stored signals that meet a condition, in order of time."""
    names = Signal.__struct_fields__
    columns = ", ".join("amount::VARCHAR" if name == "amount" else name for name in names)
    cursor = db.cursor().execute(
        f"SELECT {columns} FROM fraud_signals WHERE {where} ORDER BY occurred_at, signal_id",
        parameters,
    )
    while rows := cursor.fetchmany(10_000):
        for row in rows:
            values = dict(zip(names, row, strict=True))
            values["evidence"] = msgspec.json.decode(values["evidence"])
            yield Signal(**values)


def _attributed(db: duckdb.DuckDBPyConnection, since: datetime) -> list[tuple[str, Signal]]:
    by_id = {s.signal_id: s for s in read_signals(db, "occurred_at >= ?", [since])}
    rows = db.execute(
        "SELECT account_id, signal_id FROM account_signals WHERE occurred_at >= ? "
        "ORDER BY occurred_at, signal_id",
        [since],
    ).fetchall()
    return [(account, by_id[name]) for account, name in rows]


def _session_windows(
    db: duckdb.DuckDBPyConnection, gap: timedelta, edge: datetime
) -> Iterator[SessionWindow]:
    """The session windows that another signal could still join, each with its case."""
    rows = db.execute(
        """
        WITH steps AS (
          SELECT account_id, signal_id, occurred_at,
            occurred_at - lag(occurred_at) OVER w > ? AS starts
          FROM account_signals
          WINDOW w AS (PARTITION BY account_id ORDER BY occurred_at, signal_id)
        ),
        numbered AS (
          SELECT *, count(*) FILTER (WHERE starts) OVER (
            PARTITION BY account_id ORDER BY occurred_at, signal_id
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS session_window
          FROM steps
        ),
        alive AS (
          SELECT account_id, session_window, min(occurred_at) AS first_at
          FROM numbered GROUP BY account_id, session_window HAVING max(occurred_at) >= ?
        )
        SELECT n.account_id, n.session_window, n.signal_id, c.case_id
        FROM numbered AS n
        JOIN alive AS a USING (account_id, session_window)
        LEFT JOIN cases AS c ON c.account_id = n.account_id AND c.first_signal_at = a.first_at
          AND c.merged_into IS NULL
        ORDER BY n.account_id, n.session_window, n.occurred_at
        """,
        [gap, edge - gap],
    ).fetchall()
    by_id = {
        s.signal_id: s
        for s in read_signals(db, "signal_id IN (SELECT unnest(?))", [[row[2] for row in rows]])
    }
    session_windows: dict[tuple[str, int], SessionWindow] = {}
    for account, number, name, case in rows:
        session_window = session_windows.setdefault((account, number), SessionWindow(account))
        session_window.case_id = case
        session_window.add(by_id[name])
    yield from session_windows.values()
