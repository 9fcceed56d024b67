"""The signals of a customer between two closings, and the case that they make."""

from bisect import bisect_left
from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from detector.cases.case import Case
from detector.cases.evidence import Added, Evidence
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
        "_undo",
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
        # For each recent signal the evidence before it, and what it changed in the one after it.
        self._undo: list[tuple[Evidence, Added]] = []

    def add(self, signal: Signal) -> Evidence:
        """Add a signal, or replace the one with its id; return what all of them amount to."""
        if not self._recent or order_of(signal) > order_of(self._recent[-1]):
            self._fold([signal])
            return self._current
        later = self._unfold(signal)
        if later and later[0].signal_id == signal.signal_id:
            later[0] = signal
        else:
            later.insert(0, signal)
        self._fold(later)
        return self._current

    def withdraw(self, signal: Signal) -> Evidence:
        """Remove a signal; return what the others amount to."""
        later = self._unfold(signal)
        self._fold([s for s in later if s.signal_id != signal.signal_id])
        return self._current

    def settle(self, moment: datetime, reach: timedelta) -> bool:
        """Fold the signals before `moment` for good, as none of them can change any more.

        Says whether there were any.
        """
        done = bisect_left(self._recent, (moment, ""), key=order_of)
        if done:
            settled = self._settled.copy()
            for signal in self._recent[:done]:
                settled = self._following(settled, signal)
                settled.add(signal, self._rules, self._weights)
            del self._recent[:done], self._undo[:done]
            self._settled = settled
            if not self._recent:
                self._current = settled
            self.settled_until = moment
        self._settled.forget_exposed(moment - reach)
        if self._current is not self._settled:
            self._current.forget_exposed(moment - reach)
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

    def _fold(self, signals: Sequence[Signal]) -> None:
        """Fold signals later than all others, remembering how to take each back."""
        if signals and self._current is self._settled:
            self._current = self._settled.copy()
        for signal in signals:
            before = self._current
            self._current = self._following(before, signal)
            added = self._current.add(signal, self._rules, self._weights)
            self._recent.append(signal)
            self._undo.append((before, added))

    def _unfold(self, signal: Signal) -> list[Signal]:
        """Take back this signal and the later ones, in reverse; return them in order.

        Mostly these are few, however many signals there are.
        """
        place = bisect_left(self._recent, order_of(signal), key=order_of)
        later = self._recent[place:]
        for _ in later:
            before, added = self._undo.pop()
            self._current.take_back(added)
            self._current = before
        del self._recent[place:]
        return later

    def _following(self, evidence: Evidence, signal: Signal) -> Evidence:
        """The evidence that a signal adds to: after a gap, new one."""
        return (
            evidence if evidence.follows(signal.occurred_at, self._rules.cases.gap) else Evidence()
        )
