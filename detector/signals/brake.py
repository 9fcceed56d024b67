"""Notices a pattern that suddenly fires on a large share of the customers."""

from datetime import datetime, timedelta
from itertools import takewhile
from typing import NamedTuple

from detector.signals.rules import Rules
from detector.signals.signal import Signal

_BETWEEN_CHECKS = timedelta(seconds=1)


class Braked(NamedTuple):
    """A pattern that was put in shadow: on how many of the active customers it had fired."""

    pattern: str
    at: datetime
    fired: int
    active: int


class Brake:
    """Compares, per pattern, the customers it fired on with those who were active.

    Both within trailing windows of event time, a long one and a short one with a higher share. A
    rule that is wrong fires on nearly everyone, which neither analysts nor scores can bear; a wave
    of fraud does not.
    """

    def __init__(self, rules: Rules) -> None:
        rule = rules.brake
        self._at_least = rule.at_least
        self._limits = (
            (rule.surge_share, timedelta(seconds=rule.surge_seconds)),
            (rule.share, timedelta(seconds=rule.window_seconds)),
        )
        self._longest = max(window for _, window in self._limits)
        self._checked: datetime | None = None
        # When each customer was last seen, the latest last.
        self._active: dict[str, datetime] = {}
        self._fired: dict[str, dict[str, datetime]] = {name: {} for name in rules.patterns}

    def saw(self, customer: str, at: datetime) -> None:
        """Count a customer with an event; in order of time, or it counts as of the one before."""
        _see(self._active, customer, at)

    def fired(self, signal: Signal, at: datetime) -> None:
        """Count a new signal, in the same way."""
        _see(self._fired[signal.pattern], signal.customer_id, at)

    def check(self, now: datetime) -> list[Braked]:
        """The patterns that have to be put in shadow; call once per batch.

        Counts once per second of event time: a batch may be a single transaction to decide on.
        """
        if self._checked is not None and now - self._checked < _BETWEEN_CHECKS:
            return []
        self._checked = now
        _drop_before(self._active, now - self._longest)
        found = []
        for pattern, customers in self._fired.items():
            _drop_before(customers, now - self._longest)
            for share, window in self._limits:
                count = _since(customers, now - window)
                if count < self._at_least:
                    continue
                active = _since(self._active, now - window)
                if count > share * active:
                    found.append(Braked(pattern, now, count, active))
                    customers.clear()
                    break
        return found


def _see(seen: dict[str, datetime], customer: str, at: datetime) -> None:
    latest = seen[next(reversed(seen))] if seen else at
    seen.pop(customer, None)
    seen[customer] = max(at, latest)


def _since(seen: dict[str, datetime], edge: datetime) -> int:
    return sum(1 for _ in takewhile(edge.__le__, reversed(seen.values())))


def _drop_before(seen: dict[str, datetime], edge: datetime) -> None:
    for name in [*takewhile(lambda name: seen[name] < edge, seen)]:
        del seen[name]
