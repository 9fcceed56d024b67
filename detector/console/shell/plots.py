"""Charts made on the server: an SVG stretched over its box, with labels beside it in percent."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from detector.console.http.formatting import local

_STEPS = [timedelta(minutes=m) for m in (1, 2, 5, 10, 15, 30, 60, 120, 360, 720, 1440, 2880, 10080)]


class Tick(NamedTuple):
    """A label of an axis: where, in percent from the left or the top, and its text."""

    at: float
    text: str


def top_of(most: float) -> float:
    """The first of 1, 2, 4, 5, 8, 10, 20, … that is not below a value, to end an axis with."""
    size = 1.0
    while size < most:
        size *= 10
    return next(size * f for f in (0.1, 0.2, 0.4, 0.5, 0.8, 1) if size * f >= most or f == 1)


def up(top: float, unit: str = "") -> list[Tick]:
    """The labels of an axis from 0 up to its top: both ends, and the middle."""
    return [Tick(100 - 100 * share, f"{top * share:g}{unit}") for share in (0, 0.5, 1)]


def times(start: datetime, end: datetime, most: int = 7) -> list[Tick]:
    """The labels of an axis of time: whole steps, with the day where a step is a day."""
    span = end - start
    step = next((s for s in _STEPS if span / s <= most), _STEPS[-1])
    form = "%d %b" if step >= timedelta(days=1) else "%H:%M"
    at = datetime.fromtimestamp(
        (start.timestamp() // step.total_seconds() + 1) * step.total_seconds(), UTC
    )
    found = []
    while at < end:
        found.append(Tick(round(100 * ((at - start) / span), 2), local(at).strftime(form)))
        at += step
    # A label in the middle of its place needs room on both sides.
    return [tick for tick in found if 3 < tick.at < 97]


def line(points: Iterable[tuple[float, float]]) -> str:
    """The points of an SVG polyline."""
    return " ".join(f"{x:.2f},{y:.2f}" for x, y in points)
