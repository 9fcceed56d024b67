"""distinct_burst: at least `threshold` different values for a key within the window."""

from collections.abc import Hashable, Iterable
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any

from detector.core.text import amount
from detector.signals.conditions import noun
from detector.signals.operator import Operator, events_words, key_words
from detector.signals.pattern import Pattern
from detector.signals.signal import Finding
from detector.state.windows import DistinctWindow


class DistinctBurst(Operator):
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

    def update(self, key: Hashable, event: Any) -> Iterable[Finding]:
        value = self._value_of(event)
        if value is None:
            return ()
        window = self._state.get(key)
        if window is None:
            window = self._state[key] = DistinctWindow(self._span, self.lateness)
        first = window.push(event.occurred_at, (value, event))
        if first == len(window.times) - 1:
            if len(window.counts) < self._threshold:
                return ()
            return (self._finding(event, window.counts),)
        return self._reassess(window, event.occurred_at)

    def observe(self, key: Hashable, event: Any) -> float | None:
        window = self._state.get(key)
        return len(window.values_at(event.occurred_at)) if window is not None else None

    def _reassess(self, window: DistinctWindow, at: datetime) -> list[Finding]:
        findings = []
        for index in window.affected_by(at):
            values = window.values(index)
            if len(values) >= self._threshold:
                findings.append(self._finding(window.items[index][1], values))
        return findings

    def _finding(self, event: Any, values: Iterable[Any]) -> Finding:
        different = sorted(map(str, values))
        return Finding(event, len(different), {"values": different})

    def _done(self, state: DistinctWindow, moment: datetime) -> bool:
        return state.ended_before(moment)
