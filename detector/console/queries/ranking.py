"""The order of the queue: expected loss, then urgency."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from pydantic import BaseModel

from detector.cases.priority import PRIOR_DECISIONS, likelihood
from detector.core.data import Row
from detector.core.names import split
from detector.signals.conditions import Sql

MOST_COMBINATIONS = 40

_URGENCY_SQL = """LEAST(0.99, GREATEST(0,
    1 - (CAST(EXTRACT(EPOCH FROM due_at) AS DOUBLE PRECISION) - CAST(? AS DOUBLE PRECISION))
    / NULLIF(CAST(EXTRACT(EPOCH FROM due_at) AS DOUBLE PRECISION)
             - CAST(EXTRACT(EPOCH FROM opened_at) AS DOUBLE PRECISION), 0)))"""


class Rank(BaseModel):
    """A case's place in the queue and what it follows from.

    `likelihood` is the score squared, corrected by `confirmed` of `decided` closed cases with the
    same patterns. `urgency` is the share of the time to its due time that has passed; it decides
    between cases of equal expected loss in whole units of the base currency.
    """

    exposure: float
    score: float
    confirmed: int
    decided: int
    likelihood: float
    expected_loss: float
    urgency: float
    rank: float


@dataclass(frozen=True, slots=True)
class Ranking:
    """Ranks cases at a time, by the decisions on earlier ones.

    `outcomes` are the confirmed and decided closed cases of each combination of patterns.
    """

    now: datetime
    outcomes: dict[frozenset[str], tuple[int, int]] = field(default_factory=dict)

    @classmethod
    def of(cls, now: datetime, decided: Iterable[Row]) -> "Ranking":
        """From rows with `patterns`, `confirmed` and `decided`."""
        outcomes: dict[frozenset[str], tuple[int, int]] = {}
        for row in decided:
            names = frozenset(split(row["patterns"]))
            confirmed, count = outcomes.get(names, (0, 0))
            outcomes[names] = (confirmed + row["confirmed"], count + row["decided"])
        most = sorted(outcomes, key=lambda names: (-outcomes[names][1], sorted(names)))
        return cls(now, {names: outcomes[names] for names in most[:MOST_COMBINATIONS]})

    def rank(
        self,
        exposure: Decimal,
        score: float,
        patterns: Sequence[str],
        opened_at: datetime,
        due_at: datetime,
    ) -> Rank:
        """The rank of a case; `sql` is the same over the rows of `mv_open_fraud_cases`."""
        confirmed, decided = self.outcomes.get(frozenset(patterns), (0, 0))
        likely = likelihood(score, confirmed, decided)
        loss = float(exposure) * likely
        urgency = 0.0
        if due_at != opened_at:
            urgency = min(0.99, max(0.0, 1 - (due_at - self.now) / (due_at - opened_at)))
        return Rank(
            exposure=float(exposure),
            score=score,
            confirmed=confirmed,
            decided=decided,
            likelihood=likely,
            expected_loss=loss,
            urgency=urgency,
            rank=int(loss) + urgency,
        )

    @property
    def sql(self) -> Sql:
        """The rank of a row of `mv_open_fraud_cases`."""
        parameters: list[object] = []
        cases = ""
        for names, (confirmed, decided) in self.outcomes.items():
            holds = " AND ".join(["POSITION(? IN ', ' || patterns || ',') > 0"] * len(names))
            cases += (
                f" WHEN {holds} AND LENGTH(patterns) = {len(', '.join(names)):d} "
                f"THEN ({confirmed:d} + {PRIOR_DECISIONS} * score * score) "
                f"/ {decided + PRIOR_DECISIONS:d}"
            )
            parameters += [f", {name}," for name in names]
        likely = f"CASE{cases} ELSE score * score END" if cases else "score * score"
        text = f"FLOOR(CAST(exposure AS DOUBLE PRECISION) * ({likely})) + {_URGENCY_SQL}"
        return Sql(text, [*parameters, self.now.timestamp()])
