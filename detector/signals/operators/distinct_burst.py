"""distinct_burst: at least `threshold` different values for a key within the window."""

from collections.abc import Hashable
from datetime import timedelta
from operator import attrgetter
from typing import Any

from detector.core.data import JsonObject
from detector.core.text import amount
from detector.signals.conditions import noun
from detector.signals.operator import events_words, key_words
from detector.signals.pattern import Pattern
from detector.signals.trailing import Trailing
from detector.state.windows import DistinctWindow


class DistinctBurst(Trailing):
    """Fires at every event in whose window the key shows `threshold` or more different values."""

    name = "distinct_burst"
    parameters = frozenset({"value"})

    @classmethod
    def sentence(cls, pattern: Pattern) -> str:
        """`alerts with 2 or more different alert types of one customer within 5 minutes`."""
        return (
            f"{events_words(pattern)} with {amount(pattern.threshold)} or more different "
            f"{noun(pattern.value or '')}s of one {key_words(pattern)} within {pattern.window_text}"
        )

    def __init__(self, pattern: Pattern, lateness: timedelta) -> None:
        super().__init__(pattern, lateness)
        self._value_of = attrgetter(pattern.value or "")

    def new_window(self) -> DistinctWindow:
        """A window that also counts the values."""
        return DistinctWindow(self._span, self.lateness)

    def item_of(self, event: Any) -> Any:
        """The value with its event; an event without a value is ignored."""
        value = self._value_of(event)
        return None if value is None else (value, event)

    def event_of(self, item: Any) -> Any:
        """The event beside the value."""
        return item[1]

    def observed_in(self, window: DistinctWindow, index: int) -> float:
        """The number of different values."""
        return len(window.values(index))

    def observed_last(self, window: DistinctWindow) -> float:
        """The number of different values."""
        return len(window.counts)

    def facts_in(self, window: DistinctWindow, index: int) -> JsonObject:
        """The different values."""
        return {"values": sorted(map(str, window.values(index)))}

    def observe(self, key: Hashable, event: Any) -> float | None:
        window = self._state.get(key)
        return len(window.values_at(event.occurred_at)) if window is not None else None
