"""The overview's view: figures, sparklines, the chart and maps."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, Literal, NamedTuple

from detector.console.overview.chart import HourChart
from detector.console.overview.model import SIGNALS, Overview
from detector.console.queries.signals import SignalRow
from detector.console.queries.trips import Trip
from detector.console.shell.worldmap import AUSTRALIA, WORLD, View, arc
from detector.core.data import JsonObject
from detector.signals.rules import LEVELS, Level

Span = Literal["1h", "6h", "24h"]
SPANS: dict[Span, timedelta] = {
    "1h": timedelta(hours=1),
    "6h": timedelta(hours=6),
    "24h": timedelta(hours=24),
}
_LETTER, _LINE = 0.85, 1.7  # width and height of letters on the map, in degrees


class City(NamedTuple):
    """A city on the map, with its name beside it: to the left in the right half."""

    name: str
    x: float
    y: float
    left: bool

    @classmethod
    def at(cls, name: str, x: float, y: float, view: View) -> "City":
        """A city whose name is placed towards the middle of the view."""
        return cls(name, x, y, x > view.width / 2)

    @property
    def text_x(self) -> float:
        """Where the name starts, or ends if it is to the left."""
        return self.x + (-1 if self.left else 1)

    def hides(self, other: "City") -> bool:
        """Whether the two names would overlap."""
        (a, b), (c, d) = self._reach(), other._reach()
        return bool(other.name) and a < d and c < b and abs(self.y - other.y) < _LINE

    def _reach(self) -> tuple[float, float]:
        width = 1 + _LETTER * len(self.name)
        return (self.x - width, self.x) if self.left else (self.x, self.x + width)


class TripArc(NamedTuple):
    """A trip as drawn on a map."""

    trip: Trip
    path: str
    end: tuple[float, float]


@dataclass(frozen=True, slots=True)
class OverviewPage:
    """Everything overview/page.html may use."""

    now: Overview
    chart: HourChart
    span: Span = "1h"
    until: datetime | None = None
    spans: ClassVar[dict[Span, timedelta]] = SPANS
    title: str = "Overview"
    nav: str = "overview"
    rows: int = SIGNALS
    levels: tuple[Level, ...] = LEVELS
    maps: tuple[View, ...] = (WORLD, AUSTRALIA)

    def feed(self) -> list[tuple[SignalRow, int]]:
        """The newest signal of each pattern and account or customer, and how many there are."""
        groups: dict[tuple[str, str], list[SignalRow]] = {}
        for signal in self.now.signals:
            who = signal.account_id or signal.customer_id
            groups.setdefault((signal.pattern, who), []).append(signal)
        return [(group[0], len(group)) for group in groups.values()]

    def series(self, name: str) -> list[float]:
        """A figure of each complete minute: `transactions`, `flagged`, or `rate` in percent."""
        complete = self.now.minutes[:-1]
        if name == "rate":
            return [100 * m.flagged / m.transactions if m.transactions else 0 for m in complete]
        return [getattr(m, name) for m in complete]

    def arcs(self, view: View) -> list[TripArc]:
        """The trips within a view, oldest first, so that newer ones are drawn on top."""
        arcs = []
        for trip in reversed(self.now.trips):
            if all(view.shows(s.latitude, s.longitude) for s in (trip.start, trip.end)):
                start = view.point(trip.start.latitude, trip.start.longitude)
                end = view.point(trip.end.latitude, trip.end.longitude)
                arcs.append(TripArc(trip, arc(start, end), end))
        return arcs

    def cities(self, view: View) -> list[City]:
        """The ends of the trips within a view; a name that would overlap another is empty."""
        trips = [arc.trip for arc in self.arcs(view)]
        spots = {s.city: s for trip in trips for s in (trip.end, trip.start)}
        cities: list[City] = []
        for name, spot in reversed(spots.items()):
            city = City.at(name, *view.point(spot.latitude, spot.longitude), view)
            free = not any(city.hides(other) for other in cities)
            cities.append(city if free else city._replace(name=""))
        return cities

    def data(self) -> JsonObject:
        """The initial data of the page's script."""
        return self.now.model_dump(mode="json", include={"minutes", "signals"})
