"""The recent events of one key, in order."""

from bisect import bisect_left
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from detector.core.events import Event, time_of

E = TypeVar("E", bound=Event)


def order_of(event: Event) -> tuple[datetime, str]:
    """The order of events: by time, then by event_id, so that ties have one order everywhere."""
    return event.occurred_at, event.event_id


def comes_after(event: Event, other: Event) -> bool:
    """Whether an event is later in that order; mostly its time alone tells."""
    return event.occurred_at > other.occurred_at or order_of(event) > order_of(other)


class OrderedEvents(Generic[E]):
    """Events in order.

    Keeps every event that one at most `lateness` behind the newest could be compared with: those
    within the lateness, and the last one before them.
    """

    __slots__ = ("_lateness", "_trim_at", "events")

    def __init__(self, lateness: timedelta) -> None:
        self._lateness = lateness
        self._trim_at = 8
        self.events: list[E] = []

    def push(self, event: E) -> tuple[E | None, E | None]:
        """Insert an event and return its predecessor and its successor."""
        events = self.events
        if not events:
            events.append(event)
            return None, None
        last = events[-1]
        if comes_after(event, last):
            events.append(event)
            if len(events) >= self._trim_at:
                self.trim()
                self._trim_at = max(8, 2 * len(events))
            return last, None
        place = bisect_left(events, order_of(event), key=order_of)
        events.insert(place, event)
        return (events[place - 1] if place else None), events[place + 1]

    def before(self, event: E) -> E | None:
        """The predecessor of an event; the event itself may or may not have been pushed."""
        place = bisect_left(self.events, order_of(event), key=order_of)
        return self.events[place - 1] if place else None

    def trim(self) -> None:
        """Drop what no event that may still come can be compared with."""
        edge = self.events[-1].occurred_at - self._lateness
        gone = bisect_left(self.events, edge, key=time_of) - 1
        if gone > 0:
            del self.events[:gone]

    def forget(self, edge: datetime) -> bool:
        """Drop what no event can need; all where the last one is before `edge`. Whether it was."""
        if self.events[-1].occurred_at < edge:
            return True
        if len(self.events) > 1:
            self.trim()
        return False
