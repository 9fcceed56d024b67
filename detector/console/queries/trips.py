"""Impossible trips for the map: two uses of a card too far apart."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import BaseModel

from detector.console.queries.signals import parsed
from detector.console.queries.where import Where
from detector.pipeline.ports import Reader
from detector.signals.operators import OPERATORS
from detector.signals.rules import Rules


class Spot(BaseModel):
    """A point on the map."""

    city: str
    latitude: float
    longitude: float


class Trip(BaseModel):
    """Two uses of one card, too far apart for the time between them."""

    signal_id: str
    pattern: str
    account_id: str | None
    at: datetime
    start: Spot
    end: Spot
    distance_km: float
    minutes: int


def newest_trips(reader: Reader, rules: Rules, limit: int = 30) -> list[Trip]:
    """The newest trips with both ends known, newest first."""
    names = [p.id for p in rules.patterns.values() if OPERATORS[p.operator].unit(p) == "km"]
    if not names:
        return []
    where = Where()
    where.among("pattern", names)
    signals = reader.rows(
        f"""SELECT signal_id, pattern, account_id, event_id, occurred_at, window_start, observed,
          evidence
        FROM mv_fraud_signals WHERE {where.sql}
        ORDER BY occurred_at DESC, signal_id DESC LIMIT {limit:d}""",
        where.parameters,
    )
    return trips_of(reader, signals)


def trips_of(reader: Reader, signals: Sequence[Mapping[str, Any]]) -> list[Trip]:
    """The trips behind signals that compare two places; others are left out."""
    facts = {row["signal_id"]: parsed(row["evidence"]) for row in signals}
    pairs = [row for row in signals if "previous_event_id" in facts[row["signal_id"]]]
    spots = _spots(
        reader,
        [row["event_id"] for row in pairs]
        + [facts[row["signal_id"]]["previous_event_id"] for row in pairs],
        [at for row in pairs for at in (row["window_start"], row["occurred_at"])],
    )
    trips = []
    for row in pairs:
        fact = facts[row["signal_id"]]
        start, end = spots.get(fact["previous_event_id"]), spots.get(row["event_id"])
        if start is not None and end is not None:
            trips.append(
                Trip(
                    signal_id=row["signal_id"],
                    pattern=row["pattern"],
                    account_id=row["account_id"],
                    at=row["occurred_at"],
                    start=start,
                    end=end,
                    distance_km=row["observed"],
                    minutes=fact["minutes"],
                )
            )
    return trips


def _spots(reader: Reader, event_ids: list[str], times: list[datetime]) -> dict[str, Spot]:
    if not event_ids:
        return {}
    where = Where()
    # The times allow a store to skip data that cannot contain the events.
    where.add("occurred_at BETWEEN ? AND ?", min(times), max(times))
    where.among("event_id", event_ids)
    rows = reader.rows(
        "SELECT event_id, city, latitude, longitude FROM stg_transactions "
        f"WHERE {where.sql} AND latitude IS NOT NULL AND longitude IS NOT NULL",
        where.parameters,
    )
    return {
        row["event_id"]: Spot(
            city=row["city"] or "an unnamed place",
            latitude=row["latitude"],
            longitude=row["longitude"],
        )
        for row in rows
    }
