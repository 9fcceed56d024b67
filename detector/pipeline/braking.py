"""Puts patterns in shadow that suddenly fire on a large share of the customers."""

from collections.abc import Iterable
from datetime import datetime
from operator import attrgetter, itemgetter

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
        """Count the events and new signals of a batch, and brake what has to be.

        A batch of a backlog spans hours, so each counts at its own time; none later than `at`, how
        far time has come.
        """
        if self._brake is None or at is None:
            return
        seen = {customer_of(event): event.occurred_at for event in events}
        for customer, moment in sorted(seen.items(), key=itemgetter(1)):
            self._brake.saw(customer, min(moment, at))
        for signal in sorted(work.new_signals, key=attrgetter("occurred_at")):
            self._brake.fired(signal, min(signal.occurred_at, at))
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
