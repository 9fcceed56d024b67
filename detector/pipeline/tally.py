"""Counts what a run committed, for its summary and for the live view."""

import threading
import time
from collections import Counter, deque
from datetime import datetime

from detector.cases.case import Case
from detector.core.data import JsonObject
from detector.pipeline.work import Work
from detector.signals.rules import LEVELS, Rules
from detector.signals.signal import Signal

NEWEST = 50


class Tally:
    """A sink that counts. Hold `lock` to read several counts from another thread."""

    def __init__(self, rules: Rules) -> None:
        self.lock = threading.RLock()
        self.started_at = time.monotonic()
        self.events: Counter[str] = Counter()
        self.dead_letters = 0
        self.duplicates = 0
        self.late = 0
        self.future = 0
        self.signals: Counter[str] = Counter(dict.fromkeys(rules.patterns, 0))
        self.cases: dict[str, Case] = {}
        self.newest: deque[Signal] = deque(maxlen=NEWEST)
        self.watermark: datetime | None = None
        self._latency: Counter[int] = Counter()  # tenths of a millisecond -> signals

    def publish(self, work: Work) -> None:
        """Count committed work."""
        with self.lock:
            for (stream, ingest_status), events in work.events.items():
                self.events[stream] += len(events)
                self.late += len(events) if ingest_status == "late" else 0
                self.future += len(events) if ingest_status == "future" else 0
            self.dead_letters += len(work.dead_letters)
            self.duplicates += work.duplicates
            self.watermark = work.watermark
            for signal in work.new_signals:
                self.signals[signal.pattern] += 1
                self.newest.append(signal)
            for signal in work.withdrawn_signals:
                self.signals[signal.pattern] -= 1
            if work.new_signals and work.available_at is not None:
                waited = work.committed_at - work.available_at
                self._latency[round(waited * 10_000)] += len(work.new_signals)
            self.cases.update(work.cases)

    def open_cases(self) -> list[Case]:
        """The cases that this run opened or changed, most urgent first."""
        with self.lock:
            cases = list(self.cases.values())
        return sorted(cases, key=lambda c: (-c.score, c.first_signal_at))

    def latency_ms(self) -> dict[str, float | None]:
        """Percentiles of the time from ingestion to committed signal, in milliseconds."""
        with self.lock:
            ordered = sorted(self._latency.items())
        total = sum(count for _, count in ordered)
        found: dict[str, float | None] = {}
        for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99), ("p999", 0.999)):
            seen = 0
            found[name] = None
            for tenths, count in ordered:
                seen += count
                if seen >= share * total:
                    found[name] = tenths / 10
                    break
        return found

    def summary(self) -> JsonObject:
        """The summary that `fraud run` and `fraud replay` print as JSON."""
        with self.lock:
            seconds = time.monotonic() - self.started_at
            events = sum(self.events.values())
            levels = Counter(c.level for c in self.cases.values())
            return {
                "events": events,
                "by_stream": dict(self.events),
                "signals": dict(self.signals),
                "cases": {level: levels[level] for level in LEVELS},
                "dead_letters": self.dead_letters,
                "duplicates": self.duplicates,
                "late": self.late,
                "future": self.future,
                "seconds": round(seconds, 3),
                "events_per_s": round(events / seconds, 1) if seconds else 0.0,
                "latency_ms": self.latency_ms(),
                "watermark": self.watermark.isoformat() if self.watermark else None,
            }
