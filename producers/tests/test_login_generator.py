"""Logins: ordinary, mistyped, and by force."""

import random
from datetime import timedelta
from typing import Any

import pytest

from producers.generators.customer_pool import CustomerPool
from producers.generators.identifiers import Identifiers
from producers.generators.login import LoginGenerator
from producers.generators.payments import Label
from producers.models import Login
from producers.tests.conftest import START

LABEL = Label(True, "brute_force_login", "case_1")


@pytest.fixture
def logins(pool: CustomerPool, ids: Identifiers, rng: random.Random) -> Any:
    return LoginGenerator(pool, ids, rng)


def test_a_normal_login_comes_from_a_registered_device(logins: Any, pool: CustomerPool) -> None:
    """Customers use what they have registered."""
    for _ in range(200):
        for login in logins.generate(START):
            assert login.device_id in pool[login.customer_id].registered_device_ids


def test_normal_logins_carry_no_label(logins: Any) -> None:
    """A mistyped password is no fraud."""
    assert not any(login.is_fraud for _ in range(200) for login in logins.generate(START))


def test_a_failure_has_a_reason_and_a_success_has_none(logins: Any) -> None:
    """Outcome and reason never contradict each other."""
    for _ in range(300):
        for login in logins.generate(START):
            assert (login.outcome == "FAILURE") == (login.failure_reason is not None)


def test_a_mistyped_password_ends_with_a_login(logins: Any, pool: CustomerPool) -> None:
    """One or two failures, then the customer is in."""
    for customer in pool.customers[:100]:
        outcomes = [login.outcome for login in logins.mistyped(customer, START)]
        assert outcomes in (["FAILURE", "SUCCESS"], ["FAILURE", "FAILURE", "SUCCESS"])


def test_some_few_logins_fail(logins: Any) -> None:
    """The usual failure rate is a few per cent."""
    made = [login for _ in range(4_000) for login in logins.generate(START)]
    share = sum(login.outcome == "FAILURE" for login in made) / len(made)
    assert 0.03 < share < 0.07


def test_brute_force_is_four_to_eight_failures_within_45_seconds(
    logins: Any, pool: CustomerPool
) -> None:
    """Every instance meets the definition with room to spare."""
    for customer in pool.customers[:200]:
        storm = logins.brute_force(customer, START, LABEL)
        failures = [login for login in storm if login.outcome == "FAILURE"]
        assert 4 <= len(failures) <= 8
        assert failures[-1].occurred_at - failures[0].occurred_at <= timedelta(seconds=45)


def test_brute_force_has_one_strange_device(logins: Any, pool: CustomerPool) -> None:
    """All attempts come from one device that is not the customer's."""
    for customer in pool.customers[:50]:
        devices = {login.device_id for login in logins.brute_force(customer, START, LABEL)}
        assert len(devices) == 1
        assert not devices & set(customer.registered_device_ids)


def test_brute_force_is_labelled_throughout(logins: Any, pool: CustomerPool) -> None:
    """The success at its end belongs to it too."""
    for login in logins.brute_force(pool.customers[0], START, LABEL):
        assert (login.is_fraud, login.fraud_scenario) == (True, "brute_force_login")
        assert login.scenario_instance == "case_1"


def test_storms_now_and_then_succeed(logins: Any, pool: CustomerPool) -> None:
    """Both endings occur."""
    endings = {logins.brute_force(c, START, LABEL)[-1].outcome for c in pool.customers[:50]}
    assert endings == {"SUCCESS", "FAILURE"}


def test_ordinary_customers_never_fail_three_times_in_a_minute(quiet_events: Any) -> None:
    """At most two failures of a customer in any 60 seconds."""
    recent: dict[str, Any] = {}
    for event in quiet_events:
        if isinstance(event, Login) and event.outcome == "FAILURE":
            times = recent.setdefault(event.customer_id, [])
            times.append(event.occurred_at)
            earliest = event.occurred_at - timedelta(seconds=60)
            assert sum(time >= earliest for time in times) <= 2
