"""The bank's agenda: what happens next, in order of time."""

import heapq
from collections.abc import Callable, Iterable
from datetime import datetime
from itertools import count

from producers.models import Event

# Called with its planned time; returns the events of that time.
Action = Callable[[datetime], Iterable[Event]]


class Agenda:
    """Holds future actions; those at the same time run in the order of planning."""

    def __init__(self) -> None:
        self._heap: list[tuple[datetime, int, Action]] = []
        self._order = count()

    def plan(self, at: datetime, action: Action) -> None:
        """Plan an action; not before the one that was taken last."""
        heapq.heappush(self._heap, (at, next(self._order), action))

    def __bool__(self) -> bool:
        return bool(self._heap)

    def take(self) -> Iterable[Event]:
        """Run the earliest action and return its events."""
        at, _, action = heapq.heappop(self._heap)
        return action(at)
