"""Prometheus metrics of detection."""

import time

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)

from detector.core.events import STREAMS
from detector.pipeline.work import Work

_SECONDS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2, 5)
_SCORE_SECONDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5)


class Metrics:
    """A sink that counts committed work, in its own registry."""

    media_type = CONTENT_TYPE_LATEST

    def __init__(self) -> None:
        registry = self._registry = CollectorRegistry()
        self.events = Counter(
            "fraud_events_total",
            "Events committed, by stream and ingest status: evaluated, late or future.",
            ["stream", "ingest_status"],
            registry=registry,
        )
        self.duplicates = Counter(
            "fraud_duplicates_total", "Duplicate events dropped, by event_id.", registry=registry
        )
        self.dead_letters = Counter(
            "fraud_dead_letters_total",
            "Records that broke the contract, by stream.",
            ["stream"],
            registry=registry,
        )
        self.signals = Counter(
            "fraud_signals_total", "New signals, by pattern.", ["pattern"], registry=registry
        )
        self.shadow = Counter(
            "fraud_shadow_signals_total",
            "New signals of patterns in shadow, by pattern.",
            ["pattern"],
            registry=registry,
        )
        self.latency = Histogram(
            "fraud_signal_latency_seconds",
            "From the moment a record could be read until its signals were committed.",
            buckets=_SECONDS,
            registry=registry,
        )
        self.watermark = Gauge(
            "fraud_watermark_timestamp_seconds",
            "Time of the newest event evaluated.",
            registry=registry,
        )
        self.decisions = Counter(
            "fraud_score_decisions_total",
            "Answers about single transactions: approve, review, decline or refused.",
            ["decision"],
            registry=registry,
        )
        self.score = Histogram(
            "fraud_score_seconds",
            "Time to evaluate a transaction and decide on it.",
            buckets=_SCORE_SECONDS,
            registry=registry,
        )

    def publish(self, work: Work) -> None:
        """Count committed work."""
        for (stream, ingest_status), events in work.events.items():
            self.events.labels(stream, ingest_status).inc(len(events))
        for letter in work.dead_letters:
            # The caller chooses the name, so it must not become a label.
            self.dead_letters.labels(letter.stream if letter.stream in STREAMS else "unknown").inc()
        self.duplicates.inc(work.duplicates)
        waited = (work.committed_at or time.monotonic()) - work.available_at
        for signal in work.new_signals:
            self.signals.labels(signal.pattern).inc()
            self.latency.observe(waited)
        for signal in work.new_shadow:
            self.shadow.labels(signal.pattern).inc()
        if work.watermark is not None:
            self.watermark.set(work.watermark.timestamp())

    def expose(self) -> bytes:
        """All metrics in the Prometheus text format."""
        return generate_latest(self._registry)
