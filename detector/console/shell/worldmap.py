"""The offline map: simplified hand-drawn coastlines, shown as a grid of dots.

Dots hide the simplification and keep the background quiet behind the trips. Both views are plain
cylindrical projections: `x` grows with the longitude and `y` falls with the latitude. The map is
cut in the Atlantic, so that Australia is near its centre.
"""

import json
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import NamedTuple


class View(NamedTuple):
    """A section of the earth, in degrees; `squeeze` corrects for the length of its parallels."""

    name: str
    west: float
    east: float
    north: float
    south: float
    step: float
    squeeze: float

    @property
    def width(self) -> float:
        """Width of the view box."""
        return (self.east - self.west) * self.squeeze

    @property
    def box(self) -> str:
        """The SVG view box."""
        return f"0 0 {self.width:g} {self.north - self.south:g}"

    def point(self, latitude: float, longitude: float) -> tuple[float, float]:
        """The position of a place in the view box."""
        turned = longitude if longitude >= self.west else longitude + 360
        return (
            round((turned - self.west) * self.squeeze, 2),
            round(self.north - latitude, 2),
        )

    def shows(self, latitude: float, longitude: float) -> bool:
        """Whether a place lies within the view."""
        turned = longitude if longitude >= self.west else longitude + 360
        return self.west <= turned <= self.east and self.south <= latitude <= self.north


WORLD = View("world", -28, 332, 74, -56, 2.0, 1.0)
AUSTRALIA = View("australia", 111, 156, -9, -44.5, 0.75, 0.88)


def arc(start: tuple[float, float], end: tuple[float, float], lift: float = 0.22) -> str:
    """The path of a trip: the longer, the more it curves upwards."""
    (x1, y1), (x2, y2) = start, end
    length = ((x2 - x1) ** 2 + (y2 - y1) ** 2) ** 0.5
    bend_x, bend_y = (x1 + x2) / 2, (y1 + y2) / 2 - lift * length
    return f"M{x1:g} {y1:g}Q{bend_x:.2f} {bend_y:.2f} {x2:g} {y2:g}"


@cache
def land() -> str:
    """An SVG file with one symbol per view: `#world` and `#australia`."""
    symbols = "".join(
        f'<symbol id="{view.name}" viewBox="{view.box}"><path d="{_dots(view)}" fill="none" '
        f'stroke="currentColor" stroke-width="{view.step * 0.56:g}" stroke-linecap="round"/>'
        "</symbol>"
        for view in (WORLD, AUSTRALIA)
    )
    return f'<svg xmlns="http://www.w3.org/2000/svg">{symbols}</svg>'


def _dots(view: View) -> str:
    path = []
    for row in range(int((view.north - view.south) / view.step)):
        latitude = view.north - view.step * (row + 0.5)
        ashore, afloat = _spans("land", latitude), _spans("lakes", latitude)
        for column in range(int((view.east - view.west) * view.squeeze / view.step)):
            longitude = view.west + view.step * (column + 0.5) / view.squeeze
            if _among(ashore, longitude) and not _among(afloat, longitude):
                x, y = view.point(latitude, longitude)
                path.append(f"M{x:g} {y:g}h0")
    return "".join(path)


def _among(spans: list[tuple[float, float]], longitude: float) -> bool:
    turned = longitude - 360
    return any(west <= longitude < east or west <= turned < east for west, east in spans)


def _spans(kind: str, latitude: float) -> list[tuple[float, float]]:
    """The sections of a parallel inside the outlines: between odd and even crossings."""
    spans: list[tuple[float, float]] = []
    for outline in _outlines()[kind]:
        crossings = sorted(
            x1 + (latitude - y1) * (x2 - x1) / (y2 - y1)
            for (x1, y1), (x2, y2) in pairwise([*outline, outline[0]])
            if (y1 > latitude) != (y2 > latitude)
        )
        spans += zip(crossings[::2], crossings[1::2], strict=True)
    return spans


@cache
def _outlines() -> dict[str, list[list[tuple[float, float]]]]:
    drawn = json.loads(
        files("detector.console.shell").joinpath("coastlines.json").read_text("utf-8")
    )
    return {
        kind: [
            [(float(x), float(y)) for x, y in (corner.split() for corner in text.split(", "))]
            for text in shapes.values()
        ]
        for kind, shapes in drawn.items()
    }
