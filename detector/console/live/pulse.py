"""The pulse: the current counts for every screen, at most a second old."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from pydantic import BaseModel

from detector.console.queries.minutes import MinuteCounts, read_minutes
from detector.core.data import JsonObject
from detector.pipeline.buckets import Bucket, Buckets
from detector.pipeline.ports import ConsoleReader
from detector.pipeline.tally import Tally
from detector.signals.rules import Rules

FRESH_S = 0.5
GROWTH_AFTER_S = 60


class Latency(BaseModel):
    """From ingestion to committed signal, in milliseconds; null before the first signal."""

    p50: float | None = None
    p95: float | None = None
    p99: float | None = None


class Pulse(BaseModel):
    """The state of detection at `at`.

    Money is in the base currency. Counts per minute cover the trailing 60 s of event time; over a
    cluster, its newest minute.
    `alarms` are sentences about what makes detection blind or stale.
    `lag_ms` is the age of the watermark. Counts that only the detecting process has are null
    elsewhere.
    """

    at: datetime
    watermark: datetime | None
    lag_ms: float | None
    events: int | None
    events_per_s: float | None
    latency_ms: Latency
    dead_letters: int | None
    duplicates: int | None
    late: int | None
    alarms: list[str]
    store_bytes: int | None
    store_bytes_per_day: int | None
    transactions_per_min: int
    flagged_per_min: int
    fraud_rate_pct: float
    signals_by_pattern: dict[str, int]
    accounts_by_level: dict[str, int]
    open_cases_by_level: dict[str, int]
    at_risk_open: Decimal
    already_gone_open: Decimal
    minutes: list[MinuteCounts]


class Vitals:
    """The counters of the detecting process."""

    def __init__(
        self,
        tally: Tally,
        minutes: Buckets,
        seconds: Buckets,
        alarms: Callable[[], list[str]] = list,
        sizes: Callable[[], dict[str, int]] = dict,
    ) -> None:
        self.tally, self.minutes, self.seconds = tally, minutes, seconds
        self.alarms = alarms
        self._sizes = sizes
        self._first_size: tuple[float, int] | None = None
        self._before = (time.monotonic(), 0)
        self._rate = 0.0

    def events_per_s(self) -> float:
        """Events committed per second since about a second ago."""
        now, events = time.monotonic(), sum(self.tally.events.values())
        then, before = self._before
        if now - then >= 1.0:
            self._rate = (events - before) / (now - then)
            self._before = (now, events)
        return round(self._rate, 1)

    def size(self) -> JsonObject:
        """Bytes of the store with all that belongs to it, and its growth since the start."""
        now, size = time.monotonic(), sum(self._sizes().values())
        if self._first_size is None:
            self._first_size = (now, size)
        then, before = self._first_size
        grown = (
            None if now - then < GROWTH_AFTER_S else round((size - before) * 86400 / (now - then))
        )
        return {"store_bytes": size, "store_bytes_per_day": grown}


class PulseKeeper:
    """Caches the pulse for half a second; safe from any thread."""

    def __init__(self, rules: Rules, reader: ConsoleReader, vitals: Vitals | None = None) -> None:
        self._rules, self._reader, self._vitals = rules, reader, vitals
        self._lock = threading.Lock()
        self._taken_at = 0.0
        self._pulse: Pulse | None = None

    def now(self) -> Pulse:
        """The current pulse; its `minutes` holds the newest one only."""
        with self._lock:
            if self._pulse is None or time.monotonic() - self._taken_at > FRESH_S:
                self._pulse = self._take()
                self._taken_at = time.monotonic()
            return self._pulse

    def minutes(self) -> list[MinuteCounts]:
        """The minutes of the last hour of event time in order, without empty ones."""
        return [MinuteCounts.of(bucket) for bucket in self._buckets()]

    def _buckets(self) -> list[Bucket]:
        if self._vitals is not None:
            return self._vitals.minutes.newest()[-60:]
        return read_minutes(self._rules, self._reader)

    def _take(self) -> Pulse:
        now = datetime.now(UTC)
        minutes = self._buckets()
        vitals = self._vitals
        if vitals is not None:
            tally = vitals.tally
            watermark = tally.watermark
            last = vitals.seconds.total(watermark or now)
            own: JsonObject = {
                "events": sum(tally.events.values()),
                "events_per_s": vitals.events_per_s(),
                "latency_ms": Latency.model_validate(tally.latency_ms()),
                "dead_letters": tally.dead_letters,
                "duplicates": tally.duplicates,
                "late": tally.late,
                "alarms": vitals.alarms(),
                **vitals.size(),
            }
        else:
            last = minutes[-1] if minutes else Bucket(window_start=now)
            watermark = last.window_start if minutes else None
            unknown = (
                *("events", "events_per_s", "dead_letters", "duplicates", "late"),
                *("store_bytes", "store_bytes_per_day"),
            )
            own = {**dict.fromkeys(unknown), "latency_ms": Latency(), "alarms": []}
        cases = self._reader.rows(
            "SELECT level, count(*) AS cases, sum(exposure) AS exposure, sum(already_gone) AS gone "
            f"FROM {self._reader.open_cases} GROUP BY level"
        )
        accounts = self._reader.rows(
            "SELECT risk_level, count(*) AS accounts "
            "FROM mv_account_risk_score_realtime GROUP BY risk_level"
        )
        return Pulse(
            at=now,
            watermark=watermark,
            lag_ms=(now - watermark) / timedelta(milliseconds=1) if watermark else None,
            transactions_per_min=last.transactions,
            flagged_per_min=last.flagged,
            fraud_rate_pct=round(100 * last.flagged / last.transactions, 2)
            if last.transactions
            else 0.0,
            signals_by_pattern={name: last.signals.get(name, 0) for name in self._rules.patterns},
            accounts_by_level={row["risk_level"]: row["accounts"] for row in accounts},
            open_cases_by_level={row["level"]: row["cases"] for row in cases},
            at_risk_open=sum((Decimal(row["exposure"] - row["gone"]) for row in cases), Decimal(0)),
            already_gone_open=sum((Decimal(row["gone"]) for row in cases), Decimal(0)),
            minutes=[MinuteCounts.of(bucket) for bucket in minutes[-1:]],
            **own,
        )
