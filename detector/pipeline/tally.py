"""Counts what was committed in this run: the summary of a run, and what the live view shows."""

import threading
import time
from collections import Counter, deque
from datetime import datetime
from typing import Any

from detector.cases.case import Case
from detector.pipeline.work import Work
from detector.risk.score import RiskPoint, total_weight
from detector.signals.rules import Rules
from detector.signals.signal import Signal

NEWEST = 50


class Tally:
    """A sink that counts. `lock` guards reading from another thread."""

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
        self._rules = rules
        self._weights = {p.id: p.weight for p in rules.patterns.values()}
        self._latency: Counter[int] = Counter()  # tenths of a millisecond -> signals
        self._recent: dict[tuple[str, str], Signal] = {}  # what may still count for a score
        self._prune_at = 1000

    def publish(self, work: Work) -> None:
        """Count committed work."""
        with self.lock:
            for (stream, disposition), events in work.events.items():
                self.events[stream] += len(events)
                self.late += len(events) if disposition == "late" else 0
                self.future += len(events) if disposition == "future" else 0
            self.dead_letters += len(work.dead_letters)
            self.duplicates += work.duplicates
            self.watermark = work.watermark
            for signal in work.new_signals:
                self.signals[signal.pattern] += 1
                self.newest.append(signal)
            for signal in work.withdrawn_signals:
                self.signals[signal.pattern] -= 1
            if work.new_signals:
                waited = work.committed_at - work.available_at
                self._latency[round(waited * 10_000)] += len(work.new_signals)
            for key, attributed in work.attributions.items():
                if attributed is not None:
                    self._recent[key] = attributed
                else:
                    self._recent.pop(key, None)
            if len(self._recent) >= self._prune_at and self.watermark is not None:
                edge = self.watermark - self._rules.risk.window
                self._recent = {k: s for k, s in self._recent.items() if s.occurred_at > edge}
                self._prune_at = max(1000, 2 * len(self._recent))
            self.cases.update(work.cases)

    def accounts(self) -> list[RiskPoint]:
        """The accounts with a score above 0 at the watermark, highest first."""
        with self.lock:
            if self.watermark is None:
                return []
            edge = self.watermark - self._rules.risk.window
            patterns: dict[str, set[str]] = {}
            for (account, _), signal in self._recent.items():
                if signal.occurred_at > edge:
                    patterns.setdefault(account, set()).add(signal.pattern)
            points = []
            for account, found in patterns.items():
                score = total_weight(self._weights, found)
                level = self._rules.risk.level(score)
                points.append(
                    RiskPoint(
                        account_id=account,
                        occurred_at=self.watermark,
                        risk_score=score,
                        risk_level=level,
                        patterns=sorted(found),
                    )
                )
        return sorted(points, key=lambda p: (-p.risk_score, p.account_id))

    def open_cases(self) -> list[Case]:
        """The cases that this run opened or changed, most urgent first."""
        with self.lock:
            cases = [c for c in self.cases.values() if c.merged_into is None]
        return sorted(cases, key=lambda c: (-c.score, c.first_signal_at), reverse=False)

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

    def summary(self) -> dict[str, Any]:
        """What the run did, as the JSON that `fraud run` and `fraud replay` print."""
        with self.lock:
            seconds = time.monotonic() - self.started_at
            events = sum(self.events.values())
            levels = Counter(c.level for c in self.cases.values() if c.merged_into is None)
            return {
                "events": events,
                "by_stream": dict(self.events),
                "signals": dict(self.signals),
                "cases": {level: levels[level] for level in ("critical", "high")},
                "dead_letters": self.dead_letters,
                "duplicates": self.duplicates,
                "late": self.late,
                "future": self.future,
                "seconds": round(seconds, 3),
                "events_per_s": round(events / seconds, 1) if seconds else 0.0,
                "latency_ms": self.latency_ms(),
                "watermark": self.watermark.isoformat() if self.watermark else None,
            }
