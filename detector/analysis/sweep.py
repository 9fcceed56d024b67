"""Several values of one key of a rule: which is the best trade-off, and a drawing of all."""

from collections.abc import Sequence
from typing import Any, NamedTuple
from xml.sax.saxutils import escape

from detector.core.data import JsonObject

WIDTH, HEIGHT, MARGIN = 640, 360, 56


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


def plot(points: Sequence[Point], best: int | None, pattern: str, key: str) -> str:
    """The points as SVG: cases a day against the share of value in cases, or against signals."""
    judged = all(point.benefit is not None for point in points)
    heights = [(p.benefit or 0.0) if judged else float(p.outcome["signals"]) for p in points]
    costs = [point.cost for point in points]
    across, up = max([*costs, 1e-9]), max([*heights, 1e-9])
    left, bottom = MARGIN, HEIGHT - MARGIN
    places = [
        (left + c / across * (WIDTH - 2 * MARGIN), bottom - h / up * (HEIGHT - 2 * MARGIN))
        for c, h in zip(costs, heights, strict=True)
    ]
    marks = "".join(
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{7 if n == best else 4}" '
        f'fill="{"#d9480f" if n == best else "#1971c2"}"/>'
        f'<text x="{x + 9:.1f}" y="{y - 7:.1f}">{escape(str(points[n].value))}</text>'
        for n, (x, y) in enumerate(places)
    )
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in sorted(places))
    height = "share of value in cases" if judged else "signals"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'font-family="sans-serif" font-size="12">'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>'
        f'<text x="{left}" y="28" font-size="15">{escape(pattern)}: {escape(key)}</text>'
        f'<path d="M{left} {MARGIN}V{bottom}H{WIDTH - MARGIN}" fill="none" stroke="#868e96"/>'
        f'<text x="{left}" y="{MARGIN - 8}">{height}, up to {up:,.2f}</text>'
        f'<text x="{WIDTH - MARGIN}" y="{bottom + 20}" text-anchor="end">'
        f"cases a day, up to {across:,.1f}</text>"
        f'<polyline points="{line}" fill="none" stroke="#74c0fc"/>{marks}</svg>\n'
    )
