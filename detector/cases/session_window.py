"""Session windows of an account's signals."""

from datetime import datetime, timedelta

from detector.signals.signal import Signal


class SessionWindow:
    """One account's signals, consecutive ones at most the gap apart."""

    __slots__ = (
        "_amounts",
        "_first_id",
        "account_id",
        "case_id",
        "customer_id",
        "exposure_cents",
        "first_at",
        "last_at",
        "pattern_first_at",
        "signals",
    )

    def __init__(self, account_id: str) -> None:
        self.account_id = account_id
        self.customer_id = ""
        self.case_id: str | None = None
        self.signals: dict[str, Signal] = {}
        self.first_at = datetime.max
        self.last_at = datetime.min
        self.pattern_first_at: dict[str, datetime] = {}
        self.exposure_cents = 0
        self._amounts: set[str] = set()
        self._first_id = ""

    def add(self, signal: Signal) -> None:
        """Add a signal, in any order."""
        at = signal.occurred_at
        if not self.signals:
            self.last_at = at
        # Signals at the same time need an order too, or the customer would depend on arrival.
        if not self.signals or (at, signal.signal_id) < (self.first_at, self._first_id):
            self.first_at, self._first_id = at, signal.signal_id
            self.customer_id = signal.customer_id
        self.signals[signal.signal_id] = signal
        self.last_at = max(self.last_at, at)
        known = self.pattern_first_at.get(signal.pattern)
        if known is None or at < known:
            self.pattern_first_at[signal.pattern] = at
        if signal.amount is not None and signal.event_id not in self._amounts:
            self._amounts.add(signal.event_id)
            self.exposure_cents += int(signal.amount.replace(".", ""))

    def patterns(self) -> list[str]:
        """The patterns in the order in which they first fired; ties by name."""
        return sorted(self.pattern_first_at, key=lambda name: (self.pattern_first_at[name], name))

    def reaches(self, at: datetime, gap: timedelta) -> bool:
        """Whether a signal at this time belongs to the window."""
        return self.first_at - gap <= at <= self.last_at + gap

    def without(self, signal: Signal, gap: timedelta) -> "list[SessionWindow]":
        """The windows that remain without a signal; one empty window if none do."""
        rest = [s for s in self.signals.values() if s.signal_id != signal.signal_id]
        rest.sort(key=lambda s: s.occurred_at)
        parts: list[SessionWindow] = []
        for other in rest:
            if not parts or other.occurred_at - parts[-1].last_at > gap:
                parts.append(SessionWindow(self.account_id))
            parts[-1].add(other)
        if not parts:
            empty = SessionWindow(self.account_id)
            empty.first_at, empty.last_at = self.first_at, self.last_at
            empty.customer_id = self.customer_id
            parts.append(empty)
        return parts
