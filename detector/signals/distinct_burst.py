"""distinct_burst: at least `threshold` different values for a key within the window."""

from collections.abc import Hashable, Iterable
from datetime import datetime
from operator import attrgetter
from typing import Any

from detector.signals.operator import Operator
from detector.signals.signal import Finding
from detector.state.windows import DistinctWindow


class DistinctBurst(Operator):
    """Fires at every event in whose window the key shows `threshold` or more different values."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._value_of = attrgetter(self.pattern.value or "")

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
