"""Transactions: ordinary behaviour within its limits, and six frauds that are what they claim."""

from collections import Counter, defaultdict
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from statistics import median
from typing import Any

import pytest

from producers.generators.customer_pool import CustomerPool
from producers.generators.payments import Label, Payer, PaymentFactory
from producers.generators.scenarios import Attack
from producers.generators.transaction import _FRAUD_SCENARIOS
from producers.models import KycProfile, Transaction
from producers.patterns import currency_rates
from producers.tests.conftest import START
from producers.tests.naive import distance_km, signals

RATES = currency_rates()
SIX = ("velocity", "geo_impossible", "account_takeover", "cnp_spike", "structuring", "compound")
PACES = pytest.mark.parametrize("realistic", [False, True], ids=["demo", "realistic"])


@pytest.fixture
def strike(pool: CustomerPool, pay: PaymentFactory) -> Any:
    """Plan one instance of a scenario: `strike(name, victim's number, realistic)`."""

    def plan(
        scenario: str, number: int = 0, realistic: Any = False, threshold: Any = 10_000
    ) -> Any:
        homebodies = [c for c in pool.customers if not c.is_frequent_flyer]
        customer = homebodies[number]
        victim = Payer(customer, customer.accounts[0], customer.accounts[0].cards[0])
        label = Label(True, scenario, f"case_{number}")
        attack = Attack(label, victim, START, realistic, Decimal(threshold))
        return victim, list(_FRAUD_SCENARIOS[scenario](pay, attack))

    return plan


def in_base(event: Transaction) -> float:
    """The amount in the base currency."""
    return float(event.amount) * RATES[event.currency]


def payments(events: Any) -> Any:
    return [event for event in events if isinstance(event, Transaction)]


def span(events: Any) -> Any:
    return events[-1].occurred_at - events[0].occurred_at


def test_the_six_scenarios_are_registered() -> None:
    """The list of frauds is complete."""
    assert tuple(_FRAUD_SCENARIOS) == SIX


@PACES
@pytest.mark.parametrize("scenario", [name for name in SIX if name != "compound"])
def test_a_scenario_meets_its_definition_by_itself(
    strike: Any, scenario: str, realistic: Any
) -> None:
    """Forty instances each, judged by the naive definitions with nothing else around them."""
    for number in range(40):
        fired = signals(strike(scenario, number, realistic)[1])
        assert any(
            pattern == scenario and event.scenario_instance == f"case_{number}"
            for pattern, event in fired
        )


@PACES
@pytest.mark.parametrize("scenario", SIX)
def test_a_scenario_is_planned_in_order_of_time(strike: Any, scenario: str, realistic: Any) -> None:
    """Events of an instance never go back in time and never come before its start."""
    for number in range(20):
        times = [event.occurred_at for event in strike(scenario, number, realistic)[1]]
        assert times == sorted(times)
        assert times[0] >= START


@pytest.mark.parametrize("scenario", SIX)
def test_a_scenario_strikes_its_victim_only(strike: Any, scenario: str) -> None:
    """All events of an instance belong to the victim's account."""
    victim, events = strike(scenario)
    assert {(e.customer_id, e.account_id) for e in events} == {
        (victim.customer.customer_id, victim.account.account_id)
    }


def test_velocity_is_small_and_mostly_declined(strike: Any) -> None:
    """Six to nine payments within 45 seconds; cards are tried out with small change."""
    tried = []
    for number in range(60):
        made = payments(strike("velocity", number)[1])
        assert 6 <= len(made) <= 9
        assert span(made) <= timedelta(seconds=45)
        tried += made
    assert sum(event.status == "DECLINED" for event in tried) / len(tried) > 0.5
    assert median(event.amount for event in tried) < 10


def test_velocity_alone_is_no_cnp_spike(strike: Any) -> None:
    """The two patterns can be told apart."""
    for number in range(60):
        assert "cnp_spike" not in {pattern for pattern, _ in signals(strike("velocity", number)[1])}


@PACES
def test_geo_impossible_leaps_more_than_1200_km(strike: Any, realistic: Any) -> None:
    """Home, then far away, at the pace of the profile."""
    shortest, longest = (20 * 60, 90 * 60) if realistic else (15, 60)
    for number in range(40):
        first, second, *_ = payments(strike("geo_impossible", number, realistic)[1])
        assert first.card_present and second.card_present
        assert first.card_token == second.card_token
        assert distance_km(first, second) > 1_200
        assert shortest <= (second.occurred_at - first.occurred_at).total_seconds() <= longest


def test_the_first_leg_of_geo_impossible_is_the_customers_own(strike: Any) -> None:
    """Only the payments of the copied card are labelled."""
    first, *others = payments(strike("geo_impossible")[1])
    assert not first.is_fraud
    assert others and all(event.is_fraud for event in others)


def test_account_takeover_spends_500_and_more_from_a_new_device(strike: Any) -> None:
    """Two to four large payments without the card, all from one unknown device."""
    for number in range(40):
        victim, events = strike("account_takeover", number)
        assert 2 <= len(events) <= 4
        assert all(in_base(e) >= 549 and not e.card_present for e in events)
        devices = {event.device_id for event in events}
        assert len(devices) == 1
        assert not devices & set(victim.customer.registered_device_ids)


def test_every_thief_has_a_device_of_their_own(strike: Any) -> None:
    """No two takeovers share a device, so each is a novelty."""
    devices = [strike("account_takeover", number)[1][0].device_id for number in range(40)]
    assert len(set(devices)) == 40


@PACES
def test_cnp_spike_is_nine_to_twelve_payments_on_one_card(strike: Any, realistic: Any) -> None:
    """Within four minutes, in the demo within ninety seconds."""
    for number in range(40):
        _, events = strike("cnp_spike", number, realistic)
        assert 9 <= len(events) <= 12
        assert len({event.card_token for event in events}) == 1
        assert span(events) <= timedelta(seconds=240 if realistic else 90)


def test_cnp_spike_alone_is_no_takeover(strike: Any) -> None:
    """Its amounts stay below the high value."""
    for number in range(40):
        assert all(in_base(event) < 500 for event in strike("cnp_spike", number)[1])


@PACES
@pytest.mark.parametrize("threshold", [10_000, 5_000, 100])
def test_structuring_stays_just_under_the_threshold(
    strike: Any, realistic: Any, threshold: Any
) -> None:
    """Two to four approved cash payments of 90 % to under 100 %, each at another site."""
    for number in range(30):
        _, events = strike("structuring", number, realistic, threshold)
        assert 2 <= len(events) <= 4
        for event in events:
            assert Decimal(threshold) * 9 / 10 <= event.amount < threshold
            assert event.status == "APPROVED"
            assert event.transaction_type in ("CASH_DEPOSIT", "CASH_WITHDRAWAL")
        assert len({event.merchant_id.rsplit("_", 1)[1] for event in events}) == len(events)


@PACES
def test_structuring_keeps_its_pace(strike: Any, realistic: Any) -> None:
    """15 to 45 seconds apart in the demo, 8 to 25 minutes in the realistic profile."""
    shortest, longest = (480, 1_500) if realistic else (15, 45)
    for number in range(30):
        times = [event.occurred_at for event in strike("structuring", number, realistic)[1]]
        for before, after in pairwise(times):
            assert shortest <= (after - before).total_seconds() <= longest


def test_compound_is_two_or_three_suspicious_payments(strike: Any) -> None:
    """All labelled; the alerts that make it a pattern come from the bank."""
    for number in range(20):
        _, events = strike("compound", number)
        assert 2 <= len(events) <= 3
        assert all(event.fraud_scenario == "compound" for event in events)


def test_without_a_fraud_rate_nothing_is_fraud(quiet_events: Any) -> None:
    """FRAUD_RATE=0: no label anywhere."""
    assert not any(getattr(event, "is_fraud", False) for event in quiet_events)


def test_ordinary_accounts_have_at_most_four_payments_a_minute(quiet_events: Any) -> None:
    """Any trailing 60 seconds, and six payments without the card in any five minutes."""
    recent = defaultdict(list)
    for event in payments(quiet_events):
        keys = [(event.account_id, 60, 4)]
        if event.card_token and not event.card_present:
            keys.append((event.card_token, 300, 6))
        for key, seconds, most in keys:
            recent[key].append(event.occurred_at)
            earliest = event.occurred_at - timedelta(seconds=seconds)
            assert sum(time >= earliest for time in recent[key]) <= most


def test_sprees_happen(quiet_events: Any) -> None:
    """The look-alike is there: accounts with four payments in a minute."""
    recent, sprees = defaultdict(list), 0
    for event in payments(quiet_events):
        recent[event.account_id].append(event.occurred_at)
        earliest = event.occurred_at - timedelta(seconds=60)
        sprees += sum(time >= earliest for time in recent[event.account_id]) == 4
    assert sprees > 20


def test_most_payments_are_made_in_shops(quiet_events: Any) -> None:
    """The mix of channels is that of a retail bank."""
    made = payments(quiet_events)
    share = {channel: n / len(made) for channel, n in Counter(e.channel for e in made).items()}
    assert 0.55 < share["POS"] < 0.72
    assert 0.13 < share["ECOMMERCE"] < 0.24
    assert 0.08 < share["MOBILE"] < 0.20


def test_amounts_are_those_of_daily_life(quiet_events: Any) -> None:
    """The middle payment in a shop is some tens of dollars, and few are large."""
    amounts = sorted(event.amount for event in payments(quiet_events) if event.channel == "POS")
    assert 15 < median(amounts) < 60
    assert amounts[int(len(amounts) * 0.95)] < 400


def test_a_place_is_known_exactly_when_the_card_is_present(quiet_events: Any) -> None:
    """Card-present payments have coordinates; the others have a device."""
    for event in payments(quiet_events):
        assert event.card_present == (event.latitude is not None) == (event.city is not None)
        assert event.card_present == (event.device_id is None)


def test_most_payments_are_approved(quiet_events: Any) -> None:
    """Some few are declined, and fewer reversed."""
    status = Counter(event.status for event in payments(quiet_events))
    assert status["APPROVED"] / status.total() > 0.92
    assert status["DECLINED"] > status["REVERSED"] > 0


def test_cash_just_under_the_threshold_is_a_cafes_business(stream: Any) -> None:
    """In two days, only cash businesses bank such sums, and an account not twice an hour."""
    made = stream(
        10_000, fraud_rate=0.0, transaction_rate=0.05, login_rate=0.0, noise_alert_rate=0.0,
        card_event_rate=0.0, kyc_rate=0.0,
    )  # fmt: skip
    cafes = {
        e.customer_id for e in made if isinstance(e, KycProfile) and e.segment == "CASH_BUSINESS"
    }
    banked = defaultdict(list)
    for event in payments(made):
        if event.channel in ("BRANCH", "ATM") and 9_000 <= event.amount < 10_000:
            assert event.customer_id in cafes
            banked[event.account_id].append(event.occurred_at)
    assert len(banked) > 5
    for times in banked.values():
        days = [time.date() for time in times]
        assert len(days) == len(set(days))
        for before, after in pairwise(times):
            assert after - before > timedelta(hours=20)
