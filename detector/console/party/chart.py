"""The chart of an account's score over time: a step line over the bands of the levels."""

from datetime import timedelta
from itertools import pairwise
from typing import NamedTuple

from detector.console.http.formatting import moment, zone
from detector.console.queries.signals import ScorePoint
from detector.console.shell import plots
from detector.console.shell.plots import Tick
from detector.signals.rules import Rules


class Band(NamedTuple):
    """The range of scores of a level, in percent from the top."""

    level: str
    top: float
    height: float


class Step(NamedTuple):
    """A score while it lasts, in percent, and what it says when pointed at."""

    x: float
    width: float
    title: str


class ScoreChart(NamedTuple):
    """The chart in a box of 100 by 100."""

    bands: list[Band]
    path: str
    steps: list[Step]
    x_ticks: list[Tick]
    y_ticks: list[Tick]


def score_chart(points: list[ScorePoint], rules: Rules) -> ScoreChart:
    """Draw the points, oldest first, with the length of the score's window on either side."""
    pad = timedelta(seconds=rules.risk.window_seconds)
    start, end = points[0].at - pad, points[-1].at + pad
    places = [100 * ((point.at - start) / (end - start)) for point in points]
    path = "M0 100" + "".join(
        f"H{x:.2f}V{100 - 100 * point.score:.1f}" for x, point in zip(places, points, strict=True)
    )
    lows = sorted((low, name) for name, low in rules.risk.levels.items())
    return ScoreChart(
        bands=[
            Band(name, 100 - 100 * top, 100 * (top - low))
            for (low, name), (top, _) in pairwise([*lows, (1.0, "")])
        ],
        path=f"{path}H100",
        steps=[
            Step(x, next_x - x, f"{point.score:.2f} from {moment(point.at)} {zone()}")
            for point, (x, next_x) in zip(points, pairwise([*places, 100.0]), strict=True)
        ],
        x_ticks=plots.times(start, end),
        y_ticks=[Tick(100 - 100 * low, f"{low:.2f}") for low in (*(low for low, _ in lows), 1.0)],
    )
