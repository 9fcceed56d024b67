"""Reads events and signals back from a store's tables."""

from collections.abc import Iterator, Sequence
from typing import Any

import duckdb
import msgspec

from detector.core.events import STREAMS, Event
from detector.signals.conditions import Sql
from detector.signals.signal import Signal


def read_events(
    db: duckdb.DuckDBPyConnection,
    source: str,
    stream: str,
    conditions: list[Sql],
    order: Sequence[str],
) -> Iterator[Event]:
    """The events of a stream that meet any of the conditions."""
    kind = STREAMS[stream]
    columns = ", ".join(
        f"{name}::VARCHAR AS {name}" if name in ("amount", "base_amount") else name
        for name in kind.__struct_fields__
    )
    query = (
        f"SELECT {columns} FROM {source} AS e WHERE "
        f"{' OR '.join(f'({c.text})' for c in conditions)} "
        f"ORDER BY {', '.join(f'e.{name}' for name in order)}"
    )
    cursor = db.execute(query, [v for c in conditions for v in c.parameters])
    while rows := cursor.fetchmany(10_000):
        for row in rows:
            yield kind(**dict(zip(kind.__struct_fields__, row, strict=True)))


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
