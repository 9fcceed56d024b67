"""Puts patterns in shadow that suddenly fire on a large share of the customers."""

from collections.abc import Iterable
from datetime import datetime

from detector.core.events import Event, customer_of
from detector.pipeline.work import Work
from detector.signals.brake import Brake, Braked
from detector.signals.engine import SignalEngine


class Braking:
    """Watches the signals of each batch; without a brake it only remembers what was braked."""

    def __init__(self, engine: SignalEngine, brake: Brake | None) -> None:
        self._engine = engine
        self._brake = brake
        self.braked: dict[str, Braked] = {}
        """The patterns in shadow because they fired on too many customers."""

    def check(self, events: Iterable[Event], at: datetime | None, work: Work) -> None:
        """Count the events and new signals of a batch around a time, and brake what has to be."""
        if self._brake is None or at is None:
            return
        self._brake.saw({customer_of(event) for event in events}, at)
        for signal in work.new_signals:
            self._brake.fired(signal, at)
        for braked in self._brake.check(at):
            work.braked.append(braked)
            self.put_in_shadow(braked)

    def put_in_shadow(self, braked: Braked) -> None:
        """Take the effect from a pattern's coming signals."""
        self.braked[braked.pattern] = braked
        self._engine.shadow(braked.pattern)

    def release(self, pattern: str) -> None:
        """Give a braked pattern effect again, from the next event on."""
        if self.braked.pop(pattern, None) is not None:
            self._engine.release(pattern)
