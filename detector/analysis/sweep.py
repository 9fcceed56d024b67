"""Several values of one key of a rule: which is the best trade-off, and a drawing of all."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from detector.analysis.plot import Mark, draw
from detector.core.data import JsonObject


class Point(NamedTuple):
    """A value, and what the pattern finds with it (`Preview.outcome`)."""

    value: Any
    outcome: JsonObject

    @property
    def cost(self) -> float:
        """The cases a day that analysts would work."""
        return float(self.outcome["cases_per_day"])

    @property
    def benefit(self) -> float | None:
        """The share of the lost value that is in cases; None without a truth."""
        truth = self.outcome.get("truth")
        return truth["value_in_case_share"] if truth else None

    @property
    def height(self) -> float:
        """What a drawing shows: the benefit, without a truth the number of signals."""
        return float(self.outcome["signals"]) if self.benefit is None else self.benefit


def knee(points: Sequence[Point]) -> int | None:
    """The place of the point furthest above the line from the cheapest to the dearest.

    None without a truth, or where all cost the same or gain the same.
    """
    gains = [point.benefit for point in points]
    if any(gain is None for gain in gains):
        return None
    costs, known = [point.cost for point in points], [gain or 0.0 for gain in gains]
    cost, gain = max(costs) - min(costs), max(known) - min(known)
    if not cost or not gain:
        return None
    above = [
        (g - min(known)) / gain - (c - min(costs)) / cost for g, c in zip(known, costs, strict=True)
    ]
    return above.index(max(above))


def plot(path: Path, points: Sequence[Point], best: int | None, pattern: str, key: str) -> None:
    """Draw cases a day against the share of value in cases, or against signals without a truth."""
    line = [(point.cost, point.height) for point in points]
    marks = [Mark(p.cost, p.height, str(p.value), n == best) for n, p in enumerate(points)]
    up = "signals" if points[0].benefit is None else "share of value in cases"
    draw(path, f"{pattern}: {key}", "cases a day", up, {pattern: line}, marks)
