"""Each of the seven patterns: a case that fires, near misses that stay silent, and its reason."""

from collections.abc import Sequence
from typing import Any

import pytest

from detector.core.events import Event
from tests import build
from tests.build import MELBOURNE, PERTH, SYDNEY, alert, cash, login, online, profile, transaction

A_DAY = 86_400


def fired(events: Sequence[Event]) -> dict[str, float]:
    """What the seven patterns observe in these events, one batch an event."""
    return build.detect([[event] for event in events]).observed()


def swipe(at: float, place: dict[str, Any], **fields: Any) -> Event:
    return transaction(at, card_token="tok-1", **{**place, **fields})


def phone(at: float, amount: str = "500.00", **fields: Any) -> Event:
    return online(at, device_id="d-1", amount=amount, **fields)


FIRES: dict[str, tuple[list[Event], dict[str, float]]] = {
    "five payments in exactly a minute": (
        [transaction(n * 15, event_id=f"v{n}") for n in range(5)],
        {"velocity:v4": 5},
    ),
    "five payments at once": (
        [transaction(0, event_id=f"v{n}") for n in range(5)],
        {f"velocity:v{n}": 5 for n in range(5)},
    ),
    "five declined payments": (
        [transaction(n, status="DECLINED", event_id=f"v{n}") for n in range(5)],
        {"velocity:v4": 5},
    ),
    "a card in Perth half an hour after Sydney": (
        [swipe(0, SYDNEY), swipe(1800, PERTH, event_id="g")],
        {"geo_impossible:g": 3290.5},
    ),
    "a card in two far places at one moment": (
        [swipe(0, SYDNEY, event_id="a"), swipe(0, PERTH, event_id="b")],
        {"geo_impossible:b": 3290.5},
    ),
    "a new device that spends 500 without the card": (
        [profile(-10), phone(0, event_id="a")],
        {"account_takeover:a": 500},
    ),
    "a device seen for exactly a day": (
        [phone(0, "5.00"), phone(A_DAY, event_id="a")],
        {"account_takeover:a": 500},
    ),
    "a device that is registered only later": (
        [phone(0, event_id="a"), profile(1, devices=["d-1"])],
        {"account_takeover:a": 500},
    ),
    "a device that is registered no more": (
        [profile(-20, devices=["d-1"]), profile(-10), phone(0, event_id="a")],
        {"account_takeover:a": 500},
    ),
    "eight payments without the card in exactly five minutes": (
        [
            *(
                online(300 / 7 * n, f"acc-{n}", card_token="tok-1", event_id=f"c{n}")
                for n in range(7)
            ),
            online(300, "acc-7", card_token="tok-1", event_id="c7"),
        ],
        {"cnp_spike:c7": 8},
    ),
    "three failed logins in exactly a minute": (
        [login(0), login(30), login(60, event_id="l")],
        {"brute_force_login:l": 3},
    ),
    "two cash deposits just under the threshold in exactly an hour": (
        [cash(0), cash(3600, event_id="s", transaction_type="CASH_WITHDRAWAL")],
        {"structuring:s": 2},
    ),
    "cash at both ends of the range": (
        [cash(0, amount="9000.00"), cash(1, amount="9999.99", event_id="s")],
        {"structuring:s": 2},
    ),
    "two types of alert in exactly five minutes": (
        [alert(0, alert_type="AAA"), alert(300, alert_type="BBB", event_id="x")],
        {"compound:x": 2},
    ),
}


@pytest.mark.parametrize("name", FIRES)
def test_it_fires(name: str) -> None:
    """On the edge of a window and of a threshold still counts."""
    events, expected = FIRES[name]
    assert fired(events) == expected


SILENT: dict[str, list[Event]] = {
    "four payments in a minute": [transaction(n) for n in range(4)],
    "five payments in a minute and a moment": [transaction(n * 15.001) for n in range(5)],
    "five payments on two accounts": [transaction(n, f"acc-{n % 2}") for n in range(5)],
    "Melbourne after Sydney": [swipe(0, SYDNEY), swipe(60, MELBOURNE)],
    "Perth exactly two hours after Sydney": [swipe(0, SYDNEY), swipe(7200, PERTH)],
    "two cards": [swipe(0, SYDNEY), transaction(60, card_token="tok-2", **PERTH)],
    "a payment without the card from Perth": [
        swipe(0, SYDNEY),
        online(60, card_token="tok-1", **PERTH),
    ],
    "a place unknown": [swipe(0, SYDNEY), swipe(60, {"city": "Perth"})],
    "no card token": [transaction(0, **SYDNEY), transaction(60, **PERTH)],
    "a small amount from a new device": [phone(0, "499.99")],
    "a new device with the card": [transaction(0, device_id="d-1", amount="900.00")],
    "no device": [online(0, amount="900.00")],
    "a registered device": [profile(-10, devices=["d-1"]), phone(0)],
    "a device registered at that moment": [profile(0, devices=["d-1"]), phone(0)],
    "a device seen for more than a day": [
        transaction(0, device_id="d-1"),
        phone(A_DAY + 0.001),
    ],
    "seven payments without the card": [online(n * 40, card_token="tok-1") for n in range(7)],
    "two failed logins": [login(0), login(1), login(2, outcome="SUCCESS")],
    "three failed logins in more than a minute": [login(0), login(30), login(60.001)],
    "failed logins of three customers": [login(n, f"cust-{n}") for n in range(3)],
    "one cash deposit": [cash(0)],
    "cash at the threshold": [cash(0), cash(1, amount="10000.00")],
    "cash under the range": [cash(0), cash(1, amount="8999.99")],
    "declined and reversed cash": [cash(0), cash(1, status="DECLINED"), cash(2, status="REVERSED")],
    "a transfer": [cash(0), cash(1, transaction_type="TRANSFER")],
    "cash more than an hour apart": [cash(0), cash(3600.001)],
    "the same alert twice": [alert(0), alert(1)],
    "two types of alert more than five minutes apart": [
        alert(0, alert_type="AAA"),
        alert(300.001, alert_type="BBB"),
    ],
    "alerts of two customers": [
        alert(0, alert_type="AAA"),
        alert(1, "cust-2", alert_type="BBB"),
    ],
}


@pytest.mark.parametrize("name", SILENT)
def test_a_near_miss_stays_silent(name: str) -> None:
    """One step short of the edge is not fraud."""
    assert fired(SILENT[name]) == {}


LATE: dict[str, tuple[list[Event], dict[str, float]]] = {
    "a payment that completes a burst": (
        [*(transaction(n * 10, event_id=f"v{n}") for n in (0, 1, 3, 4)), transaction(20)],
        {"velocity:v4": 5},
    ),
    "a payment that adds to a burst": (
        [*(transaction(n * 10, event_id=f"v{n}") for n in (0, 1, 3, 4, 5)), transaction(20)],
        {"velocity:v4": 5, "velocity:v5": 6},
    ),
    "a stop on the way that makes the journey possible": (
        [swipe(0, SYDNEY), swipe(200, PERTH), swipe(100, PERTH, event_id="g")],
        {"geo_impossible:g": 3290.5},
    ),
    "a detour that makes two journeys impossible": (
        [swipe(0, SYDNEY), swipe(200, SYDNEY, event_id="b"), swipe(100, PERTH, event_id="a")],
        {"geo_impossible:a": 3290.5, "geo_impossible:b": 3290.5},
    ),
    "a profile that registers the device": (
        [phone(100), profile(50, devices=["d-1"])],
        {},
    ),
    "a failed login that completes a storm": (
        [login(0), login(20, event_id="l"), login(10)],
        {"brute_force_login:l": 3},
    ),
    "an alert that completes a pair": (
        [alert(10, alert_type="AAA", event_id="x"), alert(5, alert_type="BBB")],
        {"compound:x": 2},
    ),
}


@pytest.mark.parametrize("name", LATE)
def test_a_late_event_changes_what_was_said(name: str) -> None:
    """Within the lateness the answer is that of the ordered log."""
    events, expected = LATE[name]
    assert fired(events) == expected
    in_order = sorted(events, key=lambda e: (e.occurred_at, e.event_id))
    assert fired(in_order) == expected


def test_a_signal_carries_evidence_and_a_plain_reason() -> None:
    """An analyst reads one sentence, a program the facts behind it."""
    ledger = build.detect([[swipe(0, SYDNEY, event_id="a"), swipe(1850, PERTH, event_id="b")]])
    signal = ledger.signals["geo_impossible:b"]
    assert signal.reason == (
        "Card present in Perth 30 minutes after Sydney, 3290 km away; "
        "1000 km within 2 hours is not possible for one card."
    )
    assert signal.evidence["previous_event_id"] == "a"
    assert (signal.account_id, signal.customer_id, signal.subject) == ("acc-1", "cust-1", "tok-1")
    assert (signal.rule_id, signal.severity, signal.weight) == ("FR-GEO-001", "HIGH", 0.5)
    assert signal.occurred_at - signal.window_start == build.REAL.patterns["geo_impossible"].window
    assert (signal.event_id, signal.amount, signal.threshold) == ("b", "20.00", 1000)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("five payments in exactly a minute",
         "5 transactions on account acc-1 within 1 minute; the limit is 5."),
        ("a new device that spends 500 without the card",
         "AUD 500.00 spent without the card from device d-1, which customer cust-1 has not "
         "registered and first used less than 24 hours ago."),
        ("eight payments without the card in exactly five minutes",
         "8 card-not-present transactions on one card within 5 minutes; the limit is 8."),
        ("three failed logins in exactly a minute",
         "3 failed logins of customer cust-1 within 1 minute; the limit is 3."),
        ("two cash deposits just under the threshold in exactly an hour",
         "2 cash transactions just under the reporting threshold on account acc-1 within 1 hour; "
         "the limit is 2."),
        ("two types of alert in exactly five minutes",
         "2 different alert types for customer cust-1 within 5 minutes; the limit is 2."),
    ],
)  # fmt: skip
def test_a_reason_is_a_sentence(name: str, reason: str) -> None:
    """Numbers, names and windows are filled in; nothing of the template is left."""
    [signal] = build.detect([FIRES[name][0]]).signals.values()
    assert signal.reason == reason


def test_a_reason_shows_braces_of_the_data_as_they_are() -> None:
    """A device named like a placeholder is text, not a template."""
    [signal] = build.detect([[online(0, device_id="{amount}", amount="900.00")]]).signals.values()
    assert "from device {amount}, which" in signal.reason


def test_customer_level_signals_have_no_account() -> None:
    """A login belongs to no account, whatever the customer holds."""
    ledger = build.detect([[profile(-1), *(login(n) for n in range(3))]])
    [signal] = ledger.signals.values()
    assert (signal.account_id, signal.amount, signal.subject) == (None, None, "cust-1")
