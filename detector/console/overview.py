"""What the first screen shows."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from pydantic import BaseModel, Field

from detector.console.context import Context, Reader
from detector.console.evidence import SignalRow, signal_list
from detector.console.filters import QueueFilters
from detector.console.pulse import MinuteCounts, Pulse
from detector.console.queue import CaseRow, top_cases
from detector.console.trips import Trip, newest_trips
from detector.console.worldmap import AUSTRALIA, WORLD, View
from detector.core.rules import Level

MINUTES = 60
SIGNALS = 30
ACCOUNTS = 7
CASES = 5
BANDS = 20
_MINUTE = timedelta(minutes=1)
_LETTER, _LINE = 0.85, 1.7  # width and height of letters on the map, in degrees
LEVELS: tuple[Level, ...] = ("critical", "high", "medium", "low")


class AccountRisk(BaseModel):
    """An account with a score above 0 at this moment."""

    account_id: str
    customer_id: str
    risk_score: float
    risk_level: Level
    patterns: list[str]
    last_signal_at: datetime


class Band(BaseModel):
    """How many accounts have a score in (above, up_to]."""

    above: float
    up_to: float
    level: Level = Field(description="That of a score at the band's upper end.")
    accounts: int


class Overview(BaseModel):
    """The state of the bank: counts, the last hour by the minute, and what is worst and newest."""

    pulse: Pulse
    minutes: list[MinuteCounts] = Field(description="The last hour of event time, without gaps.")
    signals: list[SignalRow]
    cases: list[CaseRow]
    accounts: list[AccountRisk]
    bands: list[Band]
    trips: list[Trip]


class City(NamedTuple):
    """A city on the map, and its name beside it: to the left in the right half."""

    name: str
    x: float
    y: float
    left: bool

    @classmethod
    def at(cls, name: str, x: float, y: float, view: View) -> "City":
        """A city whose name is written towards the middle of the view."""
        return cls(name, x, y, x > view.width / 2)

    def hides(self, other: "City") -> bool:
        """Whether the two names would overlap."""
        (a, b), (c, d) = self._reach(), other._reach()
        return bool(other.name) and a < d and c < b and abs(self.y - other.y) < _LINE

    def _reach(self) -> tuple[float, float]:
        width = 1 + _LETTER * len(self.name)
        return (self.x - width, self.x) if self.left else (self.x, self.x + width)


@dataclass(frozen=True, slots=True)
class OverviewPage:
    """Everything overview.html may use."""

    now: Overview
    title: str = "Overview"
    nav: str = "overview"
    rows: int = SIGNALS
    levels: tuple[Level, ...] = LEVELS
    world: View = WORLD
    australia: View = AUSTRALIA

    @property
    def fullest(self) -> int:
        """The most signals of one minute, at least 1: the top of the bars."""
        return max(1, *(sum(m.signals.values()) for m in self.now.minutes))

    def series(self, name: str) -> list[float]:
        """A figure of each whole minute: `transactions`, `flagged`, or `rate` in percent."""
        whole = self.minutes[:-1]
        if name == "rate":
            return [100 * m.flagged / m.transactions if m.transactions else 0 for m in whole]
        return [getattr(m, name) for m in whole]

    def trips(self, view: View) -> list[Trip]:
        """The trips within a view, the oldest first, so that newer ones are drawn over them."""
        return [
            trip
            for trip in reversed(self.now.trips)
            if all(view.shows(s.latitude, s.longitude) for s in (trip.start, trip.end))
        ]

    def cities(self, view: View) -> list[City]:
        """Where the trips within a view begin and end; a name that would hide another is empty."""
        spots = {s.city: s for trip in self.trips(view) for s in (trip.end, trip.start)}
        cities: list[City] = []
        for name, spot in reversed(spots.items()):
            city = City.at(name, *view.point(spot.latitude, spot.longitude), view)
            free = not any(city.hides(other) for other in cities)
            cities.append(city if free else city._replace(name=""))
        return cities

    @property
    def minutes(self) -> list[MinuteCounts]:
        """The last hour."""
        return self.now.minutes

    def data(self) -> dict[str, Any]:
        """What overview.js starts from."""
        return self.now.model_dump(mode="json", include={"minutes", "signals"})


def overview(context: Context) -> Overview:
    """The state of the bank at this moment."""
    reader, pulse = context.reader, context.pulse.now()
    return Overview(
        pulse=pulse,
        minutes=without_gaps(context.pulse.minutes(), pulse.watermark or pulse.at),
        signals=signal_list(reader, {}, limit=SIGNALS),
        cases=top_cases(reader, context.desk, QueueFilters(), CASES),
        accounts=_riskiest(reader),
        bands=_bands(context),
        trips=newest_trips(reader, context.rules),
    )


def without_gaps(minutes: list[MinuteCounts], until: datetime) -> list[MinuteCounts]:
    """Sixty minutes in a row, the last of them that of `until`; quiet ones are all zero."""
    known = {m.minute.astimezone(UTC): m for m in minutes}
    last = until.astimezone(UTC).replace(second=0, microsecond=0)
    hour = [last - n * _MINUTE for n in reversed(range(MINUTES))]
    quiet = {"transactions": 0, "amount": Decimal(0), "flagged": 0, "signals": {}}
    return [known.get(minute) or MinuteCounts(minute=minute, **quiet) for minute in hour]


def _riskiest(reader: Reader) -> list[AccountRisk]:
    rows = reader.rows(
        "SELECT account_id, customer_id, risk_score, risk_level, patterns, last_signal_at "
        "FROM mv_account_risk_score_realtime "
        f"ORDER BY risk_score DESC, last_signal_at DESC, account_id LIMIT {ACCOUNTS:d}"
    )
    return [AccountRisk(**{**row, "patterns": row["patterns"].split(", ")}) for row in rows]


def _bands(context: Context) -> list[Band]:
    """Scores above 0 in equal bands, empty ones too."""
    rows = context.reader.rows(
        f"SELECT CAST(CEIL(risk_score * {BANDS:d} - 0.000001) AS INTEGER) AS band, "
        "COUNT(*) AS accounts FROM mv_account_risk_score_realtime GROUP BY 1"
    )
    found = {row["band"]: row["accounts"] for row in rows}
    return [
        Band(
            above=(band - 1) / BANDS,
            up_to=band / BANDS,
            level=context.rules.risk.level(band / BANDS),
            accounts=found.get(band, 0),
        )
        for band in range(1, BANDS + 1)
    ]
