"""Shares and their intervals."""

from decimal import Decimal
from math import sqrt

from detector.core.data import JsonObject

RIGHT = ("CONFIRMED_FRAUD", "CONFIRMED_SCAM", "SUSPICIOUS")
WRONG = "FALSE_POSITIVE"
"""The dispositions by which a detection was right or wrong; inconclusive ones say neither."""


def share(part: float | Decimal, whole: float | Decimal) -> float | None:
    """A share with four decimals; None of nothing."""
    return round(float(part) / float(whole), 4) if whole else None


def precision(right: int, decided: int) -> JsonObject:
    """`precision` and `precision_interval`: the share that is right, and its 95 % interval."""
    return {
        "precision": share(right, decided),
        "precision_interval": wilson(right, decided),
    }


def wilson(successes: int, trials: int) -> tuple[float, float] | None:
    """The 95 % Wilson score interval of a rate; None without trials."""
    if not trials:
        return None
    z, rate = 1.96, successes / trials
    centre = rate + z * z / (2 * trials)
    spread = z * sqrt(rate * (1 - rate) / trials + z * z / (4 * trials * trials))
    scale = 1 + z * z / trials
    return round(max(0.0, (centre - spread) / scale), 4), round(
        min(1.0, (centre + spread) / scale), 4
    )
