"""The strip "usual for this customer": earlier payments in grey, those of the case marked."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import log
from typing import NamedTuple

from detector.console.http.formatting import money
from detector.console.queries.usual import Amounts, Habit, Hours, Usual


class AmountStrip(NamedTuple):
    """Amounts on a logarithmic scale; positions are percentages of its width."""

    earlier: list[float]
    now: list[tuple[float, str]]
    usual: float
    most: float
    words: str


class HourBar(NamedTuple):
    """One hour of the day; the height is a percentage of the busiest."""

    hour: int
    height: float
    now: bool
    unusual: bool


@dataclass(frozen=True, slots=True)
class UsualStrip:
    """What the template shows."""

    usual: Usual
    amounts: AmountStrip | None
    hours: list[HourBar]
    hours_words: str
    habits: list[Habit]


def usual_strip(usual: Usual | None, zone: str) -> UsualStrip | None:
    """The strip; None without earlier payments."""
    if usual is None:
        return None
    return UsualStrip(
        usual=usual,
        amounts=_amounts(usual.amounts) if usual.amounts else None,
        hours=_bars(usual.hours),
        hours_words=_hours_words(usual.hours, usual.payments, zone),
        habits=usual.habits,
    )


def _amounts(amounts: Amounts) -> AmountStrip:
    shown = [*amounts.earlier, *amounts.now]
    low, high = (log(max(float(edge(shown)), 0.01)) for edge in (min, max))

    def x(amount: Decimal) -> float:
        at = log(max(float(amount), 0.01))
        return round(100 * (at - low) / (high - low), 1) if high > low else 50.0

    words = f"Usually {money(amounts.usual)}; 95 % are at most {money(amounts.most)}."
    if amounts.times is not None:
        largest = money(max(amounts.now))
        words = f"{largest} is {_times(amounts.times)} the usual. {words}"
    return AmountStrip(
        earlier=[x(amount) for amount in amounts.earlier],
        now=[(x(amount), money(amount)) for amount in amounts.now],
        usual=x(amounts.usual),
        most=x(amounts.most),
        words=words,
    )


def _times(times: float) -> str:
    return f"{times:,.0f} times" if times >= 10 else f"{times:.1f} times"


def _bars(hours: Hours) -> list[HourBar]:
    busiest = max(hours.earlier) or 1
    return [
        HourBar(hour, round(100 * count / busiest, 1), hours.now[hour] > 0, hour in hours.unusual)
        for hour, count in enumerate(hours.earlier)
    ]


def _hours_words(hours: Hours, payments: int, zone: str) -> str:
    now = [hour for hour, count in enumerate(hours.now) if count]
    if not now:
        return f"Hours in {zone}."
    earlier = sum(hours.earlier[hour] for hour in now)
    return f"{_clock(now)} {zone}, as {earlier} of {payments} earlier payments."


def _clock(hours: Sequence[int]) -> str:
    return ", ".join(f"{hour:02d}:00-{(hour + 1) % 24:02d}:00" for hour in hours)
