"""The risk score of an account at a moment, and its history."""

from collections.abc import Iterable, Iterator
from datetime import datetime

import msgspec

from detector.signals.rules import Rules
from detector.signals.signal import Signal
from detector.state.sweeping import swept
from detector.state.windows import DistinctWindow, distinct_times


class RiskPoint(msgspec.Struct, frozen=True, kw_only=True):
    """An account's score at the time of one of its signals.

    `risk_score` is min(1, Σ weight of the patterns with a signal in (t - window, t]).
    """

    account_id: str
    occurred_at: datetime
    risk_score: float
    risk_level: str
    patterns: list[str]


class RiskBook:
    """Keeps every account's risk history; a function of the set of its signals."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._weights = {p.id: p.weight for p in rules.patterns.values()}
        self._windows: dict[str, DistinctWindow] = {}

    def add(self, account_id: str, signal: Signal) -> Iterator[RiskPoint]:
        """Add a signal that is new for the account; yield the points that change."""
        window = self._windows.get(account_id)
        if window is None:
            window = DistinctWindow(self._rules.risk.window, self._rules.lateness, open_start=True)
            self._windows[account_id] = window
        window.push(signal.occurred_at, (signal.pattern, signal.signal_id))
        yield from self._points(account_id, window, signal.occurred_at)

    def withdraw(self, account_id: str, signal: Signal) -> Iterator[RiskPoint | datetime]:
        """Remove a signal; yield the points that change, or the time of a point that disappears."""
        window = self._windows[account_id]
        at = signal.occurred_at
        window.remove(at, (signal.pattern, signal.signal_id))
        if at not in window.times:
            yield at
        yield from self._points(account_id, window, at)

    def score(self, account_id: str, at: datetime) -> RiskPoint | None:
        """An account's score at a time; None without a signal in its window."""
        window = self._windows.get(account_id)
        patterns = window.values_at(at) if window is not None else None
        return self._point(account_id, at, patterns) if patterns else None

    def forget(self, moment: datetime) -> Iterator[None]:
        """Drop the signals that no longer count from `moment` on, some accounts at each step."""
        edge = moment - self._rules.risk.window
        return swept(self._windows, lambda window: window.forget(edge))

    def _points(self, account_id: str, window: DistinctWindow, at: datetime) -> Iterator[RiskPoint]:
        for moment, index in distinct_times(window, window.affected_by(at)):
            yield self._point(account_id, moment, window.values(index))

    def _point(self, account_id: str, at: datetime, patterns: Iterable[object]) -> RiskPoint:
        found = {str(pattern) for pattern in patterns}
        score = total_weight(self._weights, found)
        return RiskPoint(
            account_id=account_id,
            occurred_at=at,
            risk_score=score,
            risk_level=self._rules.risk.level(score),
            patterns=sorted(found),
        )


def total_weight(weights: dict[str, float], patterns: Iterable[str]) -> float:
    """min(1, Σ weights), rounded so that 0.45 + 0.35 reaches 0.80 exactly."""
    return min(1.0, round(sum(weights[pattern] for pattern in patterns), 6))
