"""The offline map."""

import re

import pytest

from detector.console.shell.worldmap import AUSTRALIA, WORLD, arc, land
from producers.generators.geography import AUSTRALIAN_CITIES, WORLD_CITIES

_DOTS = {
    view.name: [
        (float(x), float(y))
        for x, y in re.findall(
            r"M([\d.]+) ([\d.]+)h0", land().partition(f'id="{view.name}"')[2].partition("</s")[0]
        )
    ]
    for view in (WORLD, AUSTRALIA)
}


@pytest.mark.parametrize("city", [*AUSTRALIAN_CITIES, *WORLD_CITIES], ids=lambda city: city.city)
def test_cities_lie_on_land(city: object) -> None:
    """Each city of the synthetic bank stands on or beside a dot of the world's land."""
    assert WORLD.shows(city.latitude, city.longitude)  # type: ignore[attr-defined]
    x, y = WORLD.point(city.latitude, city.longitude)  # type: ignore[attr-defined]
    nearest = min(max(abs(x - a), abs(y - b)) for a, b in _DOTS["world"])
    assert nearest <= 1.6 * WORLD.step


@pytest.mark.parametrize("city", AUSTRALIAN_CITIES, ids=lambda city: city.city)
def test_the_view_of_australia_shows_its_cities(city: object) -> None:
    """Each stands on or beside a dot there too, and none from overseas is shown."""
    x, y = AUSTRALIA.point(city.latitude, city.longitude)  # type: ignore[attr-defined]
    nearest = min(max(abs(x - a), abs(y - b)) for a, b in _DOTS["australia"])
    assert nearest <= 1.6 * AUSTRALIA.step
    assert not any(AUSTRALIA.shows(c.latitude, c.longitude) for c in WORLD_CITIES)


@pytest.mark.parametrize(
    ("latitude", "longitude"), [(-30, 165), (0, -30), (35, 180), (-40, 90), (42, 51)]
)
def test_seas_are_empty(latitude: float, longitude: float) -> None:
    """No dot stands in the Tasman Sea, the Atlantic, the Pacific, the Indian Ocean, the Caspian."""
    x, y = WORLD.point(latitude, longitude)
    assert all(max(abs(x - a), abs(y - b)) > 0.9 * WORLD.step for a, b in _DOTS["world"])


def test_an_arc_joins_its_ends_and_bends_up() -> None:
    """The longer the trip, the higher its middle."""
    assert arc((0, 10), (10, 10)) == "M0 10Q5.00 7.80 10 10"
