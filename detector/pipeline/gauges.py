"""The gauges of a running pipeline."""

import os
from collections.abc import Mapping

from detector.pipeline.metrics import Values
from detector.pipeline.pipeline import Pipeline

_PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


def gauges_of(pipeline: Pipeline) -> Mapping[str, Values]:
    """What a pipeline is at now; safe from any thread."""
    at = pipeline.detector.watermarks.at
    return {
        "fraud_set_aside_ratio": {
            (status,): share for status, share in pipeline.set_aside_shares().items()
        },
        "fraud_patterns_braked": {(): len(pipeline.detector.braked)},
        "fraud_commit_failing": {(): float(pipeline.trouble is not None)},
        "fraud_backlog": {(): pipeline.backlog},
        "fraud_watermark_timestamp_seconds": {(): at.timestamp()} if at is not None else {},
        "fraud_source_lag_records": {
            (partition,): count for partition, count in pipeline.source.lag().items()
        },
        "fraud_store_bytes": {(part,): size for part, size in pipeline.store.sizes().items()},
        "fraud_known_keys": {(): len(pipeline.detector.known)},
        "fraud_process_memory_bytes": {(): resident_bytes()},
    }


def resident_bytes() -> int:
    """Resident memory of this process; 0 where the system does not say."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * _PAGE
    except (OSError, ValueError):
        return 0
