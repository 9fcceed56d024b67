"""The chart of an hour or more: signals by pattern over time, and the fraud rate below."""

from datetime import datetime, timedelta
from typing import NamedTuple

from detector.console.http.formatting import clock, zone
from detector.console.queries.minutes import HOUR, MinuteCounts
from detector.console.shell import plots
from detector.console.shell.plots import Tick
from detector.signals.rules import Rules

_GAP = 0.12
_WIDTH = 1 - 2 * _GAP


class Column(NamedTuple):
    """A minute or longer: its place, what it says when pointed at, and the hour around it."""

    x: int
    title: str
    href: str


class HourChart(NamedTuple):
    """The chart in a box of 60 by 100; `bars` has one SVG path a pattern."""

    bars: dict[str, str]
    columns: list[Column]
    rate: str
    x_ticks: list[Tick]
    signal_ticks: list[Tick]
    rate_ticks: list[Tick]


def hour_chart(minutes: list[MinuteCounts], rules: Rules, step: timedelta) -> HourChart:
    """Draw up to sixty steps, the newest at the right end; before the first there is nothing."""
    first = HOUR - len(minutes)
    most = plots.top_of(max(1, *(sum(m.signals.values()) for m in minutes)))
    rates = [_rate(m) for m in minutes]
    highest = plots.top_of(max(0.1, *rates))
    bars: dict[str, str] = {}
    for n, minute in enumerate(minutes):
        top = 100.0
        for pattern, count in minute.signals.items():
            if count:
                height = 100 * count / most
                top -= height
                bar = f"M{first + n + _GAP:g} {top:.2f}h{_WIDTH:g}v{height:.2f}h-{_WIDTH:g}z"
                bars[pattern] = bars.get(pattern, "") + bar
    complete = [(first + n + 0.5, 100 - 100 * rate / highest) for n, rate in enumerate(rates[:-1])]
    end = minutes[-1].minute + step
    return HourChart(
        bars=bars,
        columns=[
            Column(first + n, _title(m, rules, step), _hour_around(m.minute + step / 2))
            for n, m in enumerate(minutes)
        ],
        rate=plots.line(complete),
        x_ticks=plots.times(end - HOUR * step, end),
        signal_ticks=plots.up(most),
        rate_ticks=plots.up(highest, "%")[1:],
    )


def _rate(minute: MinuteCounts) -> float:
    return 100 * minute.flagged / minute.transactions if minute.transactions else 0.0


def _hour_around(at: datetime) -> str:
    until = (at + timedelta(minutes=30)).replace(second=0, microsecond=0)
    return f"/?until={until:%Y-%m-%dT%H:%MZ}"


def _title(minute: MinuteCounts, rules: Rules, step: timedelta) -> str:
    fired = [
        f"{rules.patterns[name].title}: {count}"
        for name, count in minute.signals.items()
        if count and name in rules.patterns
    ]
    said = f"{minute.transactions:,} transactions, {_rate(minute):.2f}% flagged"
    span = clock(minute.minute)[:5]
    if step > timedelta(minutes=1):
        span = f"{span} to {clock(minute.minute + step)[:5]}"
    return "\n".join([f"{span} {zone()}: {said}", *fired])
