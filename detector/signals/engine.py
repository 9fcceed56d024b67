"""The signal engine: every pattern's operator, fed event by event."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, Literal, NamedTuple

from detector.core.events import STREAMS, Event
from detector.signals.operator import Operator
from detector.signals.operators import OPERATORS
from detector.signals.pattern import Pattern
from detector.signals.remembering import Remembering
from detector.signals.rules import Rules
from detector.signals.select import Key, Route, fused, key_where
from detector.signals.signal import Finding, Signal, signal_id, to_signal
from detector.state.sweeping import swept

Watch = tuple[Pattern, Callable[[Any], Key], Operator]


class Reading(NamedTuple):
    """What a pattern observed at an event, and the signal if that made it fire."""

    pattern: Pattern
    observed: float | None
    signal: Signal | None


class SignalChange(NamedTuple):
    """A signal is new, has updated evidence, or is withdrawn because late events disprove it."""

    kind: Literal["new", "updated", "withdrawn"]
    signal: Signal
    shadow: bool = False


class SignalEngine:
    """Turns events into changes of the set of signals.

    After any sequence of events the changes add up to a set that depends only on which events
    were fed, not on their order, as long as none was more than the lateness behind.
    """

    def __init__(self, rules: Rules) -> None:
        self._operators: list[Operator] = [
            OPERATORS[p.operator](p, rules.lateness) for p in rules.running.values()
        ]
        self._challengers = set(rules.challengers)
        self._route()
        # Signals that a late event may still change.
        self._open: dict[str, Signal] = {}
        self._shadow = {p.id for p in rules.running.values() if p.mode == "shadow"}
        # A signal keeps the mode in which it fired first.
        self._in_shadow: set[str] = set()

    def update(self, event: Event) -> list[SignalChange]:
        """Process one event and return the changes."""
        changes: list[SignalChange] = []
        for pattern, findings in self._findings[type(event)](event):
            for finding in findings:
                self._note(pattern, finding, changes)
        return changes

    def readings(self, event: Event) -> list[Reading]:
        """What each pattern observes at an event that was just evaluated, fired or not.

        Leaves out challengers, and patterns whose `where` the event does not meet.
        """
        readings = []
        for pattern, key_of, operator in self._watches[type(event)]:
            key = key_of(event)
            observed = operator.observe(key, event) if key is not None else None
            name = signal_id(pattern, event)
            signal = self._open.get(name) if name not in self._in_shadow else None
            if observed is not None or signal is not None:
                readings.append(Reading(pattern, observed, signal))
        return readings

    def _note(self, pattern: Pattern, finding: Finding, changes: list[SignalChange]) -> None:
        name = signal_id(pattern, finding.event)
        known = self._open.get(name)
        if finding.observed is not None:
            signal = self._open[name] = to_signal(pattern, finding)
            if known is None:
                if pattern.id in self._shadow:
                    self._in_shadow.add(name)
                changes.append(SignalChange("new", signal, name in self._in_shadow))
            elif known != signal:
                changes.append(SignalChange("updated", signal, name in self._in_shadow))
        elif known is not None:
            del self._open[name]
            changes.append(SignalChange("withdrawn", known, name in self._in_shadow))
            self._in_shadow.discard(name)

    def replace(self, pattern: Pattern) -> Operator:
        """Go on with another version of a pattern, from the next event on; return its operator.

        Only for a version that needs the same state (`pattern.same_state`). An event before keeps
        its answer unless a late one changes it.
        """
        place = next(n for n, o in enumerate(self._operators) if o.pattern.id == pattern.id)
        before = self._operators[place]
        operator = self._operators[place] = type(before)(pattern, before.lateness)
        operator.take_over(before)
        self._route()
        self._open = {
            name: signal
            for name, signal in self._open.items()
            if signal.pattern != pattern.id or signal.observed >= pattern.threshold
        }
        if pattern.mode == "shadow":
            self.shadow(pattern.id)
        elif before.pattern.mode == "shadow":
            self.release(pattern.id)
        return operator

    def drop(self, challenger: str) -> None:
        """Evaluate a challenger no longer; the signals that it has stay."""
        self._operators = [o for o in self._operators if o.pattern.id != challenger]
        self._open = {name: s for name, s in self._open.items() if s.pattern != challenger}
        self._route()

    def _route(self) -> None:
        """Say which operators see an event of each type."""
        routes: dict[type[Event], list[Route]] = {kind: [] for kind in STREAMS.values()}
        self._watches: dict[type[Event], list[Watch]] = {kind: [] for kind in STREAMS.values()}
        for operator in self._operators:
            pattern = operator.pattern
            if pattern.id not in self._challengers:
                watch = (pattern, key_where(pattern), operator)
                self._watches[STREAMS[pattern.source]].append(watch)
            for stream, handler in operator.handlers.items():
                routes[STREAMS[stream]].append((pattern, *handler))
        self._findings = {kind: fused(found) for kind, found in routes.items()}

    def shadow(self, pattern: str) -> None:
        """Put a pattern's coming signals in shadow."""
        self._shadow.add(pattern)

    def release(self, pattern: str) -> None:
        """Give a pattern's coming signals effect again."""
        self._shadow.discard(pattern)

    def resume(self, in_shadow: set[str]) -> None:
        """Take up which of the open signals are in shadow."""
        self._in_shadow = {
            name
            for name, signal in self._open.items()
            if name in in_shadow or signal.pattern in self._challengers
        }

    def remembering(self) -> list[Remembering]:
        """The operators that know something of keys for ever."""
        return [o for o in self._operators if isinstance(o, Remembering)]

    def forget(self, moment: datetime) -> Iterator[None]:
        """Drop what no event from `moment` on can need, some at each step; from time to time."""
        for operator in list(self._operators):
            yield from operator.forget(moment)
        yield from swept(self._open, lambda signal: signal.occurred_at < moment)
        self._in_shadow &= self._open.keys()
