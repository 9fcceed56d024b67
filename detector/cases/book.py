"""Groups each account's signals into session windows and opens cases from them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import md5

from detector.cases.case import Case
from detector.cases.session_window import SessionWindow
from detector.risk.score import total_weight
from detector.signals.rules import Rules
from detector.signals.signal import Signal

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class CaseBook:
    """Maintains the cases of every account.

    A case is a function of the set of its signals, except for its id, which is fixed when it opens.
    """

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._weights = {p.id: p.weight for p in rules.patterns.values()}
        by_weight = sorted(rules.patterns.values(), key=lambda p: -p.weight)
        self._actions = {p.id: p.action for p in by_weight}
        self._windows: dict[str, list[SessionWindow]] = {}

    def add(self, account_id: str, signal: Signal) -> Iterator[Case]:
        """Add a signal that is new for the account; yield the cases that change."""
        windows = self._windows.setdefault(account_id, [])
        touched = [s for s in windows if s.reaches(signal.occurred_at, self._rules.cases.gap)]
        if not touched:
            touched = [SessionWindow(account_id)]
            windows.append(touched[0])
        window, *others = touched
        window.add(signal)
        for other in others:
            yield from self._merge(window, other)
            windows.remove(other)
        windows.sort(key=lambda s: s.first_at)
        yield from self._changed(window)

    def withdraw(self, account_id: str, signal: Signal) -> Iterator[Case]:
        """Remove a signal; yield the cases that change."""
        windows = self._windows.get(account_id, [])
        window = next((s for s in windows if signal.signal_id in s.signals), None)
        if window is None:
            return
        windows.remove(window)
        parts = window.without(signal, self._rules.cases.gap)
        if window.case_id:
            heir = next((p for p in parts if self._score(p) >= self._rules.case_score), None)
            if heir is None:
                heir = parts[0]
            heir.case_id = window.case_id
        for part in parts:
            yield from self._changed(part)
        windows.extend(part for part in parts if part.signals)

    def resume(self, window: SessionWindow) -> None:
        """Restore a window of an earlier run."""
        self._windows.setdefault(window.account_id, []).append(window)

    def forget(self, moment: datetime) -> None:
        """Drop the windows that no signal from `moment` on can join; their cases remain."""
        edge = moment - self._rules.cases.gap
        for account_id, windows in list(self._windows.items()):
            kept = [s for s in windows if s.last_at >= edge]
            if kept:
                self._windows[account_id] = kept
            else:
                del self._windows[account_id]

    def _merge(self, window: SessionWindow, other: SessionWindow) -> Iterator[Case]:
        kept = window.case_id or other.case_id
        if window.case_id and other.case_id:
            yield self._case(other, merged_into=window.case_id)
        for signal in other.signals.values():
            window.add(signal)
        window.case_id = kept

    def _changed(self, window: SessionWindow) -> Iterator[Case]:
        if window.case_id is None:
            if self._score(window) < self._rules.case_score:
                return
            window.case_id = case_id(window)
        yield self._case(window)

    def _score(self, window: SessionWindow) -> float:
        return total_weight(self._weights, window.pattern_first_at)

    def _opened_at(self, window: SessionWindow) -> datetime | None:
        """The time at which the patterns so far first reached the opening score."""
        seen: list[str] = []
        for pattern in window.patterns():
            seen.append(pattern)
            if total_weight(self._weights, seen) >= self._rules.case_score:
                return window.pattern_first_at[pattern]
        return None

    def _case(self, window: SessionWindow, merged_into: str | None = None) -> Case:
        score = self._score(window)
        level = self._rules.risk.level(score)
        opened_at = self._opened_at(window)
        present = window.pattern_first_at
        actions = list(
            dict.fromkeys(action for name, action in self._actions.items() if name in present)
        )
        due = self._rules.cases.due_after(level)
        return Case(
            case_id=window.case_id or "",
            account_id=window.account_id,
            customer_id=window.customer_id,
            level=level,
            score=score,
            patterns=window.patterns(),
            signal_count=len(window.signals),
            exposure=f"{window.exposure_cents // 100}.{window.exposure_cents % 100:02d}",
            first_signal_at=window.first_at,
            last_signal_at=window.last_at,
            opened_at=opened_at,
            due_at=opened_at + due if opened_at and due else None,
            recommended_action=actions[0] if actions else "MONITOR",
            actions=actions,
            withdrawn=score < self._rules.case_score,
            merged_into=merged_into,
        )


def case_id(window: SessionWindow) -> str:
    """A short id that the same first signal yields on every replay.

    The dbt models compute the same id. MD5 because every SQL engine has it; it protects nothing.
    """
    seed = f"{window.account_id}|{(window.first_at - EPOCH) // timedelta(microseconds=1)}"
    return "case_" + md5(seed.encode(), usedforsecurity=False).hexdigest()[:12]
