"""Trailing windows of one key, exact in event time whatever the order of arrival."""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Hashable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

_DAWN = datetime(1, 1, 1, tzinfo=UTC)


class TrailingWindow:
    """The events of one key in time order.

    An item's window is the items in [at - span, at], or (at - span, at] when `open_start`; items
    of the same time are peers and are in each other's window. Items stay for as long as an event
    that is at most `lateness` behind the newest could need them, or the window of one in its own.
    """

    __slots__ = ("_back", "_keep", "_trim_at", "items", "start_from", "times")

    def __init__(self, span: timedelta, lateness: timedelta, open_start: bool = False) -> None:
        # Times are whole microseconds, so an open start is one microsecond later.
        self._back = span - timedelta(microseconds=1) if open_start else span
        self._keep = 2 * span + lateness
        self._trim_at = 32
        self.times: list[datetime] = []
        self.items: list[Any] = []
        self.start_from = 0  # the newest item's window starts here or later

    def push(self, at: datetime, item: Any) -> int:
        """Insert an item and return the index of the first item whose window it is in.

        That is the item's own index when it is newer than all others, the common case.
        """
        times = self.times
        if len(times) >= self._trim_at:
            self.trim(at)
        if not times or at > times[-1]:
            times.append(at)
            self.items.append(item)
            return len(times) - 1
        place = bisect_right(times, at)
        times.insert(place, at)
        self.items.insert(place, item)
        return bisect_left(times, at)

    def newest_start(self) -> int:
        """The start index of the newest item's window."""
        times, start = self.times, self.start_from
        edge = times[-1] - self._back
        while times[start] < edge:
            start += 1
        self.start_from = start
        return start

    def remove(self, at: datetime, item: Any) -> None:
        """Remove an item that was pushed with this time, if present."""
        for place in range(bisect_left(self.times, at), bisect_right(self.times, at)):
            if self.items[place] == item:
                del self.times[place], self.items[place]
                self.start_from = self._start_of(self.times[-1]) if self.times else 0
                return

    def affected_by(self, at: datetime) -> range:
        """Indexes of the items whose window contains the time `at`."""
        return range(bisect_left(self.times, at), bisect_right(self.times, at + self._back))

    def bounds(self, index: int) -> tuple[int, int]:
        """Start and end index of the window of the item at `index`."""
        if index == len(self.times) - 1:
            return self.newest_start(), index + 1
        at = self.times[index]
        return self._start_of(at), bisect_right(self.times, at)

    def count_at(self, at: datetime) -> int:
        """The number of items in the window that ends at `at`."""
        return bisect_right(self.times, at) - self._start_of(at)

    def _start_of(self, at: datetime) -> int:
        return bisect_left(self.times, at - self._back)

    def trim(self, at: datetime = _DAWN) -> None:
        """Drop the items that no event can need any more, if the newest is of `at` or later."""
        newest = max(at, self.times[-1])
        # Not past the start: a late item must not change the newest window.
        gone = min(bisect_left(self.times, newest - self._keep), self.newest_start())
        del self.times[:gone], self.items[:gone]
        self.start_from -= gone
        # Doubling makes trimming O(1) amortised.
        self._trim_at = max(32, 2 * len(self.times))

    def forget(self, edge: datetime) -> bool:
        """Drop what no window that starts at `edge` or later can need; whether that is all."""
        times = self.times
        if not times or times[-1] < edge:
            return True
        if times[0] < times[-1] - self._keep:
            self.trim()
        return False


class DistinctWindow(TrailingWindow):
    """A trailing window that also counts each value in its newest window.

    Items are `(value, payload)` pairs.
    """

    __slots__ = ("counts",)

    def __init__(self, span: timedelta, lateness: timedelta, open_start: bool = False) -> None:
        super().__init__(span, lateness, open_start)
        self.counts: Counter[Hashable] = Counter()

    def push(self, at: datetime, item: tuple[Hashable, Any]) -> int:
        """As `TrailingWindow.push`; also updates `counts`."""
        if len(self.times) >= self._trim_at:
            self.trim(at)
        newest = self.times[-1] if self.times else at
        before = self.start_from
        first = super().push(at, item)
        if at < newest:
            self._recount()
            return first
        self.counts[item[0]] += 1
        for value, _ in self.items[before : self.newest_start()]:
            self.counts[value] -= 1
            if not self.counts[value]:
                del self.counts[value]
        return first

    def remove(self, at: datetime, item: tuple[Hashable, Any]) -> None:
        """As `TrailingWindow.remove`."""
        super().remove(at, item)
        self._recount()

    def values(self, index: int) -> set[Hashable]:
        """The different values in the window of the item at `index`."""
        start, end = self.bounds(index)
        if end == len(self.times):
            return set(self.counts)
        return {value for value, _ in self.items[start:end]}

    def values_at(self, at: datetime) -> set[Hashable]:
        """The different values in the window that ends at `at`."""
        items = self.items[self._start_of(at) : bisect_right(self.times, at)]
        return {value for value, _ in items}

    def _recount(self) -> None:
        start = self.newest_start() if self.times else 0
        self.counts = Counter(value for value, _ in self.items[start:])


def distinct_times(window: TrailingWindow, indexes: range) -> Iterator[tuple[datetime, int]]:
    """The different times among `indexes`, each with the index of its last item."""
    times = window.times
    for index in indexes:
        if index + 1 == len(times) or times[index + 1] != times[index]:
            yield times[index], index
