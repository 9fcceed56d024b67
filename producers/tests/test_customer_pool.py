"""The customers: how many, who they are, where they live, and that they stay the same."""

from collections import Counter
from datetime import timedelta

import pytest

from producers.generators.customer_pool import CustomerPool
from producers.generators.geography import AUSTRALIAN_CITIES, distance_km
from producers.models import CardEvent
from producers.tests.conftest import START


@pytest.mark.parametrize("size", [10, 123])
def test_a_pool_has_the_size_asked_for(size: int) -> None:
    """Neither more nor fewer customers."""
    assert len(CustomerPool(size, seed=1)) == len(CustomerPool(size, seed=1).customers) == size


def test_a_pool_depends_on_its_seed_alone(pool: CustomerPool) -> None:
    """The same seed gives the same customers; another seed gives others."""
    ids = [card.token for c in pool.customers for a in c.accounts for card in a.cards]
    again = [
        card.token for c in CustomerPool(500, 7).customers for a in c.accounts for card in a.cards
    ]
    other = [
        card.token for c in CustomerPool(500, 8).customers for a in c.accounts for card in a.cards
    ]
    assert ids == again
    assert not set(ids) & set(other)


def test_a_larger_pool_begins_with_the_same_customers() -> None:
    """Raising the size keeps everybody who was there."""
    small, large = CustomerPool(10, 7), CustomerPool(20, 7)
    assert [(c.customer_id, c.home) for c in small.customers] == [
        (c.customer_id, c.home) for c in large.customers[:10]
    ]


def test_all_identifiers_are_unique(pool: CustomerPool) -> None:
    """No customer, account, card or device appears twice."""
    ids = [c.customer_id for c in pool.customers]
    ids += [a.account_id for c in pool.customers for a in c.accounts]
    ids += [card.token for c in pool.customers for a in c.accounts for card in a.cards]
    ids += [device for c in pool.customers for device in c.registered_device_ids]
    assert len(ids) == len(set(ids))


def test_every_customer_has_accounts_cards_and_devices(pool: CustomerPool) -> None:
    """One to three accounts, a card on each, and a registered device."""
    for customer in pool.customers:
        assert 1 <= len(customer.accounts) <= 3
        assert all(account.cards for account in customer.accounts)
        assert customer.registered_device_ids


def test_cards_are_synthetic(pool: CustomerPool) -> None:
    """Tokens begin with a letter; the numbers' first digits belong to no card scheme."""
    for customer in pool.customers:
        for account in customer.accounts:
            for card in account.cards:
                assert CardEvent(
                    event_id="e", card_token=card.token, account_id="a", customer_id="c",
                    event_type="ISSUED", occurred_at=START,
                )  # fmt: skip
                assert card.bin.startswith("9036") and len(card.bin) == 6
                assert len(card.last4) == 4 and card.last4.isdigit()


def test_homes_are_near_their_city(pool: CustomerPool) -> None:
    """No customer lives more than 30 km from the city of their profile."""
    cities = {city.city: city for city in AUSTRALIAN_CITIES}
    for customer in pool.customers:
        assert distance_km(customer.home, cities[customer.home.city]) <= 30


def test_homes_are_in_australia(pool: CustomerPool) -> None:
    """All coordinates lie in the country's box."""
    for customer in pool.customers:
        assert -44 < customer.home.latitude < -10
        assert 112 < customer.home.longitude < 154


def test_large_cities_have_more_customers(pool: CustomerPool) -> None:
    """The order of the cities' populations shows."""
    homes = Counter(customer.home.city for customer in pool.customers)
    assert homes["Sydney"] > homes["Perth"] > homes["Darwin"]
    assert homes["Melbourne"] > homes["Adelaide"] > homes["Hobart"]


def test_risk_and_kyc_status_go_together() -> None:
    """High-risk customers are verified less often, and exposed persons are high-risk."""
    customers = CustomerPool(2_000, 7).customers
    verified = {
        tier: [c.kyc_status == "VERIFIED" for c in customers if c.risk_tier == tier]
        for tier in ("LOW", "HIGH")
    }
    assert sum(verified["LOW"]) / len(verified["LOW"]) > 0.9
    assert sum(verified["HIGH"]) / len(verified["HIGH"]) < 0.8
    exposed = [c for c in customers if c.is_pep]
    assert exposed and all(c.risk_tier == "HIGH" for c in exposed)


def test_there_are_frequent_flyers_and_cash_businesses(pool: CustomerPool) -> None:
    """There are customers for the look-alikes."""
    assert any(c.is_frequent_flyer for c in pool.customers)
    assert any(c.segment == "CASH_BUSINESS" for c in pool.customers)


def test_a_customer_is_found_by_id(pool: CustomerPool) -> None:
    """The pool is a mapping by customer id."""
    assert pool[pool.customers[3].customer_id] is pool.customers[3]


def test_no_flight_is_faster_than_an_airliner(pool: CustomerPool) -> None:
    """Between two places more than 1,000 km apart a card is silent for three hours and more."""
    step = timedelta(minutes=10)
    for itinerary in [c.itinerary for c in pool.customers if c.itinerary][:6]:
        last_at, last = START, None
        trips = 0
        for number in range(6 * 24 * 8):
            at = START + number * step
            place = itinerary.location(at)
            if place is None:
                continue
            if last is not None and distance_km(last, place) > 1_000:
                trips += 1
                assert at - last_at >= timedelta(hours=3)
            last_at, last = at, place
        assert trips >= 2


def test_a_flyers_location_depends_on_the_time_alone() -> None:
    """A location depends on the customer and the time alone, so a restart moves no customer."""
    first, second = CustomerPool(300, 7), CustomerPool(300, 7)
    at = START + timedelta(hours=31)
    places = [c.itinerary.location(at) for c in first.customers if c.itinerary]
    assert places == [c.itinerary.location(at) for c in second.customers if c.itinerary]
