"""What a customer's signals amount to, folded in order of time."""

from datetime import UTC, datetime, timedelta

import msgspec

from detector.risk.score import total_weight
from detector.signals.exposure import parsed
from detector.signals.rules import Rules
from detector.signals.signal import Signal

_NEVER = datetime.max.replace(tzinfo=UTC)


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

    def add(self, signal: Signal, rules: Rules, weights: dict[str, float]) -> None:
        """Add a signal that is later than all others by (time, signal_id)."""
        at = signal.occurred_at
        if not self.signal_count:
            self.first_at = at
        self.last_at = at
        self.signal_count += 1
        self.pattern_first_at.setdefault(signal.pattern, at)
        if signal.account_id is not None:
            self.account_ids.add(signal.account_id)
        for entry in signal.exposed:
            if entry not in self.exposed:
                self.exposed[entry] = at
                gone, cents = parsed(entry)
                self.exposure += cents
                self.already_gone += cents if gone else 0
        if self.opened_at is None:
            score = total_weight(weights, self.pattern_first_at)
            loss = self.exposure * round(score * 1_000_000) ** 2
            if score >= rules.case_score or loss >= rules.cases.opens_at_micros:
                self.opened_at = at

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
