"""Alerts: the right type for each fraud, nothing for a normal event, noise apart."""

import random
from datetime import timedelta
from decimal import Decimal
from typing import Any, get_args

import pytest

from producers.generators import alert as alert_module
from producers.generators.alert import AlertGenerator, confidence_range
from producers.generators.customer_pool import CustomerPool
from producers.generators.identifiers import Identifiers
from producers.generators.login import LoginGenerator
from producers.generators.payments import Label
from producers.models import DLQ_TOPIC, DeadLetter, FraudAlert, Severity, Transaction
from producers.patterns import read_patterns
from producers.tests.conftest import START

SCENARIOS = tuple(read_patterns())


@pytest.fixture
def alerts(ids: Identifiers, rng: random.Random) -> Any:
    return AlertGenerator(ids, rng)


def transaction(**values: Any) -> Any:
    return Transaction(
        event_id="evt_1", transaction_id="txn_1", account_id="acc_1", customer_id="cust_1",
        transaction_type="PURCHASE", channel="ECOMMERCE", card_present=False,
        amount=Decimal("12.50"), currency="AUD", status="APPROVED", occurred_at=START, **values,
    )  # fmt: skip


def fraud(scenario: str) -> Any:
    return transaction(is_fraud=True, fraud_scenario=scenario, scenario_instance="case_1")


def test_the_patterns_are_known() -> None:
    """The three tables speak of all patterns and of nothing else."""
    assert len(SCENARIOS) >= 9
    for table in ("_SCENARIO_TO_ALERT_TYPE", "_SEVERITY_MAP", "_RULE_IDS"):
        assert getattr(alert_module, table).keys() == set(SCENARIOS)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_an_alert_repeats_what_the_pattern_says(alerts: Any, scenario: str) -> None:
    """Type, severity and rule are those of the dbt project."""
    made, pattern = alerts.react(fraud(scenario), START), read_patterns()[scenario]
    assert (made.alert_type, made.severity, made.rule_id) == (
        pattern.alert_type, pattern.severity, pattern.rule_id,
    )  # fmt: skip


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_confidence_fits_the_severity(alerts: Any, scenario: str) -> None:
    """A hundred alerts stay within the range of their severity."""
    for _ in range(100):
        made = alerts.react(fraud(scenario), START)
        lowest, highest = confidence_range(made.severity)
        assert lowest <= made.confidence <= highest


def test_a_more_severe_alert_is_more_confident() -> None:
    """The ranges rise with severity."""
    ranges = [confidence_range(s) for s in get_args(Severity)]
    assert ranges == sorted(ranges)


def test_a_benign_transaction_gets_no_alert(alerts: Any) -> None:
    """The request is dead-lettered with its reason and its payload; nothing is invented."""
    made = alerts.react(transaction(), START)
    assert isinstance(made, DeadLetter)
    assert made.topic == DLQ_TOPIC
    assert made.source_topic == "banking.transactions"
    assert "benign" in made.reason
    assert '"evt_1"' in made.payload


def test_an_unknown_scenario_gets_no_alert(alerts: Any) -> None:
    """A label without a pattern is dead-lettered by name."""
    made = alerts.react(fraud("jaywalking"), START)
    assert isinstance(made, DeadLetter)
    assert "jaywalking" in made.reason


def test_an_alert_carries_the_truth_of_its_trigger(alerts: Any) -> None:
    """Whatever the alerting system believes, the truth is that of the transaction."""
    made = alerts.react(fraud("compound"), START, seen_as="cnp_spike")
    assert made.alert_type == read_patterns()["cnp_spike"].alert_type
    assert (made.is_fraud, made.fraud_scenario, made.scenario_instance) == (
        True, "compound", "case_1",
    )  # fmt: skip


def test_an_alert_about_a_login_names_no_transaction(
    alerts: Any, pool: CustomerPool, ids: Identifiers, rng: random.Random
) -> None:
    """Logins have neither a transaction nor an account."""
    label = Label(True, "brute_force_login", "case_1")
    login = LoginGenerator(pool, ids, rng).brute_force(pool.customers[0], START, label)[0]
    made = alerts.react(login, START)
    assert (made.transaction_id, made.account_id) == (None, None)
    assert made.customer_id == login.customer_id


def test_noise_is_about_nothing(alerts: Any, pool: CustomerPool) -> None:
    """Noise alerts are unlabelled and never severe."""
    for customer in pool.customers:
        made = alerts.noise(customer, START)
        assert not made.is_fraud
        assert made.severity in ("LOW", "MEDIUM")


def test_a_customer_has_one_kind_of_noise(alerts: Any, pool: CustomerPool) -> None:
    """However often it comes, the type stays the same; customers differ."""
    types = set()
    for customer in pool.customers[:50]:
        mine = {alerts.noise(customer, START).alert_type for _ in range(5)}
        assert len(mine) == 1
        types |= mine
    assert len(types) > 1


def test_noise_never_correlates_with_another_alert(events: Any) -> None:
    """No noise alert has an alert of another type of its customer in the six minutes before."""
    seen: dict[str, Any] = {}
    for event in events:
        if isinstance(event, FraudAlert):
            mine = seen.setdefault(event.customer_id, [])
            if not event.is_fraud:
                earliest = event.occurred_at - timedelta(minutes=6)
                recent = {a.alert_type for a in mine if a.occurred_at >= earliest}
                assert recent <= {event.alert_type}
            mine.append(event)


def test_reactive_alerts_follow_their_trigger_within_seconds(events: Any) -> None:
    """Half a second to three seconds after the transaction they name."""
    times = {e.transaction_id: e.occurred_at for e in events if isinstance(e, Transaction)}
    followed = 0
    for event in events:
        if isinstance(event, FraudAlert) and event.transaction_id:
            delay = event.occurred_at - times[event.transaction_id]
            assert timedelta(seconds=0.5) <= delay <= timedelta(seconds=3)
            followed += 1
    assert followed > 50


def test_without_fraud_there_is_only_noise(quiet_events: Any) -> None:
    """No alert of a quiet bank answers anything."""
    made = [event for event in quiet_events if isinstance(event, FraudAlert)]
    assert made
    assert not any(alert.is_fraud or alert.transaction_id for alert in made)
