"""The recent events of one key, in order."""

from bisect import bisect_left
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from detector.core.events import Event

E = TypeVar("E", bound=Event)
_Order = tuple[datetime, str]


class OrderedEvents(Generic[E]):
    """Events ordered by time, then by event_id, so that ties have one order everywhere.

    Keeps every event that one at most `lateness` behind the newest could be compared with: those
    within the lateness, and the last one before them.
    """

    __slots__ = ("_lateness", "_trim_at", "events", "order")

    def __init__(self, lateness: timedelta) -> None:
        self._lateness = lateness
        self._trim_at = 8
        self.order: list[_Order] = []
        self.events: list[E] = []

    def push(self, event: E) -> tuple[E | None, E | None]:
        """Insert an event and return its predecessor and its successor."""
        at = event.occurred_at
        place_of = (at, event.event_id)
        order, events = self.order, self.events
        if not order or at > order[-1][0] or place_of > order[-1]:
            before = events[-1] if events else None
            order.append(place_of)
            events.append(event)
            if len(order) >= self._trim_at:
                self._trim()
            return before, None
        place = bisect_left(order, place_of)
        order.insert(place, place_of)
        events.insert(place, event)
        return (events[place - 1] if place else None), events[place + 1]

    def before(self, event: E) -> E | None:
        """The predecessor of an event; the event itself may or may not have been pushed."""
        place = bisect_left(self.order, (event.occurred_at, event.event_id))
        return self.events[place - 1] if place else None

    def _trim(self) -> None:
        edge = self.order[-1][0] - self._lateness
        gone = bisect_left(self.order, (edge, "")) - 1
        if gone > 0:
            del self.order[:gone], self.events[:gone]
        self._trim_at = max(8, 2 * len(self.order))
