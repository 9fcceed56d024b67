"""Notices a pattern that suddenly fires on a large share of the customers."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from detector.signals.rules import Rules
from detector.signals.signal import Signal


class Braked(NamedTuple):
    """A pattern that was put in shadow: on how many of the active customers it had fired."""

    pattern: str
    at: datetime
    fired: int
    active: int


class Brake:
    """Compares, per pattern, the customers it fired on with those who were active.

    Both within the trailing window of event time. A rule that is wrong fires on nearly everyone,
    which neither analysts nor scores can bear; a wave of fraud does not.
    """

    def __init__(self, rules: Rules) -> None:
        self._share, self._at_least = rules.brake.share, rules.brake.at_least
        self._window = timedelta(seconds=rules.brake.window_seconds)
        self._active: dict[str, datetime] = {}
        self._fired: dict[str, dict[str, datetime]] = {name: {} for name in rules.patterns}

    def saw(self, customers: Iterable[str], at: datetime) -> None:
        """Count customers with events around this time."""
        self._active.update(dict.fromkeys(customers, at))

    def fired(self, signal: Signal) -> None:
        """Count a new signal."""
        self._fired[signal.pattern][signal.customer_id] = signal.occurred_at

    def check(self, now: datetime) -> list[Braked]:
        """The patterns that have to be put in shadow; call once per batch."""
        edge = now - self._window
        _drop_before(self._active, edge)
        found = []
        for pattern, customers in self._fired.items():
            if len(customers) < self._at_least:
                continue
            _drop_before(customers, edge)
            count, active = len(customers), len(self._active)
            if count >= self._at_least and count > self._share * active:
                found.append(Braked(pattern, now, count, active))
                customers.clear()
        return found


def _drop_before(seen: dict[str, datetime], edge: datetime) -> None:
    for name in [name for name, at in seen.items() if at < edge]:
        del seen[name]
