"""What a case's page knows, and whom it lets do what."""

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from detector.adapters.duckdb.store import DuckDBStore
from detector.cases.principals import Principal
from detector.console.case.model import CaseFile, case_file
from detector.console.case.view import case_view
from detector.console.http.problems import ProblemError
from detector.console.queries.signals import SignalRow, score_steps
from detector.console.settings import ConsoleSettings
from tests.build import SHIPPED, alert, login, moment, online, records, stored
from tests.build import transaction as paid
from tests.console.backlog import KIM, LEE, SAM, row_of
from tests.console.harness import Harness
from tests.people import act

VIC = Principal("vic", "viewer")


@pytest.fixture(scope="module")
def harness(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    """A bank's console, to be looked at only."""
    with closing(Harness(tmp_path_factory.mktemp("harness"))) as harness:
        yield harness


def file_of(harness: Harness, account: str, person: Principal = KIM) -> CaseFile:
    (case,) = [case for case in harness.cases() if account in case["account_ids"].split(", ")]
    return case_file(harness.store, harness.people, SHIPPED, person, case["case_id"])


def test_reasons_say_what_was_seen_against_the_limit(harness: Harness) -> None:
    """One reason per pattern, the heaviest first, each with its strongest firing."""
    found = file_of(harness, "acc-1").reasons
    assert [r.pattern for r in found] == [
        "cnp_spike", "account_takeover", "velocity", "brute_force_login", "unusual_amount",
    ]  # fmt: skip
    takeover, logins = found[1], found[3]
    assert (takeover.observed, takeover.threshold, takeover.unit) == (900.0, 500.0, "money")
    assert (logins.observed, logins.threshold, logins.unit) == (5.0, 3.0, "count")
    assert logins.count == 3
    assert logins.text == "5 failed logins of customer cust-1 within 1 minute; the limit is 3."


def test_events_around_the_signals_carry_what_fired(harness: Harness) -> None:
    """Money, logins and alerts stand in one list, and each names the patterns that fired at it."""
    file = file_of(harness, "acc-1")
    assert {e.kind for e in file.events} == {"transaction", "login"}
    assert [e.at for e in file.events] == sorted((e.at for e in file.events), reverse=True)
    fired = {s.event_id: s.pattern for s in file.signals}
    assert {e.event_id for e in file.events if e.fired} == set(fired)
    last = max((e for e in file.events if e.amount == 900), key=lambda e: e.at)
    assert set(last.fired) == {"velocity", "cnp_spike", "account_takeover"}


def test_devices_are_known_or_not(harness: Harness) -> None:
    """A device counts as registered only if the profile in force names it."""
    file = file_of(harness, "acc-1")
    assert file.profile is not None
    assert file.profile.registered_device_ids == ["dev-1"]
    (device,) = file.entities.devices
    assert (device.id, device.registered, device.transactions) == ("dev-strange", False, 9)
    (address,) = file.entities.ip_addresses
    assert (address.id, address.logins, address.failed_logins) == ("198.51.100.7", 5, 5)


def test_an_impossible_trip_has_both_ends(harness: Harness) -> None:
    """The map gets where the card was and where it cannot have come so soon, there and back."""
    trips = file_of(harness, "acc-6").trips
    assert [(trip.start.city, trip.end.city) for trip in trips] == [
        ("London", "Sydney"), ("Sydney", "London"),
    ]  # fmt: skip
    assert all(trip.distance_km == pytest.approx(16993, abs=5) for trip in trips)
    assert file_of(harness, "acc-4").trips == []


def test_the_score_rises_and_falls_with_the_window() -> None:
    """The live score follows the window of two minutes; what has gathered only grows."""

    def fired(pattern: str, at: float, weight: float) -> SignalRow:
        return SignalRow(
            signal_id=f"{pattern}{at}", pattern=pattern, rule_id="r", severity="HIGH",
            weight=weight, customer_id="c", account_id="a", subject="a", event_id="e",
            occurred_at=moment(at), window_start=moment(at), observed=1, threshold=1,
            amount=None, reason="", evidence={}, exposed=[],
        )  # fmt: skip

    signals = [fired("a", 0, 0.5), fired("b", 60, 0.35), fired("a", 90, 0.5), fired("b", 400, 0.35)]
    steps = score_steps(signals, timedelta(seconds=120))
    assert [((p.at - moment(0)).total_seconds(), p.score, p.cumulative) for p in steps] == [
        (0, 0.5, 0.5), (60, 0.85, 0.85), (180, 0.5, 0.85), (210, 0.0, 0.85),
        (400, 0.35, 0.85), (520, 0.0, 0.85),
    ]  # fmt: skip


def test_the_score_ends_where_detection_says(harness: Harness) -> None:
    """What has gathered at the end is the score of the case, for every case."""
    for case in harness.cases():
        file = case_file(harness.store, harness.people, SHIPPED, KIM, case["case_id"])
        assert file.scores[-1].cumulative == case["score"]
        assert len(file.signals) == case["signal_count"]


def links_of(path: Path, events: list[Any], account: str) -> dict[str, set[tuple[str, str]]]:
    stored(path / "fraud.duckdb", [records(events)])
    with closing(DuckDBStore(path / "fraud.duckdb", SHIPPED)) as store:
        people = store.people()
        query = "SELECT case_id FROM mv_open_fraud_cases WHERE account_ids = ?"
        case_id = store.rows(query, [account])[0]["case_id"]
        file = case_file(store, people, SHIPPED, KIM, case_id)
    return {link.customer_id: {(s.kind, s.value) for s in link.shares} for link in file.links}


def burst(at: float, number: int, **fields: Any) -> list[Any]:
    """Twelve payments on a card of its own: velocity and a spike, a high case."""
    own = {"customer_id": f"cust-{number}", "card_token": f"card-{number}"}
    return [online(at + 2 * n, f"acc-{number}", **{**own, **fields}) for n in range(12)]


def test_cases_are_linked_by_what_they_share(tmp_path: Path) -> None:
    """A device, an address, or a merchant where both fired; nothing else."""
    events = [
        *burst(0, 1, device_id="dev-x", ip_address="192.0.2.1", merchant_id="shop"),
        *burst(100, 2, device_id="dev-x"),
        *burst(200, 3, ip_address="192.0.2.1", merchant_id="shop"),
        *burst(300, 4, device_id="dev-y", ip_address="192.0.2.4", merchant_id="other"),
        paid(500, "acc-6", customer_id="cust-6", device_id="dev-x", merchant_id="shop"),
    ]
    assert links_of(tmp_path, events, "acc-1") == {
        "cust-2": {("device", "dev-x")},
        "cust-3": {("ip", "192.0.2.1"), ("merchant", "shop")},
    }


def test_links_are_few_however_many_there_are(tmp_path: Path) -> None:
    """The page shows the eight with most in common, not everybody behind one address."""
    events = [e for n in range(1, 30) for e in burst(60 * n, n, ip_address="192.0.2.9")]
    assert len(links_of(tmp_path, events, "acc-3")) == 8


@pytest.mark.parametrize(
    ("person", "status", "may"),
    [
        (KIM, "NEW", {"claim", "assign", "note", "escalate", "instruct", "close"}),
        (VIC, "NEW", set()),
        (SAM, "NEW", {"claim", "assign", "note", "escalate", "instruct", "close"}),
        (KIM, "PENDING_APPROVAL", {"note", "instruct"}),
        (SAM, "PENDING_APPROVAL", {"note", "instruct", "approve", "reject"}),
        (KIM, "CLOSED", {"note", "reopen"}),
    ],
)
def test_the_page_offers_what_the_life_of_a_case_allows(
    tmp_path: Path, person: Principal, status: str, may: set[str]
) -> None:
    """A page offers only what would not be refused."""
    with closing(Harness(tmp_path)) as harness:
        (case,) = harness.cases("critical")
        if status != "NEW":
            act(harness.people, LEE, case, "close", disposition="CONFIRMED_FRAUD")
        if status == "CLOSED":
            act(harness.people, SAM, case, "approve")
        file = case_file(harness.store, harness.people, SHIPPED, person, case["case_id"])
        assert file.case.status == status
        assert set(file.allowed) == may


def test_a_closed_case_is_shown_as_it_was(tmp_path: Path) -> None:
    """It has left the open cases, but its page still says all that led to the decision."""
    with closing(Harness(tmp_path)) as harness:
        (case, *_) = harness.cases("high")
        before = case_file(harness.store, harness.people, SHIPPED, KIM, case["case_id"])
        act(harness.people, KIM, case, "note", text="called them")
        act(harness.people, KIM, case, "close", disposition="FALSE_POSITIVE", text="a known shop")
        assert case["case_id"] not in {c["case_id"] for c in harness.cases()}
        file = case_file(harness.store, harness.people, SHIPPED, KIM, case["case_id"])
    assert (file.case.status, file.disposition, file.undo) == ("CLOSED", "FALSE_POSITIVE", "close")
    assert [(d.action, d.detail.get("text")) for d in file.history] == [
        ("close", "a known shop"), ("note", "called them"),
    ]  # fmt: skip
    assert (file.case.exposure, file.reasons, file.events) == (
        before.case.exposure, before.reasons, before.events,
    )  # fmt: skip


def test_no_case_is_a_problem_that_says_what_to_do(harness: Harness) -> None:
    """An id that never was a case is a 404."""
    with pytest.raises(ProblemError, match="no case 'case_nobody'") as refusal:
        case_file(harness.store, harness.people, SHIPPED, KIM, "case_nobody")
    assert refusal.value.status == 404


def test_a_case_without_money_places_or_profile_is_complete(tmp_path: Path) -> None:
    """Failed logins and alerts alone open a case; nothing about it is missing but what is not."""
    events = [
        *(login(n, "cust-9") for n in range(4)),
        alert(5, "cust-9", alert_type="CNP_FRAUD", account_id="acc-9"),
        alert(6, "cust-9", alert_type="VELOCITY", account_id="acc-9"),
        paid(-100, "acc-9", customer_id="cust-9"),
    ]
    stored(tmp_path / "fraud.duckdb", [records(sorted(events, key=lambda e: e.occurred_at))])
    with closing(DuckDBStore(tmp_path / "fraud.duckdb", SHIPPED)) as store:
        (case,) = store.rows("SELECT * FROM mv_open_fraud_cases")
        file = case_file(
            store, store.people(), SHIPPED, KIM, row_of(store, case["case_id"])["case_id"]
        )
    assert file.case.exposure == 0
    assert file.case.rank.expected_loss == 0
    assert (file.profile, file.trips, file.links) == (None, [], [])
    assert {r.pattern for r in file.reasons} == {"brute_force_login", "compound"}
    assert {e.kind for e in file.events} == {"login", "alert", "transaction"}


def test_what_was_decided_before_shows_on_the_next_case(harness: Harness) -> None:
    """A closed case of the customer, its disposition and note; a viewer sees neither."""
    row = row_of(harness.store, file_of(harness, "acc-3").case.case_id)
    other = {**row, "case_id": "case_00000000000e", "last_signal_at": row["first_signal_at"]}
    act(harness.people, SAM, other, "note", text="Travels often.")
    closed = {"disposition": "FALSE_POSITIVE", "text": "Abroad."}
    act(harness.people, SAM, {**other, "level": "low"}, "close", **closed)
    before = file_of(harness, "acc-3").earlier
    [case] = before.cases
    assert (case.disposition, case.reason, case.relation) == (
        "FALSE_POSITIVE", "Abroad.", "this customer",
    )  # fmt: skip
    assert [note.text for note in before.notes] == ["Travels often."]
    [case] = file_of(harness, "acc-3", VIC).earlier.cases
    assert (case.disposition, case.reason) == (None, None)


def test_next_steps_never_tip_off(harness: Harness) -> None:
    """With structuring among the patterns only its steps are given, whatever else fired."""
    file = file_of(harness, "acc-1")
    view = case_view(file, KIM, SHIPPED, [], ConsoleSettings(_env_file=None), False)
    assert [name for name, _ in view.guidance] == [r.pattern for r in file.reasons]
    assert all(guidance.say for _, guidance in view.guidance)
    cash = file.reasons[0].model_copy(update={"pattern": "structuring"})
    file = file.model_copy(update={"reasons": [*file.reasons, cash]})
    view = case_view(file, KIM, SHIPPED, [], ConsoleSettings(_env_file=None), False)
    [(name, guidance)] = view.guidance
    assert name == "structuring" and guidance.say is None


def test_the_timeline_says_at_which_level_a_case_opened(harness: Harness) -> None:
    """Above the signal that opened it, with the level of that moment, not of now."""
    file = file_of(harness, "acc-1")
    fallen = file.model_copy(update={"case": file.case.model_copy(update={"level": "low"})})
    view = case_view(fallen, KIM, SHIPPED, [], ConsoleSettings(_env_file=None), False)
    place = next(n for n, entry in enumerate(view.timeline) if entry.kind == "case")
    opened, cause = view.timeline[place : place + 2]
    reached = max(p.cumulative for p in file.scores if p.at <= opened.at)
    assert opened.title == f"Case opened, {SHIPPED.risk.level(reached)}" != "Case opened, low"
    assert cause.at == opened.at and cause.fired
