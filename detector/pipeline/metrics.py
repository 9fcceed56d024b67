"""Prometheus metrics of detection, as `core.metrics` lists them."""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily

from detector.core.events import STREAMS
from detector.core.metrics import METRICS, Metric
from detector.pipeline.work import Work

Values = Mapping[tuple[str, ...], float]
"""The values of a gauge by its labels; the key is empty for one without."""
Gauges = Callable[[], Mapping[str, Values]]
KEPT_S = 2.0
"""Gauges are read at most this often, however often they are scraped."""


class Metrics:
    """A sink that counts committed work, in its own registry.

    `gauges` return the values of gauges when they are scraped.
    """

    media_type = CONTENT_TYPE_LATEST

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.gauges: list[Gauges] = []
        self._read_at = float("-inf")
        self._read: dict[str, Values] = {}
        self._counted: dict[str, Any] = {
            metric.name: _counted(metric, self._registry)
            for metric in METRICS.values()
            if metric.kind != "gauge"
        }
        self._registry.register(self)

    def count(self, name: str, *labels: str, by: float = 1) -> None:
        """Increase a counter."""
        counter = self._counted[name]
        (counter.labels(*labels) if labels else counter).inc(by)

    def observe(self, name: str, seconds: float) -> None:
        """Add to a histogram."""
        self._counted[name].observe(seconds)

    def publish(self, work: Work) -> None:
        """Count committed work."""
        for (stream, ingest_status), events in work.events.items():
            self.count("fraud_events_total", stream, ingest_status, by=len(events))
        for letter in work.dead_letters:
            # The caller chooses the name, so it must not become a label.
            stream = letter.stream if letter.stream in STREAMS else "unknown"
            self.count("fraud_dead_letters_total", stream)
        self.count("fraud_duplicates_total", by=work.duplicates)
        for signal in work.new_signals:
            self.count("fraud_signals_total", signal.pattern)
            if work.available_at is not None:
                waited = (work.committed_at or time.monotonic()) - work.available_at
                self.observe("fraud_signal_latency_seconds", waited)
        for signal in work.new_shadow:
            self.count("fraud_shadow_signals_total", signal.pattern)
        if work.commit_s is not None:
            self.observe("fraud_commit_seconds", work.commit_s)

    def expose(self) -> bytes:
        """All metrics in the Prometheus text format."""
        return generate_latest(self._registry)

    def describe(self) -> Iterable[GaugeMetricFamily]:
        """Nothing: gauges exist while something returns them."""
        return ()

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """The gauges, as of now or a moment ago; called by the registry."""
        now = time.monotonic()
        if now - self._read_at >= KEPT_S:
            self._read = {name: values for read in self.gauges for name, values in read().items()}
            self._read_at = now
        for name, values in self._read.items():
            metric = METRICS[name]
            family = GaugeMetricFamily(name, metric.meaning, labels=metric.labels)
            for labels, value in values.items():
                family.add_metric(labels, value)
            yield family


def _counted(metric: Metric, registry: CollectorRegistry) -> Counter | Histogram:
    if metric.kind == "counter":
        return Counter(metric.name, metric.meaning, metric.labels, registry=registry)
    return Histogram(
        metric.name, metric.meaning, metric.labels, buckets=metric.buckets, registry=registry
    )
