"""Where customers live and shop: cities, distances, and the location of travellers."""

import math
import random
from datetime import datetime
from typing import NamedTuple

from producers.generators.identifiers import fingerprint

EARTH_RADIUS_KM = 6371.0088
_KM_PER_DEGREE = 111.2


class Place(NamedTuple):
    """A city, or a point in it."""

    city: str
    country: str
    state: str
    latitude: float
    longitude: float


# Estimated resident population of June 2024 in thousands; the towns carry the rest of their state.
AUSTRALIAN_CITIES: dict[Place, int] = {
    Place("Sydney", "AU", "NSW", -33.8688, 151.2093): 5557,
    Place("Melbourne", "AU", "VIC", -37.8136, 144.9631): 5351,
    Place("Brisbane", "AU", "QLD", -27.4698, 153.0251): 2780,
    Place("Perth", "AU", "WA", -31.9505, 115.8605): 2384,
    Place("Adelaide", "AU", "SA", -34.9285, 138.6007): 1469,
    Place("Canberra", "AU", "ACT", -35.2809, 149.1300): 474,
    Place("Hobart", "AU", "TAS", -42.8821, 147.3272): 255,
    Place("Darwin", "AU", "NT", -12.4634, 130.8456): 152,
    Place("Gold Coast", "AU", "QLD", -28.0167, 153.4000): 735,
    Place("Newcastle", "AU", "NSW", -32.9283, 151.7817): 517,
    Place("Sunshine Coast", "AU", "QLD", -26.6500, 153.0667): 408,
    Place("Wollongong", "AU", "NSW", -34.4278, 150.8931): 299,
    Place("Geelong", "AU", "VIC", -38.1499, 144.3617): 299,
    Place("Townsville", "AU", "QLD", -19.2590, 146.8169): 191,
    Place("Cairns", "AU", "QLD", -16.9186, 145.7781): 163,
    Place("Toowoomba", "AU", "QLD", -27.5598, 151.9507): 163,
}
WORLD_CITIES: tuple[Place, ...] = (
    Place("Auckland", "NZ", "", -36.8509, 174.7645),
    Place("Singapore", "SG", "", 1.3521, 103.8198),
    Place("Denpasar", "ID", "", -8.6500, 115.2167),
    Place("Bangkok", "TH", "", 13.7563, 100.5018),
    Place("Hong Kong", "HK", "", 22.3193, 114.1694),
    Place("Tokyo", "JP", "", 35.6762, 139.6503),
    Place("Los Angeles", "US", "", 34.0522, -118.2437),
    Place("New York", "US", "", 40.7128, -74.0060),
    Place("London", "GB", "", 51.5074, -0.1278),
    Place("Amsterdam", "NL", "", 52.3676, 4.9041),
)
_ALL_CITIES = (*AUSTRALIAN_CITIES, *WORLD_CITIES)


def distance_km(a: Place, b: Place) -> float:
    """Return the great-circle distance of two places."""
    lat_a, lat_b = math.radians(a.latitude), math.radians(b.latitude)
    half_lat = math.sin((lat_b - lat_a) / 2)
    half_lon = math.sin(math.radians(b.longitude - a.longitude) / 2)
    square = half_lat**2 + math.cos(lat_a) * math.cos(lat_b) * half_lon**2
    return 2 * EARTH_RADIUS_KM * math.asin(math.sqrt(square))


def near(place: Place, rng: random.Random, spread_km: float) -> Place:
    """Return a point about `spread_km` around the place, never further than twice that."""
    limit = 2 * spread_km
    north = max(-limit, min(limit, rng.gauss(0, spread_km / 2))) / _KM_PER_DEGREE
    east = max(-limit, min(limit, rng.gauss(0, spread_km / 2))) / _KM_PER_DEGREE
    # At most 1/sqrt(2) on each axis, so that the diagonal stays within the limit too.
    latitude = place.latitude + north * 0.7
    longitude = place.longitude + east * 0.7 / math.cos(math.radians(place.latitude))
    return Place(place.city, place.country, place.state, round(latitude, 5), round(longitude, 5))


def cities_beyond(place: Place, km: float, at_most_km: float = math.inf) -> list[Place]:
    """Return the cities further than `km` from a place, at home and overseas."""
    return [city for city in _ALL_CITIES if km < distance_km(place, city) <= at_most_km]


class Itinerary:
    """Where a frequent flyer is at any time: a function of the customer and the time alone.

    Home, a flight, the other city, a flight, home again. Around a flight the card is unused for
    more than three hours, or for as long as an airliner needs. As there is no state, a restarted
    bank finds the customer where the previous run left them.
    """

    def __init__(self, customer_id: str, home: Place) -> None:
        rng = random.Random(fingerprint(customer_id, "itinerary"))
        self._home = home
        self._customer_id = customer_id
        self._destinations = cities_beyond(home, 1_100, at_most_km=7_000)
        longest_h = max(_flight_h(home, city) for city in self._destinations)
        self._cycle_h = 2 * longest_h + rng.uniform(8, 24)
        self._phase_h = rng.uniform(0, self._cycle_h)

    def location(self, at: datetime) -> Place | None:
        """Return the city the customer is in, or None while no card can be presented."""
        hours = at.timestamp() / 3600 + self._phase_h
        trip, into_trip_h = divmod(hours, self._cycle_h)
        choice = random.Random(fingerprint(self._customer_id, int(trip)))
        destination = choice.choice(self._destinations)
        flight_h = _flight_h(self._home, destination)
        on_ground_h = (self._cycle_h - 2 * flight_h) / 2
        if into_trip_h < on_ground_h:
            return self._home
        if on_ground_h + flight_h <= into_trip_h < 2 * on_ground_h + flight_h:
            return destination
        return None


def _flight_h(home: Place, destination: Place) -> float:
    return max(3.5, 2.0 + distance_km(home, destination) / 800)
