"""Groups each account's signals into sessions and opens cases from them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import md5

from detector.cases.case import Case
from detector.cases.session import Session
from detector.risk.score import total_weight
from detector.signals.rules import Rules
from detector.signals.signal import Signal

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class CaseBook:
    """Keeps the cases of every account up to date.

    What a case says is a function of the set of its signals; only its id is fixed by the moment
    at which it opened.
    """

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._weights = {p.id: p.weight for p in rules.patterns.values()}
        by_weight = sorted(rules.patterns.values(), key=lambda p: -p.weight)
        self._actions = {p.id: p.action for p in by_weight}
        self._sessions: dict[str, list[Session]] = {}

    def add(self, account_id: str, signal: Signal) -> Iterator[Case]:
        """Count a signal that is new for the account; yield the cases that it changes."""
        sessions = self._sessions.setdefault(account_id, [])
        touched = [s for s in sessions if s.reaches(signal.occurred_at, self._rules.cases.gap)]
        if not touched:
            touched = [Session(account_id)]
            sessions.append(touched[0])
        session, *others = touched
        session.add(signal)
        for other in others:
            yield from self._merge(session, other)
            sessions.remove(other)
        sessions.sort(key=lambda s: s.first_at)
        yield from self._changed(session)

    def withdraw(self, account_id: str, signal: Signal) -> Iterator[Case]:
        """Take a signal back; yield the cases that it changes."""
        sessions = self._sessions.get(account_id, [])
        session = next((s for s in sessions if signal.signal_id in s.signals), None)
        if session is None:
            return
        sessions.remove(session)
        parts = session.without(signal, self._rules.cases.gap)
        if session.case_id:
            heir = next((p for p in parts if self._score(p) >= self._rules.case_score), None)
            if heir is None:
                heir = parts[0]
            heir.case_id = session.case_id
        for part in parts:
            yield from self._changed(part)
        sessions.extend(part for part in parts if part.signals)

    def resume(self, session: Session) -> None:
        """Take up a session where an earlier run left it."""
        self._sessions.setdefault(session.account_id, []).append(session)

    def forget(self, moment: datetime) -> None:
        """Drop the sessions that no signal from `moment` on can join; their cases stay."""
        edge = moment - self._rules.cases.gap
        for account_id, sessions in list(self._sessions.items()):
            kept = [s for s in sessions if s.last_at >= edge]
            if kept:
                self._sessions[account_id] = kept
            else:
                del self._sessions[account_id]

    def _merge(self, session: Session, other: Session) -> Iterator[Case]:
        kept = session.case_id or other.case_id
        if session.case_id and other.case_id:
            yield self._case(other, merged_into=session.case_id)
        for signal in other.signals.values():
            session.add(signal)
        session.case_id = kept

    def _changed(self, session: Session) -> Iterator[Case]:
        if session.case_id is None:
            if self._score(session) < self._rules.case_score:
                return
            session.case_id = case_id(session)
        yield self._case(session)

    def _score(self, session: Session) -> float:
        return total_weight(self._weights, session.pattern_first_at)

    def _opened_at(self, session: Session) -> datetime | None:
        """The first moment at which the patterns seen so far weighed enough."""
        seen: list[str] = []
        for pattern in session.patterns():
            seen.append(pattern)
            if total_weight(self._weights, seen) >= self._rules.case_score:
                return session.pattern_first_at[pattern]
        return None

    def _case(self, session: Session, merged_into: str | None = None) -> Case:
        score = self._score(session)
        level = self._rules.risk.level(score)
        opened_at = self._opened_at(session)
        present = session.pattern_first_at
        actions = list(
            dict.fromkeys(action for name, action in self._actions.items() if name in present)
        )
        due = self._rules.cases.due_after(level)
        return Case(
            case_id=session.case_id or "",
            account_id=session.account_id,
            customer_id=session.customer_id,
            level=level,
            score=score,
            patterns=session.patterns(),
            signal_count=len(session.signals),
            exposure=f"{session.exposure_cents // 100}.{session.exposure_cents % 100:02d}",
            first_signal_at=session.first_at,
            last_signal_at=session.last_at,
            opened_at=opened_at,
            due_at=opened_at + due if opened_at and due else None,
            recommended_action=actions[0] if actions else "MONITOR",
            actions=actions,
            withdrawn=score < self._rules.case_score,
            merged_into=merged_into,
        )


def case_id(session: Session) -> str:
    """A short id that the same session opened by the same signals gets on every replay.

    The dbt models make the same id; MD5 is what every SQL engine has, and nothing is secret here.
    """
    seed = f"{session.account_id}|{(session.first_at - EPOCH) // timedelta(microseconds=1)}"
    return "case_" + md5(seed.encode(), usedforsecurity=False).hexdigest()[:12]
