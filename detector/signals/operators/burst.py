"""burst: at least `threshold` events of a key within the window."""

from collections.abc import Hashable
from typing import Any

from detector.core.text import amount
from detector.signals.operator import events_words, key_words
from detector.signals.pattern import Pattern
from detector.signals.trailing import Trailing
from detector.state.windows import TrailingWindow


class Burst(Trailing):
    """Fires at every event that is at least the `threshold`-th of its key in its own window."""

    name = "burst"

    @classmethod
    def sentence(cls, pattern: Pattern) -> str:
        """`5 or more transactions of one account within 1 minute`."""
        return (
            f"{amount(pattern.threshold)} or more {events_words(pattern)} of one "
            f"{key_words(pattern)} within {pattern.window_text}"
        )

    def observed_in(self, window: TrailingWindow, index: int) -> float:
        """The number of events."""
        start, end = window.bounds(index)
        return end - start

    def observed_last(self, window: TrailingWindow) -> float:
        """The number of events; with those that may have left where even that is too few."""
        most = len(window.times) - window.start_from
        return most if most < self._threshold else len(window.times) - window.newest_start()

    def observe(self, key: Hashable, event: Any) -> float | None:
        window = self._state.get(key)
        return window.count_at(event.occurred_at) if window is not None else None
