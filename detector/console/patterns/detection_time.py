"""Time to detect: from the first event of a burst to the event at which it fires."""

from datetime import timedelta

from pydantic import BaseModel, Field

from detector.pipeline.ports import Reader
from detector.signals.operators import OPERATORS
from detector.signals.pattern import Pattern

SAMPLE = 200


class DetectionTime(BaseModel):
    """Seconds of event time from the first event that counts to the firing one.

    Over the newest bursts, each when it first reached the threshold. A pattern that judges single
    events fires at the first: 0, without a sample.
    """

    at_once: bool
    sample: int = 0
    p50_s: float | None = None
    p95_s: float | None = Field(None, description="Null without a sample.")


def detection_time(reader: Reader, pattern: Pattern) -> DetectionTime:
    """The detection time of a pattern."""
    operator = OPERATORS[pattern.operator]
    if operator.single_event:
        return DetectionTime(at_once=True, p50_s=0, p95_s=0)
    fired = reader.rows(
        "SELECT signal_id, occurred_at FROM mv_fraud_signals "
        "WHERE pattern = ? AND observed = threshold "
        f"ORDER BY occurred_at DESC LIMIT {SAMPLE:d}",
        [pattern.id],
    )
    if not fired:
        return DetectionTime(at_once=False)
    oldest = min(row["occurred_at"] for row in fired)
    support = operator.support(pattern)
    # Both times bound the events, so that a store can skip older ones.
    rows = reader.rows(
        f"""SELECT s.signal_id, s.occurred_at, MIN(e.occurred_at) AS first_at
        FROM mv_fraud_signals AS s JOIN stg_{pattern.source} AS e ON {support.text}
        WHERE s.pattern = ? AND s.observed = s.threshold AND s.occurred_at >= ?
          AND e.occurred_at >= ?
        GROUP BY s.signal_id, s.occurred_at""",
        [*support.parameters, pattern.id, oldest, oldest - pattern.window],
    )
    seconds = sorted((row["occurred_at"] - row["first_at"]) / timedelta(seconds=1) for row in rows)
    return DetectionTime(
        at_once=False, sample=len(seconds), p50_s=_at(seconds, 0.5), p95_s=_at(seconds, 0.95)
    )


def _at(ordered: list[float], share: float) -> float | None:
    """A percentile: the smallest value with at least this share of values at or below it."""
    if not ordered:
        return None
    return round(ordered[max(0, -int(-share * len(ordered) // 1) - 1)], 3)
