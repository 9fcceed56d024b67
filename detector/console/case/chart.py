"""The chart of a case: score, payments, and other events on one time axis."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import NamedTuple

from detector.console.case.model import CaseFile
from detector.console.http.formatting import clock, dollars, money, zone
from detector.console.queries.events import Activity
from detector.console.shell.timeline import describe
from detector.signals.rules import Rules

WIDTH, HEIGHT, LEFT, RIGHT = 860, 182, 46, 10
SCORE_TOP, SCORE_BOTTOM = 14, 74
MONEY_TOP, MONEY_BOTTOM = 84, 136
ACCESS = 149
_STEPS_S = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21600, 86400)


class Mark(NamedTuple):
    """A point of the chart: its position, style and text."""

    x: float
    y: float
    kind: str
    tone: str
    pattern: str | None
    title: str


class Band(NamedTuple):
    """The range of scores of a level."""

    level: str
    y: float
    height: float

    @property
    def bottom(self) -> float:
        """The lower edge of the band."""
        return self.y + self.height


class Axes(NamedTuple):
    """The fixed geometry of the chart."""

    width: float = WIDTH
    height: float = HEIGHT
    left: float = LEFT
    right: float = WIDTH - RIGHT
    label_x: float = LEFT - 5
    top: float = SCORE_TOP - 2
    opened_y: float = SCORE_TOP - 5
    score: float = SCORE_BOTTOM
    largest_y: float = MONEY_TOP + 8
    money: float = MONEY_BOTTOM
    money_y: float = MONEY_BOTTOM + 1
    events: float = ACCESS + 11
    events_y: float = ACCESS + 3
    ticks_y: float = HEIGHT - 8


class Chart(NamedTuple):
    """The chart, in the units of its view box."""

    axes: Axes
    bands: list[Band]
    cumulative: str
    live: str
    marks: list[Mark]
    ticks: list[tuple[float, str]]
    opened_x: float | None
    largest: str
    summary: str


def chart(file: CaseFile, rules: Rules) -> Chart:
    """Draw the time from shortly before the first signal to shortly after the last."""
    case = file.case
    pad = (case.last_signal_at - case.first_signal_at) / 4
    pad = min(timedelta(minutes=20), max(timedelta(seconds=90), pad))
    start = case.first_signal_at - pad
    end = max(case.last_signal_at + pad, *(p.at for p in file.scores[-1:]), start)
    scale = _Scale(start, min(end, case.last_signal_at + 2 * pad))
    shown = [e for e in file.events if scale.holds(e.at)]
    largest = max((e.base_amount for e in shown if e.base_amount is not None), default=Decimal(0))
    opened = case.opened_at
    return Chart(
        axes=Axes(),
        bands=_bands(rules),
        cumulative=_steps(((p.at, p.cumulative) for p in file.scores), scale),
        live=_steps(((p.at, p.score) for p in file.scores), scale),
        marks=[_mark(event, scale, largest) for event in reversed(shown)],
        ticks=scale.ticks(),
        opened_x=scale.x(opened) if opened and scale.holds(opened) else None,
        largest=dollars(largest),
        summary=(
            f"{len(shown)} events from {clock(scale.start)} to {clock(scale.end)} {zone()}, "
            f"the largest payment {money(largest)}; the score reached {case.score:.2f}."
        ),
    )


class _Scale:
    def __init__(self, start: datetime, end: datetime) -> None:
        self.start, self.end = start, end
        self._per_second = (WIDTH - LEFT - RIGHT) / (end - start).total_seconds()

    def holds(self, at: datetime) -> bool:
        return self.start <= at <= self.end

    def x(self, at: datetime) -> float:
        at = min(max(at, self.start), self.end)
        return round(LEFT + (at - self.start).total_seconds() * self._per_second, 1)

    def ticks(self) -> list[tuple[float, str]]:
        seconds = (self.end - self.start).total_seconds()
        step = next((s for s in _STEPS_S if seconds / s <= 8), _STEPS_S[-1])
        first = int(self.start.timestamp() // step + 1) * step
        tz = self.start.tzinfo
        moments = [
            datetime.fromtimestamp(at, tz) for at in range(first, int(self.end.timestamp()), step)
        ]
        # A label needs room on both sides.
        return [
            (self.x(at), clock(at)) for at in moments if LEFT + 26 < self.x(at) < WIDTH - RIGHT - 26
        ]


def _bands(rules: Rules) -> list[Band]:
    edges: list[tuple[float, str]] = [(low, name) for name, low in rules.risk.levels.items()]
    edges.sort(reverse=True)
    bands = pairwise([(1.0, ""), *edges])
    return [
        Band(name, _score_y(top), _score_y(low) - _score_y(top)) for (top, _), (low, name) in bands
    ]


def _score_y(score: float) -> float:
    return round(SCORE_BOTTOM - score * (SCORE_BOTTOM - SCORE_TOP), 1)


def _steps(points: Iterable[tuple[datetime, float]], scale: _Scale) -> str:
    """The path of a step function; 0 before the first point."""
    path = f"M{LEFT} {SCORE_BOTTOM}"
    for at, value in points:
        path += f"H{scale.x(at):g}V{_score_y(value):g}"
    return f"{path}H{WIDTH - RIGHT}"


def _mark(event: Activity, scale: _Scale, largest: Decimal) -> Mark:
    x = scale.x(event.at)
    title = f"{clock(event.at)} {describe(event)}"
    pattern = event.fired[0] if event.fired else None
    tone = "failed" if event.failed else "fine"
    if event.amount is None:
        return Mark(x, ACCESS, event.kind, tone, pattern, title)
    # The square root shows small payments beside large ones.
    share = float((event.base_amount or 0) / largest) ** 0.5 if largest else 0.0
    top = MONEY_BOTTOM - max(2.0, share * (MONEY_BOTTOM - MONEY_TOP))
    return Mark(x, round(top, 1), event.kind, tone, pattern, title)
