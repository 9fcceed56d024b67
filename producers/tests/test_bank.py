"""The bank as a whole: order, repeatability, shares, and honesty about what is fraud."""

import json
import re
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from typing import Any

import pytest

from producers.bank import SyntheticBank, truth
from producers.config import ProducerSettings
from producers.crime import SCENARIOS
from producers.errors import ConfigError
from producers.generators.rhythm import activity, utc_offset
from producers.models import TOPICS, FraudAlert, KycProfile, Login, Transaction
from producers.tests.conftest import START
from producers.tests.naive import signals


def luhn(digits: str) -> Any:
    doubled = [int(d) * (1 + i % 2) for i, d in enumerate(reversed(digits))]
    return sum(d - 9 if d > 9 else d for d in doubled) % 10 == 0


def test_events_come_in_order_of_time(events: Any) -> None:
    """Nothing ever happens before what came before it."""
    times = [event.occurred_at for event in events]
    assert times == sorted(times)


def test_every_event_is_yielded_with_its_topic(small: Callable[..., ProducerSettings]) -> None:
    """The topic beside an event is the one of its model."""
    for topic, event in islice(SyntheticBank(small(), START), 2_000):
        assert isinstance(event, TOPICS[topic])


def test_the_same_seed_and_start_give_the_same_bytes(stream: Any) -> None:
    """Two banks, byte for byte."""
    first = [event.to_json() for event in stream(4_000)]
    assert first == [event.to_json() for event in stream(4_000)]


def test_another_start_gives_other_ids_and_the_same_customers(stream: Any) -> None:
    """After a restart no id comes twice, and everybody is still there."""
    first, second = stream(3_000), stream(3_000, start=START + timedelta(seconds=1))
    assert not {e.event_id for e in first} & {e.event_id for e in second}
    customers = [
        {e.customer_id: e.home_latitude for e in run if isinstance(e, KycProfile)}
        for run in (first, second)
    ]
    assert customers[0] == customers[1]


def test_a_restart_brings_new_thieves(stream: Any) -> None:
    """No strange device of one run is seen in another, so it stays a novelty."""
    runs = [
        {e.device_id for e in stream(6_000, start=at) if isinstance(e, Transaction) and e.is_fraud}
        for at in (START, START + timedelta(minutes=1))
    ]
    assert runs[0] & runs[1] <= {None}


def test_another_seed_gives_another_bank(stream: Any) -> None:
    """Customers, amounts and times differ."""
    first, second = stream(1_500, seed=1), stream(1_500, seed=2)
    assert [e.occurred_at for e in first] != [e.occurred_at for e in second]


def test_ids_are_unique(events: Any) -> None:
    """No event id and no transaction id comes twice."""
    ids = [event.event_id for event in events]
    ids += [event.transaction_id for event in events if isinstance(event, Transaction)]
    assert len(ids) == len(set(ids))


def test_iterating_again_goes_on(small: Callable[..., ProducerSettings]) -> None:
    """A second loop over the bank takes up where the first one stopped."""
    bank = SyntheticBank(small(), START)
    first, second = list(islice(bank, 600)), list(islice(bank, 600))
    assert not {e.event_id for _, e in first} & {e.event_id for _, e in second}


def test_a_start_without_an_offset_is_refused(small: Callable[..., ProducerSettings]) -> None:
    """A naive start has no time zone."""
    with pytest.raises(ConfigError, match="start"):
        SyntheticBank(small(), datetime(2026, 1, 5))


def test_no_payload_holds_a_card_number(events: Any) -> None:
    """Not one run of 13 to 19 digits that passes the Luhn check, even across blanks and dashes."""
    for event in events:
        for run in re.findall(r"\d(?:[ -]?\d){12,18}", event.to_json().decode()):
            assert not luhn(re.sub(r"[ -]", "", run)), run


def test_a_quiet_bank_meets_no_definition(quiet_events: Any) -> None:
    """With all look-alikes in, none of the seven patterns fires on 20,000 events."""
    assert signals(quiet_events) == []


@pytest.mark.parametrize("seed", [1, 2])
def test_a_realistic_quiet_bank_meets_no_definition(stream: Any, seed: int) -> None:
    """The evening peak does not turn honest customers into suspects."""
    evening = START + timedelta(hours=7)
    made = stream(10_000, start=evening, fraud_rate=0.0, profile="realistic", seed=seed)
    assert signals(made) == []


def test_honest_events_complete_no_pattern_among_thieves(events: Any) -> None:
    """In the default bank a pattern fires at labelled events only."""
    assert [(p, e.event_id) for p, e in signals(events) if not e.is_fraud] == []


def test_every_instance_is_found_by_its_definition(events: Any) -> None:
    """Each instance that had time to finish meets the definition of its own pattern."""
    last = events[-1].occurred_at
    ends = {}
    for event in events:
        if getattr(event, "is_fraud", False):
            ends[event.fraud_scenario, event.scenario_instance] = event.occurred_at
    finished = {key for key, at in ends.items() if last - at > timedelta(minutes=2)}
    found = {(pattern, event.scenario_instance) for pattern, event in signals(events)}
    assert len(finished) > 100
    assert finished <= found


@pytest.mark.parametrize("fraud_rate", [0.02, 0.10, 0.30])
def test_the_share_of_fraud_is_the_fraud_rate(stream: Any, fraud_rate: float) -> None:
    """Within a tenth, over 20,000 events."""
    made = [e for e in stream(20_000, fraud_rate=fraud_rate) if isinstance(e, Transaction)]
    share = sum(event.is_fraud for event in made) / len(made)
    assert share == pytest.approx(fraud_rate, rel=0.15)


def test_the_rate_of_transactions_is_the_one_asked_for(events: Any) -> None:
    """Within a tenth of TRANSACTION_RATE."""
    seconds = (events[-1].occurred_at - START).total_seconds()
    rate = sum(isinstance(event, Transaction) for event in events) / seconds
    assert rate == pytest.approx(20, rel=0.1)


@pytest.mark.parametrize("seed", range(5))
def test_all_seven_scenarios_show_within_a_minute(stream: Any, seed: int) -> None:
    """The first begins within three seconds; one of each has fired after 65 seconds."""
    fields = ProducerSettings.model_fields
    defaults = {name: fields[name].default for name in ("fraud_rate", "customer_pool_size")}
    made = stream(5_500, seed=seed, **defaults)
    fraud = [event for event in made if getattr(event, "is_fraud", False)]
    assert fraud[0].occurred_at - START <= timedelta(seconds=3)
    minute = [e for e in made if e.occurred_at - START <= timedelta(seconds=65)]
    assert {pattern for pattern, _ in signals(minute)} == set(SCENARIOS)


def test_half_of_the_takeovers_begin_with_brute_force(stream: Any) -> None:
    """The storm on the same customer ends 20 to 60 seconds before the first payment."""
    storms: defaultdict[Any, list[Any]] = defaultdict(list)
    takeovers: dict[Any, Any] = {}
    for event in stream(20_000):
        if isinstance(event, Login) and event.is_fraud:
            storms[event.customer_id].append(event.occurred_at)
        elif isinstance(event, Transaction) and event.fraud_scenario == "account_takeover":
            takeovers.setdefault(event.scenario_instance, event)
    prepared = sum(
        any(
            timedelta(seconds=20) <= first.occurred_at - at <= timedelta(seconds=60)
            for at in storms[first.customer_id]
        )
        for first in takeovers.values()
    )
    assert prepared / len(takeovers) == pytest.approx(0.5, abs=0.1)


def test_every_compound_payment_gets_two_types_of_alert(events: Any) -> None:
    """Within seconds, by two different systems."""
    types = defaultdict(set)
    for event in events:
        if isinstance(event, FraudAlert) and event.fraud_scenario == "compound":
            types[event.transaction_id].add(event.alert_type)
    settled = events[-1].occurred_at - timedelta(seconds=5)
    suspicious = [
        event.transaction_id
        for event in events
        if isinstance(event, Transaction)
        and event.fraud_scenario == "compound"
        and event.occurred_at < settled
    ]
    assert suspicious
    assert all(len(types[transaction_id]) == 2 for transaction_id in suspicious)


def test_a_victim_has_one_instance_at_a_time(events: Any) -> None:
    """Instances on one customer never overlap; a takeover and its storm count as one."""
    spans: defaultdict[Any, dict[Any, Any]] = defaultdict(dict)
    for event in events:
        if isinstance(event, Transaction | Login) and event.is_fraud:
            first, _ = spans[event.customer_id].get(
                event.scenario_instance, (event.occurred_at, None)
            )
            spans[event.customer_id][event.scenario_instance] = (first, event.occurred_at)
    for mine in spans.values():
        ordered = sorted(mine.values())
        for (_, end), (begin, _) in pairwise(ordered):
            assert end < begin


def test_the_truth_names_instance_and_scenario(events: Any) -> None:
    """A row for each labelled transaction, login and alert; none for anything else."""
    rows = [(event, truth(event.topic, event)) for event in events]
    for event, row in rows:
        if getattr(event, "is_fraud", False):
            assert row == {
                "event_id": event.event_id,
                "topic": event.topic,
                "scenario": event.fraud_scenario,
                "instance": event.scenario_instance,
            }
        else:
            assert row is None
    assert {row["topic"] for _, row in rows if row} == {
        "banking.transactions", "banking.logins", "banking.alerts",
    }  # fmt: skip


def test_a_crowded_pool_is_warned_of_and_still_honest(
    stream: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """Too few customers: the warning names the size needed, and no limit is broken."""
    made = stream(4_000, customer_pool_size=20, fraud_rate=0.0)
    assert "CUSTOMER_POOL_SIZE is 20" in caplog.text and "400" in caplog.text
    assert signals(made) == []


def test_the_realistic_profile_sleeps_at_night(stream: Any) -> None:
    """Four in the morning in Sydney has far fewer payments than noon."""
    rates = {}
    for name, hour in (("noon", 2), ("night", 18)):  # Sydney is at UTC + 10 in June
        start = datetime(2026, 6, 10, hour, tzinfo=UTC)
        made = stream(1_500, start=start, profile="realistic", login_rate=0.0, fraud_rate=0.0)
        seconds = (made[-1].occurred_at - start).total_seconds()
        rates[name] = sum(isinstance(event, Transaction) for event in made) / seconds
    assert rates["noon"] > 5 * rates["night"]


def test_activity_averages_to_one() -> None:
    """Over a week the realistic profile keeps the rate that was asked for."""
    week = [activity("QLD", START + timedelta(minutes=30 * n)) for n in range(48 * 7)]
    assert sum(week) / len(week) == pytest.approx(1)


@pytest.mark.parametrize(
    ("state", "moment", "hours"),
    [
        ("NSW", "2026-01-05T00:00:00+00:00", 11), ("NSW", "2026-07-05T00:00:00+00:00", 10),
        ("NSW", "2026-04-04T15:59:00+00:00", 11), ("NSW", "2026-04-04T16:00:00+00:00", 10),
        ("NSW", "2026-10-03T15:59:00+00:00", 10), ("NSW", "2026-10-03T16:00:00+00:00", 11),
        ("QLD", "2026-01-05T00:00:00+00:00", 10), ("SA", "2026-01-05T00:00:00+00:00", 10.5),
        ("WA", "2026-01-05T00:00:00+00:00", 8),
    ],
)  # fmt: skip
def test_clocks_are_those_of_the_states(state: str, moment: Any, hours: float) -> None:
    """Summer time is from October to April, in the states that have it."""
    assert utc_offset(state, datetime.fromisoformat(moment)) == timedelta(hours=hours)


def test_payloads_are_json_objects_of_their_model(events: Any) -> None:
    """Every payload is accepted by the strict model of its topic."""
    for event in events[::7]:
        assert TOPICS[event.topic].model_validate_json(event.to_json())
        assert json.loads(event.to_json())["event_id"] == event.event_id
