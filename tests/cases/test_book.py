"""Cases: a customer's signals from the first session on that weighs or exposes enough."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from detector.cases.book import CaseBook, CustomerSignals
from detector.cases.case import Case
from detector.cases.evidence import Evidence
from detector.core.events import Event
from tests import build
from tests.build import PERTH, SYDNEY, alert, cash, login, online, profile, transaction
from tests.signals.test_brake import FIRED

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


def test_a_gap_over_half_an_hour_starts_the_evidence_anew() -> None:
    """Half an hour between failed logins and spending is one session, one moment more is two."""
    [case] = cases(profile(-1), storm(0), stolen(HALF_HOUR))
    assert case.signal_count == 2
    assert cases(profile(-1), storm(0), stolen(HALF_HOUR + 0.1)) == []


def test_money_alone_opens_a_case() -> None:
    """A takeover weighs 0.35: 8,163.27 of it is an expected loss of 1,000, and a case."""
    assert cases(profile(-1), stolen(0, "8163.26")) == []
    [case] = cases(profile(-1), stolen(0, "8163.27"))
    assert (case.level, case.score, case.exposure) == ("medium", 0.35, "8163.27")
    assert case.due_at == build.moment(4 * 3600)


def test_every_later_signal_joins_the_open_case() -> None:
    """Hours and days later there is still one case of the customer, on all their accounts."""
    [case] = cases(structured(0), stolen(50_000, account="acc-2"), structured(200_000, "t"))
    assert (case.signal_count, case.account_ids) == (3, ["acc-1", "acc-2"])
    assert (case.first_signal_at, case.opened_at) == (build.moment(0), build.moment(0))
    assert case.last_signal_at == build.moment(200_000)


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
    assert (case.account_ids, case.customer_id) == (["acc-1"], "cust-1")
    assert (case.level, case.score, case.signal_count) == ("critical", 1.0, 4)
    assert case.patterns == ["brute_force_login", "account_takeover", "structuring"]
    assert case.exposure == "100699.75"  # a customer's own deposits are not lost
    assert case.already_gone == "0.00"
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
    out = {"transaction_type": "CASH_WITHDRAWAL", "channel": "ATM"}
    [case] = cases(cash(0, **out), cash(1, amount="9999.00", device_id="d-9", **out))
    assert set(case.patterns) == {"structuring", "account_takeover"}
    assert (case.signal_count, case.exposure) == (2, "19499.00")
    assert case.already_gone == case.exposure  # cash does not come back


def test_a_burst_exposes_what_came_before_its_threshold() -> None:
    """Five payments in a minute expose five, the next one more; what was declined is not lost."""
    paid = [online(n, amount="100.00", card_token="tok-1") for n in range(6)]
    refused = online(6, amount="5000.00", card_token="tok-1", status="DECLINED")
    ledger = build.detect([[*paid, refused]])
    exposed = [s.exposed for s in ledger.signals.values() if s.pattern == "velocity"]
    assert [len(entries) for entries in exposed] == [5, 1, 0]
    assert exposed[1] == [f"at_risk 100.00 {paid[5].event_id}"]


def test_money_in_another_currency_is_added_in_the_base_currency() -> None:
    """USD 1,000 is AUD 1,530; a currency without a rate adds nothing, and hides nothing."""
    [case] = cases(profile(-1), stolen(0, "1000.00", currency="USD"), structured(5))
    assert case.exposure == "1530.00"
    assert cases(profile(-1), stolen(0, "1000.00", currency="XTS")) == []


def test_the_id_of_a_case_does_not_depend_on_the_order_of_arrival() -> None:
    """It is the customer's first case, whichever signal came first."""
    opened = cases(structured(3000))[0].case_id
    grown = cases(structured(3000), stolen(3100))
    before = cases(structured(3000), stolen(2900))
    assert [c.case_id for c in grown] == [c.case_id for c in before] == [opened]
    assert before[0].first_signal_at == build.moment(2900)


def test_customers_never_share_a_case() -> None:
    """The same fraud at the same moment on two customers is two cases."""
    twin = [cash(-1, "acc-2", customer_id="cust-2"), cash(0, "acc-2", customer_id="cust-2")]
    one, two = cases(structured(0), twin)
    assert {one.customer_id, two.customer_id} == {"cust-1", "cust-2"}
    assert one.case_id != two.case_id


def test_late_evidence_may_open_the_case_earlier() -> None:
    """A late signal completes an earlier session: the case begins there and holds all since."""
    late = stolen(-2, "9000.00")
    [case] = cases(storm(0), stolen(30), late)
    assert (case.opened_at, case.first_signal_at) == (build.moment(-2), build.moment(-2))
    assert case.signal_count == 3


def closed(book: CaseBook, *closings: float) -> list[Case]:
    """The cases of cust-1 after its cases were closed until these moments."""
    return list(book.rebuild(CustomerSignals("cust-1", [build.moment(c) for c in closings])))


def test_after_a_closing_later_signals_open_a_new_case() -> None:
    """It is linked to the closed one; a late signal from before still belongs to that."""
    ledger = build.detect([structured(0), [stolen(2000)], structured(4000, "t")])
    one, late, two = sorted(ledger.signals.values(), key=lambda s: s.occurred_at)
    book = CaseBook(build.REAL)
    [first] = book.add(one)
    assert closed(book, 1000) == []
    [second] = book.add(two)
    assert second.case_id != first.case_id
    assert second.previous_case_id == first.case_id
    assert (second.signal_count, second.first_signal_at) == (1, build.moment(4000))
    closings = CustomerSignals("cust-1", [build.moment(3000)], [one, two])
    list(book.rebuild(closings))
    [grown] = book.add(late)
    assert (grown.case_id, grown.signal_count) == (first.case_id, 2)


def test_a_reopened_case_takes_up_what_came_since() -> None:
    """Without the closing there is one case again, with every signal."""
    ledger = build.detect([structured(0), structured(9000, "t")])
    signals = sorted(ledger.signals.values(), key=lambda s: s.occurred_at)
    book = CaseBook(build.REAL)
    parted = list(book.rebuild(CustomerSignals("cust-1", [build.moment(0)], signals)))
    assert [case.signal_count for case in parted] == [1, 1]
    [whole] = book.rebuild(CustomerSignals("cust-1", [], signals))
    assert (whole.case_id, whole.signal_count) == (parted[0].case_id, 2)


def test_old_signals_are_folded_and_still_count() -> None:
    """A case that stays open for days takes no more room for it, and forgets nothing."""
    ledger = build.detect([structured(n * 4000, f"s{n}-") for n in range(30)])
    book, plain = CaseBook(build.REAL), CaseBook(build.REAL)
    for signal in sorted(ledger.signals.values(), key=lambda s: s.occurred_at):
        [folded], [whole] = book.add(signal), plain.add(signal)
        assert folded == whole
        book.settle(signal.customer_id, signal.occurred_at - timedelta(minutes=5))
    assert whole.signal_count == 30


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


def test_a_customers_own_signals_make_one_case() -> None:
    """A correlated burst and a storm on a customer with two accounts are one case, not two."""
    [case] = cases(
        profile(-1, accounts=["acc-1", "acc-2"]),
        storm(0),
        alert(1, alert_type="AAA"),
        alert(2, alert_type="BBB"),
    )
    assert (case.account_ids, case.score, case.exposure) == ([], 0.60, "0.00")


def test_a_flood_on_one_customer_costs_the_same_for_each_signal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two patterns fire at every event, so every second signal comes before the last one: only
    that one is folded again, however many there are.
    """
    added = 0
    add = Evidence.add

    def counted(self: Evidence, *given: Any) -> Any:
        nonlocal added
        added += 1
        return add(self, *given)

    monkeypatch.setattr(Evidence, "add", counted)
    book = CaseBook(build.REAL)
    signals = [
        replace(FIRED, signal_id=f"{name}:e{n}", pattern=name, occurred_at=build.moment(n))
        for n in range(500)
        for name in ("velocity", "cnp_spike")
    ]
    for one in signals:
        [*_] = book.add(one)
    assert added < 2 * len(signals)
    [*last] = book.withdraw(signals[0])
    assert last[0].signal_count == len(signals) - 1
