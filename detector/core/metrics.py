"""The list of all metrics; docs/metrics.md and the alert rules are checked against it."""

from typing import Literal, NamedTuple

FAST = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5)
SLOW = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2, 5)


class Metric(NamedTuple):
    """A metric of Prometheus: `gauge` values are read when it is scraped.

    Labels come from fixed sets: no caller can add one.
    """

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    unit: str
    meaning: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()


_ALL = (
    Metric(
        "fraud_events_total", "counter", "events",
        "Events committed, by stream and ingest status: evaluated, late or future.",
        ("stream", "ingest_status"),
    ),
    Metric(
        "fraud_duplicates_total", "counter", "events",
        "Duplicate events dropped, by stream and event_id.",
    ),
    Metric(
        "fraud_dead_letters_total", "counter", "records",
        "Records that broke the contract, by stream.", ("stream",),
    ),
    Metric(
        "fraud_set_aside_ratio", "gauge", "ratio",
        "Share of the last five minutes' records that were late, in the future or broken.",
        ("ingest_status",),
    ),
    Metric(
        "fraud_signals_total", "counter", "signals", "New signals, by pattern.", ("pattern",)
    ),
    Metric(
        "fraud_shadow_signals_total", "counter", "signals",
        "New signals of patterns in shadow, by pattern.", ("pattern",),
    ),
    Metric(
        "fraud_patterns_braked", "gauge", "patterns",
        "Patterns in shadow because they fired on too many customers.",
    ),
    Metric(
        "fraud_signal_latency_seconds", "histogram", "seconds",
        "From the moment a record could be read until its signals were committed.",
        buckets=SLOW,
    ),
    Metric(
        "fraud_commit_seconds", "histogram", "seconds",
        "Time to write a commit to the store.", buckets=SLOW,
    ),
    Metric(
        "fraud_commit_failing", "gauge", "boolean",
        "1 while the store refuses commits, for example because the disk is full.",
    ),
    Metric(
        "fraud_backlog", "gauge", "submissions", "Submissions evaluated and not yet committed."
    ),
    Metric(
        "fraud_watermark_timestamp_seconds", "gauge", "seconds since 1970",
        "How far event time has come.",
    ),
    Metric(
        "fraud_source_lag_records", "gauge", "records",
        "Records of a partition that were not read yet.", ("partition",),
    ),
    Metric(
        "fraud_score_decisions_total", "counter", "answers",
        "Answers about single transactions: approve, review, decline, invalid.", ("decision",),
    ),
    Metric(
        "fraud_score_seconds", "histogram", "seconds",
        "Time to evaluate a transaction and decide on it.", buckets=FAST,
    ),
    Metric("fraud_open_cases", "gauge", "cases", "Open cases, by level.", ("level",)),
    Metric("fraud_overdue_cases", "gauge", "cases", "Open cases past their due time."),
    Metric(
        "fraud_store_bytes", "gauge", "bytes",
        "Size on disk: of the store, of what is known of keys, of the archive.", ("part",),
    ),
    Metric(
        "fraud_known_keys", "gauge", "keys", "Customers and other keys held in memory."
    ),
    Metric("fraud_process_memory_bytes", "gauge", "bytes", "Resident memory of the process."),
)  # fmt: skip

METRICS: dict[str, Metric] = {metric.name: metric for metric in _ALL}
"""By name, in the order of the documentation."""
