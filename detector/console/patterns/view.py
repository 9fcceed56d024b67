"""The patterns page's view."""

from dataclasses import dataclass
from typing import NamedTuple

from detector.console.http.formatting import number, percent
from detector.console.patterns.model import PatternFacts, Patterns
from detector.console.queries.minutes import HOUR
from detector.core.text import DASH

SPARK_HEIGHT = 20
_UNITS = {"km": " km", "money": " AUD", "count": ""}


class Figure(NamedTuple):
    """One figure of a pattern: its name, its value, and a qualifier."""

    title: str
    value: str
    note: str = ""
    tip: str = ""


class Bar(NamedTuple):
    """The signals of one minute, in a box one unit wide per minute."""

    x: float
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class PatternsPage:
    """Everything patterns/page.html may use."""

    now: Patterns
    may_release: bool
    may_change: bool
    four_eyes: bool
    title: str = "Patterns"
    nav: str = "patterns"

    def threshold(self, facts: PatternFacts) -> str:
        """The threshold with its unit."""
        return f"{number(facts.threshold)}{_UNITS[facts.unit]}"

    def bars(self, facts: PatternFacts) -> list[Bar]:
        """The last hour's signals per minute, the newest at the right end of sixty."""
        first = HOUR - len(facts.per_minute)
        scale = (SPARK_HEIGHT - 1) / max(1, *facts.per_minute)
        return [
            Bar(first + x + 0.12, round(SPARK_HEIGHT - count * scale, 2), round(count * scale, 2))
            for x, count in enumerate(facts.per_minute)
            if count
        ]

    def figures(self, facts: PatternFacts) -> list[Figure]:
        """Frequency, precision and time to detect of the pattern."""
        return [
            Figure("Last minute", number(facts.last_minute)),
            Figure("Last hour", number(facts.last_hour)),
            Figure("All time", number(facts.in_all)),
            Figure("Open cases", number(facts.open_cases)),
            self.precision(facts),
            _time_to_detect(facts),
        ]

    def precision(self, facts: PatternFacts) -> Figure:
        """How often the pattern is right, by its closed cases."""
        return _precision(facts)

    def share(self, first: str, second: str) -> float | None:
        """Of the open cases with the first pattern, the share that also have the second."""
        cases = self.now.together[first][first]
        return self.now.together[first][second] / cases if cases else None


def _precision(facts: PatternFacts) -> Figure:
    found = facts.precision
    decided = found.right + found.wrong
    said, value = "none decided", DASH
    share = found.share
    if share is not None and found.low is not None and found.high is not None:
        said = f"{100 * found.low:.0f} to {100 * found.high:.0f}%, {number(decided)} decided"
        # A share of a few decisions says little: then their number is shown.
        value = f"{found.right} of {decided}" if decided < 10 else percent(100 * share, 0)
    return Figure(
        "Precision",
        value,
        said,
        f"Closed cases with this pattern: {found.right} right, {found.wrong} false positives, "
        f"{found.inconclusive} inconclusive (not counted)",
    )


def _time_to_detect(facts: PatternFacts) -> Figure:
    title, found = "Time to detect", facts.detection_time
    if found.at_once:
        return Figure(title, "0 s", "", "Judges single events: fires at the first one")
    if found.p50_s is None or found.p95_s is None:
        return Figure(title, number(None), "no burst yet")
    return Figure(
        title,
        f"{number(found.p50_s, 1)} s",
        f"p95 {number(found.p95_s, 1)} s",
        "Median event time from the first event of a burst to the one at which it fires; newest "
        f"{found.sample} bursts",
    )
