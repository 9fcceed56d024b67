"""The order of the queue: exposure times score, weight of the level and urgency."""

from datetime import datetime

from pydantic import BaseModel

LEVEL_WEIGHT = {"critical": 4, "high": 2}
"""Weights of the levels; others weigh 1."""

MAX_OVERDUE = 2
"""Urgency stops rising when a case has been open for three times the time it was due in."""

# A case may have no due time, or have lost it to late evidence: then it is not urgent.
RANK_SQL = f"""
  CAST(CASE WHEN exposure > 1 THEN exposure ELSE 1 END AS DOUBLE PRECISION) * score
  * CASE level {" ".join(f"WHEN '{k}' THEN {v}" for k, v in LEVEL_WEIGHT.items())} ELSE 1 END
  * (1 + LEAST({MAX_OVERDUE}, GREATEST(0, COALESCE(
      1 - (CAST(EXTRACT(EPOCH FROM due_at) AS DOUBLE PRECISION) - CAST(? AS DOUBLE PRECISION))
      / NULLIF(CAST(EXTRACT(EPOCH FROM due_at) AS DOUBLE PRECISION)
               - CAST(EXTRACT(EPOCH FROM opened_at) AS DOUBLE PRECISION), 0),
      0))))"""
"""The rank of a row of `mv_open_fraud_cases`; its only parameter is the time in Unix seconds."""


class Rank(BaseModel):
    """A case's rank in the queue, as the product of its factors."""

    exposure: float
    score: float
    level_weight: int
    urgency: float
    rank: float


def rank_of(
    exposure: float,
    score: float,
    level: str,
    opened_at: datetime | None,
    due_at: datetime | None,
    now: datetime,
) -> Rank:
    """The rank of a case at a time, factor by factor; `RANK_SQL` is the same in SQL."""
    exposure = max(1.0, exposure)
    weight = LEVEL_WEIGHT.get(level, 1)
    urgency = 1.0
    if due_at and opened_at and due_at != opened_at:
        urgency += min(MAX_OVERDUE, max(0.0, 1 - (due_at - now) / (due_at - opened_at)))
    return Rank(
        exposure=exposure,
        score=score,
        level_weight=weight,
        urgency=urgency,
        rank=exposure * score * weight * urgency,
    )
