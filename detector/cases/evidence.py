"""What a customer's signals amount to, folded in order of time."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import msgspec

from detector.risk.score import total_weight
from detector.signals.exposure import parsed
from detector.signals.rules import Rules
from detector.signals.signal import Signal

_NEVER = datetime.max.replace(tzinfo=UTC)


class Added(NamedTuple):
    """What adding a signal changed, to take it back."""

    first_at: datetime
    last_at: datetime
    opened_at: datetime | None
    pattern: str | None
    account_id: str | None
    entries: list[str]
    exposure: int
    already_gone: int


class Evidence(msgspec.Struct):
    """The signals of a session, or of a case once they suffice to open one.

    Until then a gap starts the evidence anew; from then on every later signal belongs to the case.
    `exposed` are the entries counted in `exposure`, each with the time of the signal that named it.
    `exposure` and `already_gone` are in cents of the base currency.
    """

    signal_count: int = 0
    first_at: datetime = _NEVER
    last_at: datetime = _NEVER
    opened_at: datetime | None = None
    pattern_first_at: dict[str, datetime] = {}
    account_ids: set[str] = set()
    exposed: dict[str, datetime] = {}
    exposure: int = 0
    already_gone: int = 0

    def follows(self, at: datetime, gap: timedelta) -> bool:
        """Whether a signal at that time adds to this evidence, rather than starting anew."""
        return self.opened_at is not None or not self.signal_count or at - self.last_at <= gap

    def add(self, signal: Signal, rules: Rules, weights: dict[str, float]) -> Added:
        """Add a signal that is later than all others by (time, signal_id)."""
        at, account = signal.occurred_at, signal.account_id
        added = Added(
            first_at=self.first_at,
            last_at=self.last_at,
            opened_at=self.opened_at,
            pattern=None if signal.pattern in self.pattern_first_at else signal.pattern,
            account_id=None if account in self.account_ids else account,
            entries=[entry for entry in signal.exposed if entry not in self.exposed],
            exposure=self.exposure,
            already_gone=self.already_gone,
        )
        if not self.signal_count:
            self.first_at = at
        self.last_at = at
        self.signal_count += 1
        self.pattern_first_at.setdefault(signal.pattern, at)
        if account is not None:
            self.account_ids.add(account)
        for entry in added.entries:
            self.exposed[entry] = at
            gone, cents = parsed(entry)
            self.exposure += cents
            self.already_gone += cents if gone else 0
        if self.opened_at is None:
            score = total_weight(weights, self.pattern_first_at)
            loss = self.exposure * round(score * 1_000_000) ** 2
            if score >= rules.case_score or loss >= rules.cases.opens_at_micros:
                self.opened_at = at
        return added

    def take_back(self, added: Added) -> None:
        """Undo the latest addition that is not undone."""
        self.signal_count -= 1
        self.first_at, self.last_at, self.opened_at = added[:3]
        self.exposure, self.already_gone = added.exposure, added.already_gone
        if added.pattern is not None:
            del self.pattern_first_at[added.pattern]
        if added.account_id is not None:
            self.account_ids.remove(added.account_id)
        for entry in added.entries:
            del self.exposed[entry]

    def forget_exposed(self, moment: datetime) -> None:
        """Drop the entries that no signal from `moment` on can name again; they stay counted."""
        self.exposed = {entry: at for entry, at in self.exposed.items() if at >= moment}

    def patterns(self) -> list[str]:
        """The patterns in the order in which they first fired; ties by name."""
        return sorted(self.pattern_first_at, key=lambda name: (self.pattern_first_at[name], name))

    def copy(self) -> "Evidence":
        """An independent copy."""
        return msgspec.structs.replace(
            self,
            pattern_first_at=self.pattern_first_at.copy(),
            account_ids=self.account_ids.copy(),
            exposed=self.exposed.copy(),
        )
