"""Impossible trips for the map: where a card was, and where it cannot have come so soon."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from pydantic import BaseModel

from detector.console.context import Reader
from detector.console.filters import Where
from detector.core.rules import Rules


class Spot(BaseModel):
    """A place on the map."""

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
    """The newest trips that both ends are known of, the newest first."""
    longest = timedelta()
    names = []
    for pattern in rules.patterns.values():
        if pattern.measure == "distance_km":
            names.append(pattern.id)
            longest = max(longest, pattern.window)
    if not names:
        return []
    where = Where()
    where.among("pattern", names)
    signals = reader.rows(
        "SELECT signal_id, pattern, account_id, event_id, occurred_at, observed, evidence "
        f"FROM mv_fraud_signals WHERE {where.sql} "
        f"ORDER BY occurred_at DESC, signal_id DESC LIMIT {limit:d}",
        where.parameters,
    )
    facts = [_parsed(row["evidence"]) for row in signals]
    ids = [*(row["event_id"] for row in signals), *(f["previous_event_id"] for f in facts)]
    spots = _spots(reader, ids, [row["occurred_at"] for row in signals], longest)
    return [
        Trip(
            signal_id=row["signal_id"],
            pattern=row["pattern"],
            account_id=row["account_id"],
            at=row["occurred_at"],
            start=spots[fact["previous_event_id"]],
            end=spots[row["event_id"]],
            distance_km=row["observed"],
            minutes=fact["minutes"],
        )
        for row, fact in zip(signals, facts, strict=True)
        if row["event_id"] in spots and fact["previous_event_id"] in spots
    ]


def _spots(
    reader: Reader, event_ids: list[str], times: list[datetime], before: timedelta
) -> dict[str, Spot]:
    if not event_ids:
        return {}
    where = Where()
    # The times let a store skip what cannot hold the events.
    where.add("occurred_at BETWEEN ? AND ?", min(times) - before, max(times))
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


def _parsed(evidence: str | Mapping[str, Any]) -> Mapping[str, Any]:
    """Evidence comes as text or parsed, by store."""
    return json.loads(evidence) if isinstance(evidence, str) else evidence
