"""Cases: an account's signals without a gap over half an hour, once they weigh enough."""

from collections.abc import Iterable
from datetime import timedelta

from detector.cases.case import Case
from detector.core.events import Event
from tests import build
from tests.build import PERTH, SYDNEY, alert, cash, login, online, profile, transaction

HALF_HOUR = 1800


def cases(*events: Event | Iterable[Event]) -> list[Case]:
    """All cases after these events, one batch each, oldest first."""
    flat = [e for item in events for e in ([item] if isinstance(item, Event) else item)]
    ledger = build.detect([[event] for event in flat])
    return sorted(ledger.cases.values(), key=lambda c: c.first_signal_at)


def structured(at: float, name: str = "s") -> list[Event]:
    """Two deposits that make one structuring signal (0.50) at this time."""
    return [cash(at - 1, event_id=f"{name}1"), cash(at, event_id=f"{name}2")]


def storm(at: float, name: str = "l") -> list[Event]:
    """Three failed logins within a second, the last of them one brute-force signal (0.25)."""
    return [login(at - 0.2 + n / 10, event_id=f"{name}{n}") for n in range(3)]


def stolen(at: float, amount: str = "700.00", **fields: str) -> Event:
    """An account takeover (0.35)."""
    return online(at, device_id="d-9", amount=amount, **fields)


def test_a_case_opens_when_its_patterns_weigh_enough() -> None:
    """Failed logins, then a new device, then spending: slow, but it adds up."""
    assert cases(profile(-1), storm(0)) == []
    [case] = cases(profile(-1), storm(0), stolen(1200))
    assert (case.score, case.level) == (0.60, "high")
    assert case.patterns == ["brute_force_login", "account_takeover"]
    assert case.opened_at == build.moment(1200)
    assert case.first_signal_at == build.moment(0)


def test_a_pattern_weighs_once_however_often_it_fires() -> None:
    """Three storms are 0.25, and no case."""
    assert cases(profile(-1), storm(0, "a"), storm(300, "b"), storm(600, "c")) == []


def test_a_gap_of_exactly_half_an_hour_belongs_to_the_case() -> None:
    """One moment more, and another case begins."""
    [case] = cases(structured(0), stolen(HALF_HOUR))
    assert case.signal_count == 2
    one, two = cases(structured(0), structured(HALF_HOUR + 2000, "t"), stolen(HALF_HOUR + 2001))
    assert (one.signal_count, two.signal_count) == (1, 2)
    assert one.case_id != two.case_id


def test_a_case_stays_open_when_the_window_of_risk_slides_on() -> None:
    """Hours later, and after thousands of harmless events, it still stands as it was."""
    ledger = build.detect([structured(0), *([transaction(n * 60, "acc-9")] for n in range(1, 300))])
    [case] = ledger.cases.values()
    assert not case.withdrawn and case.last_signal_at == build.moment(0)


def test_a_case_says_what_an_analyst_needs() -> None:
    """Level, patterns in order, money at stake, what to do first and until when."""
    [case] = cases(
        profile(-1),
        storm(0),
        stolen(10, "700.50", event_id="a"),
        structured(60),
        stolen(20, "99999.25", event_id="b"),
    )
    assert (case.account_id, case.customer_id) == ("acc-1", "cust-1")
    assert (case.level, case.score, case.signal_count) == ("critical", 1.0, 4)
    assert case.patterns == ["brute_force_login", "account_takeover", "structuring"]
    assert case.exposure == "110199.75"  # only what fired: 700.50 + 99,999.25 + 9,500.00
    assert case.recommended_action == "REFER_AML"
    assert case.actions == ["REFER_AML", "HOLD_PAYMENT", "LOCK_SESSION"]
    assert case.opened_at == build.moment(10)
    assert case.due_at == build.moment(10) + timedelta(minutes=15)


def test_a_high_case_has_an_hour_and_a_critical_one_a_quarter() -> None:
    """The due time follows the level, counted from the opening."""
    [high] = cases(structured(0))
    assert high.due_at == build.moment(3600)
    [critical] = cases(structured(0), stolen(30))
    assert (critical.level, critical.due_at) == ("critical", build.moment(900))


def test_an_amount_that_trips_two_patterns_is_exposed_once() -> None:
    """One payment is lost once, however suspicious it is."""
    [case] = cases(cash(0), cash(1, amount="9999.00", device_id="d-9"))
    assert set(case.patterns) == {"structuring", "account_takeover"}
    assert (case.signal_count, case.exposure) == (2, "9999.00")


def test_a_case_keeps_its_id_as_it_grows() -> None:
    """From its opening on, whether signals come after, in between or before."""
    opened = cases(structured(3000))[0].case_id
    grown = cases(structured(3000), stolen(3100))
    before = cases(structured(3000), stolen(2900))
    assert [c.case_id for c in grown] == [c.case_id for c in before] == [opened]
    assert before[0].first_signal_at == build.moment(2900)


def test_accounts_never_share_a_case_id() -> None:
    """The same fraud at the same moment on two accounts is two cases."""
    twin = [cash(-1, "acc-2"), cash(0, "acc-2")]
    one, two = cases(structured(0), twin)
    assert {one.account_id, two.account_id} == {"acc-1", "acc-2"}
    assert one.case_id != two.case_id


def test_late_evidence_joins_two_cases() -> None:
    """Two cases just over half an hour apart become one when a late signal stands between."""
    one = [
        transaction(-5, card_token="tok-1", **SYDNEY),
        transaction(0, card_token="tok-1", **PERTH),
    ]
    two = [
        transaction(1990, card_token="tok-2", **SYDNEY),
        transaction(2000, card_token="tok-2", **PERTH),
    ]
    late = stolen(1790)
    first, second = cases(one, two)
    ledger = build.detect([[e] for e in (*one, *two, late)])
    kept, gone = ledger.cases[first.case_id], ledger.cases[second.case_id]
    assert gone.merged_into == kept.case_id
    assert kept.merged_into is None
    assert (kept.signal_count, kept.level) == (3, "critical")
    assert len(ledger.open_cases()) == 1


def test_late_evidence_takes_a_case_back_but_does_not_erase_it() -> None:
    """An analyst may have seen it: it stays, marked as no longer supported."""
    swipes = [
        transaction(0, card_token="tok-1", **SYDNEY),
        transaction(200, card_token="tok-1", event_id="g", **PERTH),
    ]
    [opened] = cases(swipes)
    assert not opened.withdrawn
    moved = transaction(100, card_token="tok-1", event_id="h", **PERTH)
    [still] = cases(swipes, moved)  # now at h instead of g
    assert (still.first_signal_at, still.withdrawn) == (build.moment(100), False)
    takeover = [stolen(0), *storm(5)]
    [case] = cases(profile(-50), takeover)
    assert case.score == 0.60
    [back] = cases(profile(-50), takeover, profile(-10, devices=["d-9"]))
    assert (back.withdrawn, back.score, back.patterns) == (True, 0.25, ["brute_force_login"])
    assert back.case_id == case.case_id


def test_a_customers_signals_are_in_the_cases_of_all_the_accounts() -> None:
    """A correlated burst and a storm on a customer with two accounts open two cases."""
    found = cases(
        profile(-1, accounts=["acc-1", "acc-2"]),
        storm(0),
        alert(1, alert_type="AAA"),
        alert(2, alert_type="BBB"),
    )
    assert {(c.account_id, c.score, c.exposure) for c in found} == {
        ("acc-1", 0.60, "0.00"),
        ("acc-2", 0.60, "0.00"),
    }
