"""The eighteen views: there from the start, and right on a log small enough to count by hand."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from detector.adapters.duckdb.store import DuckDBStore
from detector.cases.principals import Principal
from detector.core.events import STREAMS
from detector.pipeline.detector import Detector
from tests import build
from tests.build import login, moment, online, profile, transaction
from tests.people import act

STAGING = [
    "stg_transactions", "stg_logins", "stg_card_events", "stg_alerts", "stg_kyc_profiles",
]  # fmt: skip
SIGNALS = [
    "mv_velocity_alerts", "mv_geo_impossible_trips", "mv_device_anomalies", "mv_cnp_spike",
    "mv_login_failure_storm", "mv_structuring_detection", "mv_correlated_alert_burst",
    "mv_unusual_amounts", "mv_new_payee_payments", "mv_fraud_signals",
]  # fmt: skip
RISK = [
    "mv_account_risk_score_realtime", "mv_fraud_kpis_1min", "mv_merchant_risk", "mv_channel_risk",
]  # fmt: skip
CASES = ["mv_open_fraud_cases"]


class Store(DuckDBStore):
    """A store in memory that detects what it is fed."""

    def __init__(self) -> None:
        super().__init__(Path(":memory:"), build.REAL)
        self.detector = Detector(build.REAL, self.known_events, clock=lambda: build.NOW)

    def feed(self, *events: Any) -> None:
        self.commit(self.detector.process("test", build.batch(events)))


@pytest.fixture
def store() -> Iterator[Store]:
    """An empty store."""
    kept = Store()
    yield kept
    kept.close()


@pytest.fixture(scope="module")
def small() -> Iterator[Store]:
    """A burst in a shop, a takeover in a web shop, two login storms: seventeen events."""
    kept = Store()
    shop = {"merchant_id": "m-1", "merchant_category": "5411", "merchant_country": "AU"}
    web = {"merchant_id": "m-2", "merchant_category": "5732", "merchant_country": "SG"}
    kept.feed(
        profile(-10, risk_tier="LOW"),
        profile(-5, risk_tier="HIGH"),
        *(transaction(n * 10, amount="10.00", **shop) for n in range(5)),
        online(120, "acc-2", amount="100.00", status="DECLINED", customer_id="cust-2", **web),
        online(125, amount="900.00", device_id="d-9", **web),
        login(128), login(129), login(130),
        login(600, "cust-9"), login(601, "cust-9"), login(602, "cust-9"),
        transaction(-5000, amount="5.00", **shop),  # too late to be seen
        transaction(10**8, amount="5.00", **shop),  # from the future
    )  # fmt: skip
    yield kept
    kept.close()


def test_there_are_the_eighteen_views_of_the_design(store: Store) -> None:
    """The eighteen, and one for each of the two added patterns; and the helper of the cases."""
    found = {
        name for (name,) in store.query("SELECT view_name FROM duckdb_views() WHERE NOT internal")
    }
    added = {p.view for p in build.REAL.patterns.values()} - set(SIGNALS)
    assert found - added == {*STAGING, *SIGNALS, *RISK, *CASES, "fraud_cases"}


@pytest.mark.parametrize("view", [*STAGING, *SIGNALS, *RISK, *CASES])
def test_every_view_answers_on_an_empty_store(store: Store, view: str) -> None:
    """The first screen of a new system is empty, not broken."""
    assert store.query(f"SELECT * FROM {view}") == []


@pytest.mark.parametrize("stream", STREAMS)
def test_staging_has_the_fields_of_the_contract(store: Store, stream: str) -> None:
    """One column a field, in the contract's order."""
    names = [row[0] for row in store.query(f"DESCRIBE stg_{stream}")]
    assert names == list(STREAMS[stream].__struct_fields__)


def test_staging_holds_only_what_was_evaluated(small: Store) -> None:
    """Late and future events are kept below it."""
    assert small.query("SELECT count(*) FROM stg_transactions") == [(7,)]
    assert small.query("SELECT count(*) FROM transactions") == [(9,)]


def test_each_signal_view_holds_its_pattern(small: Store) -> None:
    """And the union holds them all."""
    counts = {view: small.query(f"SELECT count(*) FROM {view}")[0][0] for view in SIGNALS}
    assert {view: count for view, count in counts.items() if count} == {
        "mv_velocity_alerts": 1,
        "mv_device_anomalies": 1,
        "mv_login_failure_storm": 2,
        "mv_unusual_amounts": 1,
        "mv_fraud_signals": 5,
    }


def test_the_kpis_of_each_minute_are_right(small: Store) -> None:
    """Tumbling minutes; a minute with signals but no money counts too."""
    rows = small.rows("SELECT * FROM mv_fraud_kpis_1min ORDER BY window_start")
    shown = [
        (
            r["window_start"], r["window_end"], r["transactions"], r["amount"], r["flagged"],
            r["fraud_rate_pct"], r["signals"],
        )
        for r in rows
    ]  # fmt: skip
    assert shown == [
        (moment(0), moment(60), 5, Decimal("50.00"), 1, 20.0, 1),
        (moment(120), moment(180), 2, Decimal("1000.00"), 1, 50.0, 3),
        (moment(600), moment(660), 0, 0, 0, 0, 1),
    ]
    by_pattern = [
        {k.removeprefix("signals_"): v for k, v in r.items() if k.startswith("signals_") and v}
        for r in rows
    ]
    assert by_pattern == [
        {"velocity": 1},
        {"account_takeover": 1, "brute_force_login": 1, "unusual_amount": 1},
        {"brute_force_login": 1},
    ]


def test_a_transaction_that_trips_two_patterns_is_flagged_once(store: Store) -> None:
    """The rate of fraud counts transactions, not signals."""
    store.feed(build.cash(0), build.cash(1, device_id="d-9"))
    [row] = store.rows("SELECT * FROM mv_fraud_kpis_1min")
    assert (row["signals"], row["transactions"], row["flagged"], row["amount"]) == (
        2, 2, 1, Decimal("19000.00"),
    )  # fmt: skip


def test_merchants_are_rated_by_what_was_flagged(small: Store) -> None:
    """One row a merchant, with its share of suspicious and declined payments."""
    rows = small.rows("SELECT * FROM mv_merchant_risk ORDER BY merchant_id")
    assert rows == [
        {
            "merchant_id": "m-1", "merchant_category": "5411", "merchant_country": "AU",
            "transactions": 5, "amount": Decimal("50.00"), "flagged": 1,
            "flagged_amount": Decimal("10.00"), "fraud_rate_pct": 20.0, "declined_pct": 0.0,
            "last_seen_at": moment(40),
        },
        {
            "merchant_id": "m-2", "merchant_category": "5732", "merchant_country": "SG",
            "transactions": 2, "amount": Decimal("1000.00"), "flagged": 1,
            "flagged_amount": Decimal("900.00"), "fraud_rate_pct": 50.0, "declined_pct": 50.0,
            "last_seen_at": moment(125),
        },
    ]  # fmt: skip


def test_channels_are_seen_through_hopping_windows(small: Store) -> None:
    """Five minutes long, one each minute: every payment is in exactly five of them."""
    rows = small.rows("SELECT * FROM mv_channel_risk ORDER BY channel, window_start")
    starts = {
        channel: [r["window_start"] for r in rows if r["channel"] == channel]
        for channel in ("POS", "ECOMMERCE")
    }
    assert starts == {
        "POS": [moment(60 * n) for n in range(-4, 1)],
        "ECOMMERCE": [moment(60 * n) for n in range(-2, 3)],
    }
    assert all(r["window_end"] - r["window_start"] == moment(300) - moment(0) for r in rows)
    assert {(r["channel"], r["transactions"], r["flagged"], r["fraud_rate_pct"]) for r in rows} == {
        ("POS", 5, 1, 20.0),
        ("ECOMMERCE", 2, 1, 50.0),
    }


@pytest.mark.parametrize(("at", "windows"), [(0, range(-4, 1)), (59.999, range(-4, 1))])
def test_a_hopping_window_starts_inclusive_and_ends_exclusive(
    store: Store, at: float, windows: range
) -> None:
    """A payment on the full minute is in the window that starts there, not in one that ends."""
    store.feed(transaction(at))
    rows = store.query("SELECT window_start FROM mv_channel_risk ORDER BY 1")
    assert [row[0] for row in rows] == [moment(60 * n) for n in windows]


def risk(store: Store) -> list[tuple[Any, ...]]:
    rows = store.rows("SELECT * FROM mv_account_risk_score_realtime ORDER BY account_id")
    return [(r["account_id"], r["risk_score"], r["risk_level"], r["patterns"]) for r in rows]


def test_the_risk_view_decays_as_event_time_moves_on(store: Store) -> None:
    """A signal counts in (t - 120 s, t]; the view is always as of the newest event."""
    store.feed(
        profile(-10),
        *(transaction(n * 10, amount="300.00") for n in range(5)),
        online(125, amount="900.00", device_id="d-9"),
        *(login(at) for at in (128, 129, 130)),
    )
    everything = "account_takeover, brute_force_login, velocity"
    assert risk(store) == [("acc-1", 0.90, "critical", everything)]
    quiet = {"account": "acc-9", "customer_id": "cust-9"}
    store.feed(transaction(159.999, **quiet))
    assert risk(store) == [("acc-1", 0.90, "critical", everything)]
    store.feed(transaction(160, **quiet))
    assert risk(store) == [("acc-1", 0.60, "high", "account_takeover, brute_force_login")]
    store.feed(transaction(245, **quiet))
    assert risk(store) == [("acc-1", 0.25, "medium", "brute_force_login")]
    store.feed(transaction(250, **quiet))
    assert risk(store) == []


def test_the_risk_view_says_who_and_as_of_when(store: Store) -> None:
    """Customer, number of signals, and the moments that matter."""
    store.feed(profile(-10), *(login(n) for n in range(5)), transaction(30, "acc-2"))
    [row] = store.rows("SELECT * FROM mv_account_risk_score_realtime WHERE account_id = 'acc-1'")
    assert (row["customer_id"], row["signal_count"]) == ("cust-1", 3)
    assert (row["last_signal_at"], row["as_of"]) == (moment(4), moment(30))


def test_the_risk_view_agrees_with_the_history(store: Store) -> None:
    """The newest point of an account is what the view shows at that moment."""
    store.feed(build.cash(0), build.cash(1), online(1, device_id="d-9", amount="900.00"))
    [point] = store.rows("SELECT * FROM risk_history")
    assert risk(store) == [
        (point["account_id"], point["risk_score"], point["risk_level"], point["patterns"])
    ]


def test_an_open_case_shows_the_tier_of_its_customer(small: Store) -> None:
    """The newest profile counts."""
    [case] = small.rows("SELECT * FROM mv_open_fraud_cases")
    assert (case["account_ids"], case["kyc_risk_tier"], case["level"]) == (
        "acc-1",
        "HIGH",
        "critical",
    )
    assert (case["score"], case["signal_count"]) == (1.0, 4)
    assert case["exposure"] == Decimal("950.00")  # the whole burst, and the takeover
    assert case["patterns"] == "velocity, account_takeover, unusual_amount, brute_force_login"
    assert (case["recommended_action"], case["status"]) == ("HOLD_PAYMENT", "NEW")
    assert (case["opened_at"], case["due_at"]) == (moment(125), moment(125 + 900))


def test_a_case_without_a_profile_has_no_tier(store: Store) -> None:
    """Not knowing a customer hides no case."""
    store.feed(build.cash(0), build.cash(1))
    [case] = store.rows("SELECT * FROM mv_open_fraud_cases")
    assert case["kyc_risk_tier"] is None


def test_closed_cases_are_not_open(store: Store) -> None:
    """An analyst's list holds what is to be done; all cases are kept."""
    store.feed(build.cash(0), build.cash(1))
    [one] = store.rows("SELECT * FROM mv_open_fraud_cases")
    kim = Principal("kim", "analyst")
    act(store.people(four_eyes=False), kim, one, "close", disposition="INCONCLUSIVE")
    assert store.rows("SELECT * FROM mv_open_fraud_cases") == []
    assert [row["case_id"] for row in store.rows("SELECT * FROM fraud_cases")] == [one["case_id"]]


def test_an_open_case_stays_when_its_risk_is_long_gone(store: Store) -> None:
    """The window slides on, the case stays."""
    store.feed(build.cash(0), build.cash(1))
    store.feed(transaction(50_000, "acc-9"))
    assert risk(store) == []
    assert len(store.rows("SELECT * FROM mv_open_fraud_cases")) == 1
