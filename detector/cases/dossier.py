"""The signals of a customer between two closings, and the case that they make."""

from bisect import bisect_left, insort
from datetime import datetime, timedelta

import msgspec

from detector.cases.case import Case
from detector.cases.evidence import Evidence
from detector.signals.rules import Rules
from detector.signals.signal import Signal

_Order = tuple[datetime, str]


def order_of(signal: Signal) -> _Order:
    """Signals are folded by time, then by id, so that ties have one order everywhere."""
    return signal.occurred_at, signal.signal_id


class Settled(msgspec.Struct):
    """What the store keeps of a dossier: what the signals before a moment amount to."""

    number: int
    until: datetime
    evidence: Evidence
    case: Case | None


class Dossier:
    """Folds signals in order of time, whatever their order of arrival.

    Signals that late events may still change or precede are kept; older ones are folded for good.
    `until` is the closing: the last moment that the case covers.
    """

    __slots__ = (
        "_current",
        "_recent",
        "_rules",
        "_settled",
        "_weights",
        "case",
        "number",
        "settled_until",
        "until",
    )

    def __init__(
        self, number: int, until: datetime | None, rules: Rules, weights: dict[str, float]
    ) -> None:
        self.number = number
        self.until = until
        self.case: Case | None = None
        """The case as last published."""
        self.settled_until: datetime | None = None
        self._rules = rules
        self._weights = weights
        self._settled = self._current = Evidence()
        self._recent: list[Signal] = []

    def add(self, signal: Signal) -> Evidence:
        """Add a signal, or replace the one with its id; return what all of them amount to."""
        if not self._recent or order_of(signal) > order_of(self._recent[-1]):
            if self._current is self._settled:
                self._current = self._settled.copy()
            self._recent.append(signal)
            self._current = self._folded(self._current, signal)
            return self._current
        place = bisect_left(self._recent, order_of(signal), key=order_of)
        if place < len(self._recent) and self._recent[place].signal_id == signal.signal_id:
            self._recent[place] = signal
        else:
            insort(self._recent, signal, key=order_of)
        return self._refolded()

    def withdraw(self, signal: Signal) -> Evidence:
        """Remove a signal; return what the others amount to."""
        self._recent = [s for s in self._recent if s.signal_id != signal.signal_id]
        return self._refolded()

    def settle(self, moment: datetime, reach: timedelta) -> bool:
        """Fold the signals before `moment` for good, as none of them can change any more.

        Says whether there were any.
        """
        done = bisect_left(self._recent, (moment, ""), key=order_of)
        if done:
            settled = self._settled.copy()
            for signal in self._recent[:done]:
                settled = self._folded(settled, signal)
            del self._recent[:done]
            self._settled = settled
            if not self._recent:
                self._current = settled
            self.settled_until = moment
        self._settled.forget_exposed(moment - reach)
        return done > 0

    @property
    def is_settled(self) -> bool:
        """Whether all of its signals are folded."""
        return not self._recent

    def saved(self) -> Settled | None:
        """What is folded; None for nothing."""
        if self.settled_until is None:
            return None
        return Settled(self.number, self.settled_until, self._settled, self.case)

    def load(self, saved: Settled) -> None:
        """Take up what was folded."""
        self._settled = self._current = saved.evidence
        self.settled_until, self.case = saved.until, saved.case

    def ended_before(self, moment: datetime, gap: timedelta) -> bool:
        """Whether no signal from `moment` on can add to it."""
        if self._recent:
            return False
        if self.until is not None:
            return self.until < moment
        return not self._settled.follows(moment, gap) or not self._settled.signal_count

    def _folded(self, evidence: Evidence, signal: Signal) -> Evidence:
        if not evidence.follows(signal.occurred_at, self._rules.cases.gap):
            evidence = Evidence()
        evidence.add(signal, self._rules, self._weights)
        return evidence

    def _refolded(self) -> Evidence:
        evidence = self._settled.copy()
        for signal in self._recent:
            evidence = self._folded(evidence, signal)
        self._current = evidence
        return evidence
