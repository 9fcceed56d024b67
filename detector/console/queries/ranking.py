"""Which case to decide first: expected loss, times its level, times how little time is left."""

from datetime import datetime

from pydantic import BaseModel

LEVEL_WEIGHT = {"critical": 4, "high": 2}
"""How much the levels count; any other counts 1."""

MAX_OVERDUE = 2
"""The urgency stops rising when a case has been open three times as long as it should be."""

# A case may have no due time, or late evidence may have left it none: then nothing presses.
RANK_SQL = f"""
  CAST(CASE WHEN exposure > 1 THEN exposure ELSE 1 END AS DOUBLE PRECISION) * score
  * CASE level {" ".join(f"WHEN '{k}' THEN {v}" for k, v in LEVEL_WEIGHT.items())} ELSE 1 END
  * (1 + LEAST({MAX_OVERDUE}, GREATEST(0, COALESCE(
      1 - (CAST(EXTRACT(EPOCH FROM due_at) AS DOUBLE PRECISION) - CAST(? AS DOUBLE PRECISION))
      / NULLIF(CAST(EXTRACT(EPOCH FROM due_at) AS DOUBLE PRECISION)
               - CAST(EXTRACT(EPOCH FROM opened_at) AS DOUBLE PRECISION), 0),
      0))))"""
"""The rank of a row of `mv_open_fraud_cases`; its one parameter is the time in Unix seconds."""


class Rank(BaseModel):
    """A case's place in the queue as the product of what it is made of."""

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
    """The rank of a case at a moment, factor by factor; `RANK_SQL` says the same in the store."""
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
