"""The events of the last while by id, to recognise repeated ones."""

from collections.abc import Iterator
from datetime import datetime

from detector.core.events import Event
from detector.state.sweeping import PIECE

SHARES = 64
"""Dictionaries that share the ids: one alone stops everything for 0.1 s when it grows to 700,000,
and for 0.6 s when it is filtered.
"""


class RecentEvents:
    """The recent events of a stream, most of which are in some window anyway; of those that an
    earlier run has read, the time.

    To forget, each share in turn is drained from its end, and what is still recent moves over.
    """

    __slots__ = ("_newer", "_older")

    def __init__(self) -> None:
        self._newer: list[dict[str, Event | datetime]] = [{} for _ in range(SHARES)]
        self._older: list[dict[str, Event | datetime]] = [{} for _ in range(SHARES)]

    def __len__(self) -> int:
        return sum(map(len, self._newer)) + sum(map(len, self._older))

    def get(self, event_id: str) -> Event | datetime | None:
        """The event with an id, or its time; None for one that is not there."""
        share = hash(event_id) % SHARES
        found = self._newer[share].get(event_id)
        return found if found is not None else self._older[share].get(event_id)

    def add(self, event_id: str, event: Event | datetime) -> None:
        """Add an event, or its time."""
        self._newer[hash(event_id) % SHARES][event_id] = event

    def forget(self, moment: datetime) -> Iterator[None]:
        """Drop those before a moment, some at each step."""
        looked_at = 0
        for share in range(SHARES):
            if not self._older[share]:
                self._older[share], self._newer[share] = self._newer[share], {}
            older, newer = self._older[share], self._newer[share]
            while older:
                event_id, event = older.popitem()
                if (event if isinstance(event, datetime) else event.occurred_at) >= moment:
                    newer[event_id] = event
                looked_at += 1
                if looked_at % PIECE == 0:
                    yield
