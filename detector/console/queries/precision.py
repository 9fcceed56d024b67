"""How often a pattern is right, by what its cases were closed as."""

from collections import Counter

from pydantic import BaseModel, Field

from detector.adapters.people.store import PeopleStore
from detector.analysis.rates import RIGHT, WRONG, share, wilson


class Precision(BaseModel):
    """Dispositions of the closed cases with the pattern; inconclusive ones do not count.

    `low` and `high` are the 95 % Wilson interval of the share.
    """

    right: int = Field(description="Confirmed fraud, confirmed scam, or suspicious.")
    wrong: int = Field(description="False positives.")
    inconclusive: int
    share: float | None = Field(description="right / (right + wrong); null before any.")
    low: float | None
    high: float | None


def precisions(people: PeopleStore) -> dict[str, Precision]:
    """The precision of each pattern that a closed case has."""
    ends: dict[str, Counter[str]] = {}
    for row in people.reviews.dispositions():
        ends.setdefault(row["pattern"], Counter())[row["disposition"]] += row["count"]
    return {pattern: precision(counts) for pattern, counts in sorted(ends.items())}


def precision(ends: Counter[str]) -> Precision:
    """The precision by counts of dispositions."""
    right, wrong = sum(ends[name] for name in RIGHT), ends[WRONG]
    low, high = wilson(right, right + wrong) or (None, None)
    return Precision(
        right=right,
        wrong=wrong,
        inconclusive=ends["INCONCLUSIVE"],
        share=share(right, right + wrong),
        low=low,
        high=high,
    )
