"""pair: an event against the previous one of its key."""

from collections.abc import Hashable
from datetime import datetime
from math import asin, cos, radians, sin, sqrt
from typing import Any

from detector.core.text import amount
from detector.signals.conditions import Sql, sql
from detector.signals.exposure import exposures
from detector.signals.operator import Operator, Unit, events_words, key_words
from detector.signals.pattern import Pattern, check_known
from detector.signals.select import Findings
from detector.signals.signal import Finding
from detector.state.ordered_events import OrderedEvents

EARTH_RADIUS_KM = 6371.0
MEASURES = {"distance_km"}
_PLACE = {"latitude", "longitude"}
KM_PER_DEGREE = 111.2  # a degree of a great circle, rounded up


class Pair(Operator):
    """Fires at an event more than `threshold` from its predecessor and less than the window after.

    The predecessor is the last event of the key before it by (time, event_id). A late event may
    come between two others, and so also make the later one's finding appear or disappear.
    """

    name = "pair"
    parameters = frozenset({"measure"})
    facts = frozenset({"from_city", "to_city", "minutes"})
    single_event = True

    @classmethod
    def check(cls, pattern: Pattern) -> None:
        """Distances need events with both coordinates."""
        check_known("measure", {pattern.measure or ""}, MEASURES)
        check_known("fields", _PLACE, pattern.fields)
        present = {name for c in pattern.where for name in c.present}
        if missing := sorted(_PLACE - present):
            raise ValueError(f"distance_km needs `is_null: false` in where for {missing}")

    @classmethod
    def unit(cls, pattern: Pattern) -> Unit:
        """Kilometres."""
        return "km"

    @classmethod
    def sentence(cls, pattern: Pattern) -> str:
        """`two consecutive transactions of one card, over 1,000 km and under 2 hours apart`."""
        return (
            f"two consecutive {events_words(pattern)} of one {key_words(pattern)}, over "
            f"{amount(pattern.threshold)} km and under {pattern.window_text} apart"
        )

    @classmethod
    def recalled(cls, pattern: Pattern, edge: datetime) -> dict[str, Sql]:
        """The last event of each key before the edge, and all from then on."""
        where = sql(pattern.where)
        meets = " AND ".join([where.text, *(f"{name} IS NOT NULL" for name in pattern.key)])
        last = (
            f"SELECT arg_max(event_id, (occurred_at, event_id)) FROM stg_{pattern.source} "
            f"WHERE {meets} AND occurred_at < ? AND occurred_at >= ? "
            f"GROUP BY {', '.join(pattern.key)}"
        )
        text = f"({meets} AND occurred_at >= ?) OR event_id IN ({last})"
        values = where.parameters
        return {pattern.source: Sql(text, [*values, edge, *values, edge, edge - pattern.window])}

    @classmethod
    def support(cls, pattern: Pattern) -> Sql:
        """The event that fired and the one before it."""
        return Sql("e.event_id IN (s.event_id, s.evidence ->> 'previous_event_id')", [])

    def update(self, key: Hashable, event: Any) -> Findings:
        past = self._state.get(key)
        if past is None:
            past = self._state[key] = OrderedEvents(self.lateness)
        before, after = past.push(event)
        if after is not None:
            # Even when it does not fire: the late event may end an earlier finding.
            findings = [self._judge(event, after)]
            return [self._judge(before, event), *findings] if before is not None else findings
        if before is None or self._near(before, event):
            return ()
        found = self._judge(before, event)
        return (found,) if found.observed is not None else ()

    def observe(self, key: Hashable, event: Any) -> float | None:
        past = self._state.get(key)
        before = past.before(event) if past is not None else None
        if before is None:
            return None
        where = (before.latitude, before.longitude, event.latitude, event.longitude)
        return round(haversine_km(*where), 1)

    def _near(self, before: Any, event: Any) -> bool:
        """Whether the distance along a meridian and a parallel, an upper bound, is within reach."""
        degrees: float = abs(before.latitude - event.latitude) + abs(
            before.longitude - event.longitude
        )
        return degrees * KM_PER_DEGREE <= self._threshold

    def _judge(self, before: Any, event: Any) -> Finding:
        elapsed = event.occurred_at - before.occurred_at
        if elapsed >= self._span:
            return Finding(event, None, {})
        distance = haversine_km(before.latitude, before.longitude, event.latitude, event.longitude)
        if distance <= self._threshold:
            return Finding(event, None, {})
        facts = {
            "from_city": before.city or "an unnamed place",
            "to_city": event.city or "an unnamed place",
            "minutes": int(elapsed.total_seconds() // 60),
            "previous_event_id": before.event_id,
        }
        return Finding(event, round(distance, 1), facts, exposures([before, event]))


def haversine_km(lat1: float, lon1: float, lat2: float, lon2: float) -> float:
    """Great-circle distance in kilometres by the haversine formula, on a sphere of 6,371 km."""
    half_lat = sin(radians(lat2 - lat1) / 2)
    half_lon = sin(radians(lon2 - lon1) / 2)
    chord = half_lat * half_lat + cos(radians(lat1)) * cos(radians(lat2)) * half_lon * half_lon
    # Rounding may put antipodes slightly above 1, where asin is undefined.
    return 2 * EARTH_RADIUS_KM * asin(sqrt(min(1.0, chord)))
