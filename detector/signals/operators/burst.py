"""burst: at least `threshold` events of a key within the window."""

from collections.abc import Hashable, Iterable
from datetime import datetime
from typing import Any

from detector.core.text import amount
from detector.signals.operator import Operator, events_words, key_words
from detector.signals.pattern import Pattern
from detector.signals.signal import Finding
from detector.state.windows import TrailingWindow


class Burst(Operator):
    """Fires at every event that is at least the `threshold`-th of its key in its own window."""

    name = "burst"

    @classmethod
    def sentence(cls, pattern: Pattern) -> str:
        """`5 or more transactions of one account within 1 minute`."""
        return (
            f"{amount(pattern.threshold)} or more {events_words(pattern)} of one "
            f"{key_words(pattern)} within {pattern.window_text}"
        )

    def update(self, key: Hashable, event: Any) -> Iterable[Finding]:
        window = self._state.get(key)
        if window is None:
            window = self._state[key] = TrailingWindow(self._span, self.lateness)
        at = event.occurred_at
        first = window.push(at, event)
        if first == len(window.times) - 1:
            count = len(window.times) - window.start
            return (Finding(event, count, {}),) if count >= self._threshold else ()
        return self._reassess(window, at)

    def observe(self, key: Hashable, event: Any) -> float | None:
        window = self._state.get(key)
        return window.count_at(event.occurred_at) if window is not None else None

    def _reassess(self, window: TrailingWindow, at: datetime) -> list[Finding]:
        findings = []
        for index in window.affected_by(at):
            start, end = window.bounds(index)
            if end - start >= self._threshold:
                findings.append(Finding(window.items[index], end - start, {}))
        return findings

    def _done(self, state: TrailingWindow, moment: datetime) -> bool:
        return state.ended_before(moment)
