"""KYC profiles: what they say and from when on they count."""

from datetime import timedelta
from typing import Any

import pytest

from producers.generators.customer_pool import CustomerPool
from producers.generators.identifiers import Identifiers
from producers.generators.kyc_profile import MAX_DEVICES, KycProfileGenerator
from producers.models import KycProfile, Transaction
from producers.tests.conftest import START

LATER = START + timedelta(seconds=1)


@pytest.fixture
def kyc(ids: Identifiers) -> Any:
    return KycProfileGenerator(ids)


@pytest.fixture
def customer(pool: CustomerPool) -> Any:
    return pool.customers[0]


def test_a_profile_says_what_the_pool_knows(kyc: Any, customer: Any) -> None:
    """Accounts, devices, risk and home are the customer's."""
    profile = kyc.publish(customer, START)
    assert profile.account_ids == [account.account_id for account in customer.accounts]
    assert profile.registered_device_ids == list(customer.registered_device_ids)
    assert (profile.risk_tier, profile.kyc_status) == (customer.risk_tier, customer.kyc_status)
    assert profile.home_latitude == customer.home.latitude


def test_a_profile_counts_strictly_after_it_was_published(kyc: Any, customer: Any) -> None:
    """At its own moment it is not in force yet."""
    kyc.publish(customer, START)
    assert kyc.devices_in_force(customer, START) == ()
    assert kyc.devices_in_force(customer, LATER) == customer.registered_device_ids


def test_before_any_profile_nothing_is_registered(kyc: Any, customer: Any) -> None:
    """A customer the bank has not published has no registered device."""
    assert kyc.devices_in_force(customer, START) == ()


def test_a_new_device_is_added(kyc: Any, customer: Any) -> None:
    """The new phone is in the profile, beside the old devices, from the next moment on."""
    kyc.publish(customer, START)
    profile = kyc.publish(customer, LATER, new_device="dev_new")
    assert profile.registered_device_ids == [*customer.registered_device_ids, "dev_new"]
    assert "dev_new" not in kyc.devices_in_force(customer, LATER)
    assert "dev_new" in kyc.devices_in_force(customer, LATER + timedelta(seconds=1))


def test_a_renewal_keeps_new_devices(kyc: Any, customer: Any) -> None:
    """Publishing again forgets nothing."""
    kyc.publish(customer, START, new_device="dev_new")
    assert "dev_new" in kyc.publish(customer, LATER).registered_device_ids


def test_old_devices_make_room(kyc: Any, customer: Any) -> None:
    """The list stays short; the newest device is always on it."""
    for number in range(10):
        profile = kyc.publish(customer, START, new_device=f"dev_{number}")
    assert len(profile.registered_device_ids) == MAX_DEVICES
    assert profile.registered_device_ids[-1] == "dev_9"


def test_the_bank_starts_with_every_profile(events: Any, pool: CustomerPool) -> None:
    """The first 500 events are the profiles of the pool, at the start."""
    first = events[: len(pool)]
    assert all(isinstance(event, KycProfile) for event in first)
    assert {event.customer_id for event in first} == {c.customer_id for c in pool.customers}
    assert {event.occurred_at for event in first} == {START}
    assert events[len(pool)].occurred_at > START


def test_large_payments_without_the_card_come_from_registered_devices(quiet_events: Any) -> None:
    """From 500 on, the device is in the profile that was published strictly before."""
    profiles: dict[str, Any] = {}
    checked = 0
    for event in quiet_events:
        if isinstance(event, KycProfile):
            profiles.setdefault(event.customer_id, []).append(event)
        elif isinstance(event, Transaction) and not event.card_present and event.amount >= 500:
            before = [p for p in profiles[event.customer_id] if p.occurred_at < event.occurred_at]
            assert event.device_id in before[-1].registered_device_ids
            checked += 1
    assert checked > 100


def test_new_phones_are_used_before_they_are_registered(quiet_events: Any) -> None:
    """The look-alike occurs: a small payment from an unknown phone that is registered later."""
    known: set[Any] = set()
    unknown: set[Any] = set()
    registered_later: set[Any] = set()
    for event in quiet_events:
        if isinstance(event, KycProfile):
            registered_later |= unknown & set(event.registered_device_ids)
            known |= set(event.registered_device_ids)
        elif isinstance(event, Transaction) and event.device_id:
            unknown |= {event.device_id} - known
    assert registered_later
