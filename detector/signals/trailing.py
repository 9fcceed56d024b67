"""Operators over everything that a key did in the trailing window."""

from abc import abstractmethod
from collections.abc import Hashable
from functools import partial
from typing import Any

from detector.core.data import JsonObject
from detector.signals.exposure import newly_exposed, next_firing
from detector.signals.operator import Operator
from detector.signals.select import Findings
from detector.signals.signal import Finding
from detector.state.windows import TrailingWindow


class Trailing(Operator):
    """Fires at every event in whose window `observed_in` is at least the threshold.

    Its first firing exposes the whole window, each later one what has come since.
    """

    @abstractmethod
    def observed_in(self, window: Any, index: int) -> float:
        """What is observed in the window of the item at `index`."""

    def observed_last(self, window: Any) -> float:
        """The same for the last item, which most events are; override it where that is simpler.

        What is below the threshold may be anything below it.
        """
        return self.observed_in(window, len(window.times) - 1)

    def facts_in(self, window: Any, index: int) -> JsonObject:
        """What a signal of the item at `index` adds to its evidence."""
        return {}

    def new_window(self) -> Any:
        """The state of a key: a window that keeps what `item_of` returns."""
        return TrailingWindow(self._span, self.lateness)

    def item_of(self, event: Any) -> Any:
        """What the window keeps of an event; None to ignore it."""
        return event

    def event_of(self, item: Any) -> Any:
        """The event of an item."""
        return item

    def update(self, key: Hashable, event: Any) -> Findings:
        item = self.item_of(event)
        if item is None:
            return ()
        window = self._state.get(key)
        if window is None:
            window = self._state[key] = self.new_window()
        first = window.push(event.occurred_at, item)
        if first == len(window.times) - 1:
            fired = self.observed_last(window) >= self._threshold
            return (self._finding(window, first),) if fired else ()
        fires = partial(self._fires, window)
        affected = window.affected_by(event.occurred_at)
        # What an event that newly fires exposes, the next firing one no longer does.
        following = next_firing(window, affected.stop, fires)
        return [self._finding(window, i) for i in (*affected, *following) if fires(i)]

    def _fires(self, window: TrailingWindow, index: int) -> bool:
        return self.observed_in(window, index) >= self._threshold

    def _finding(self, window: TrailingWindow, index: int) -> Finding:
        fires = partial(self._fires, window)
        return Finding(
            self.event_of(window.items[index]),
            self.observed_in(window, index),
            self.facts_in(window, index),
            newly_exposed(window, index, fires, self.event_of) if self.pattern.has_money else [],
        )
