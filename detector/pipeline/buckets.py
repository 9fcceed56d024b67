"""The newest period of event time in equal buckets, updated as work is committed."""

import threading
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import cast

import msgspec

from detector.core.events import Transaction
from detector.pipeline.work import Work
from detector.signals.rules import Rules

PRUNE_AT = 10_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Bucket(msgspec.Struct, kw_only=True):
    """Counts from `window_start` on; money in the base currency, flagged transactions once."""

    window_start: datetime
    transactions: int = 0
    amount: Decimal = Decimal(0)
    flagged: int = 0
    signals: dict[str, int] = msgspec.field(default_factory=dict)


class Buckets:
    """A sink that keeps the newest `count` buckets of `width`; safe to read from any thread."""

    def __init__(
        self, rules: Rules, width: timedelta, count: int, earlier: Iterable[Bucket] = ()
    ) -> None:
        self._lock = threading.Lock()
        self._streams = {pattern.id: pattern.source for pattern in rules.patterns.values()}
        self._width, self._count = width, count
        self._buckets = {bucket.window_start: bucket for bucket in earlier}
        # Events counted as flagged, kept while late evidence may still flag them again.
        self._flagged: dict[str, datetime] = {}
        self._reach = rules.lateness
        self._prune_at = PRUNE_AT

    def publish(self, work: Work) -> None:
        """Count committed work."""
        with self._lock:
            for event in work.events.get(("transactions", "evaluated"), ()):
                bucket = self._at(event.occurred_at)
                bucket.transactions += 1
                bucket.amount += Decimal(cast(Transaction, event).base_amount or 0)
            for signal in work.new_signals:
                bucket = self._at(signal.occurred_at)
                bucket.signals[signal.pattern] = bucket.signals.get(signal.pattern, 0) + 1
                on_money = self._streams[signal.pattern] == "transactions"
                if on_money and signal.event_id not in self._flagged:
                    self._flagged[signal.event_id] = signal.occurred_at
                    bucket.flagged += 1
            for signal in work.withdrawn_signals:
                bucket = self._at(signal.occurred_at)
                bucket.signals[signal.pattern] = bucket.signals.get(signal.pattern, 0) - 1
            if work.watermark is not None:
                self._forget(work.watermark)

    def newest(self) -> list[Bucket]:
        """The non-empty buckets in order of time."""
        with self._lock:
            return [msgspec.structs.replace(b, signals=dict(b.signals)) for b in self._in_order()]

    def total(self, watermark: datetime) -> Bucket:
        """One bucket that sums up all of them up to the watermark."""
        with self._lock:
            edge = watermark - self._count * self._width
            whole = Bucket(window_start=edge)
            for bucket in self._in_order():
                if bucket.window_start > edge:
                    whole.transactions += bucket.transactions
                    whole.amount += bucket.amount
                    whole.flagged += bucket.flagged
                    for pattern, count in bucket.signals.items():
                        whole.signals[pattern] = whole.signals.get(pattern, 0) + count
            return whole

    def _in_order(self) -> list[Bucket]:
        return [self._buckets[start] for start in sorted(self._buckets)]

    def _at(self, moment: datetime) -> Bucket:
        start = moment - (moment - EPOCH) % self._width
        bucket = self._buckets.get(start)
        if bucket is None:
            bucket = self._buckets[start] = Bucket(window_start=start)
        return bucket

    def _forget(self, watermark: datetime) -> None:
        if len(self._buckets) > 2 * self._count:
            edge = watermark - self._count * self._width
            for start in [start for start in self._buckets if start <= edge]:
                del self._buckets[start]
        if len(self._flagged) >= self._prune_at:
            reach = watermark - self._reach
            self._flagged = {name: at for name, at in self._flagged.items() if at >= reach}
            # Doubling makes pruning O(1) amortised.
            self._prune_at = max(PRUNE_AT, 2 * len(self._flagged))
