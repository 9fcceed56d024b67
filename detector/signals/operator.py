"""What every operator is: state fed with events that answers with findings."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterable
from datetime import datetime, timedelta
from typing import Any

from detector.core.rules import Pattern
from detector.signals.select import Key, key_where
from detector.signals.signal import Finding

Handler = tuple[Callable[[Any], Key], Callable[[Hashable, Any], Iterable[Finding]]]


class Operator(ABC):
    """One pattern's operator over one or more streams.

    Its findings are a function of the set of events fed so far: an event that arrives late, or
    tied with another, also brings findings about the events whose answer it changes. `handlers`
    names the streams that it reads: which key an event has, None to pass it over, and what takes it
    in.
    """

    def __init__(self, pattern: Pattern, lateness: timedelta) -> None:
        self.pattern = pattern
        self.lateness = lateness
        self.handlers: dict[str, Handler] = {pattern.source: (key_where(pattern), self.update)}
        self._span = pattern.window
        self._threshold = pattern.threshold
        self._state: dict[Hashable, Any] = {}

    @abstractmethod
    def update(self, key: Hashable, event: Any) -> Iterable[Finding]:
        """Take in an event of a key and answer for every event whose answer it may change."""

    @abstractmethod
    def observe(self, key: Hashable, event: Any) -> float | None:
        """What is observed at an event that was taken in, fired or not.

        None where nothing can be said: no state of the key, or nothing to compare with.
        """

    def forget(self, moment: datetime) -> None:
        """Drop the state that no event from `moment` on can need."""
        for key in [key for key, state in self._state.items() if self._done(state, moment)]:
            del self._state[key]

    @abstractmethod
    def _done(self, state: Any, moment: datetime) -> bool: ...
