"""Accounts, customers, signals and the search, as JSON."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from tests.console.backlog import KIM
from tests.console.harness import Harness
from tests.people import act


@pytest.fixture(scope="module")
def harness(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    """A bank's console, to be looked at only; kim closed the case of account 4."""
    with closing(Harness(tmp_path_factory.mktemp("harness"))) as harness:
        (case,) = [c for c in harness.cases() if c["account_ids"] == "acc-4"]
        act(harness.people, KIM, case, "close", disposition="SUSPICIOUS")
        yield harness


def get(harness: Harness, path: str, name: str = "vic") -> Any:
    answer = harness.person(name).get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize("party", ["accounts/acc-3", "customers/cust-3"])
def test_history_is_paged_without_loss(harness: Harness, party: str) -> None:
    """Pages of ten, one behind the other, hold every event once, the newest first."""
    events, cursor = [], ""
    while True:
        page = get(harness, f"/v1/{party}?limit=10{cursor}")
        events += page["events"]
        if page["next"] is None:
            break
        assert len(page["events"]) == 10
        cursor = f"&cursor={page['next']}"
    expected = harness.store.rows(
        """SELECT event_id FROM stg_transactions WHERE account_id = 'acc-3'
        ORDER BY occurred_at DESC, event_id DESC"""
    )
    assert [e["event_id"] for e in events] == [row["event_id"] for row in expected]


def test_an_account_tells_its_cases_risk_and_entities(harness: Harness) -> None:
    """Open and closed cases stand apart; the closed one says how it ended."""
    account = harness.person("kim").get("/v1/accounts/acc-4").json()
    assert account["customer_id"] == "cust-4"
    assert account["open_cases"] == []
    (closed,) = account["closed_cases"]
    assert (closed["disposition"], closed["owner"]) == ("SUSPICIOUS", "kim")
    assert {s["pattern"] for s in account["signals"]} == {"structuring"}
    assert account["scores"][-1]["score"] == 0.0
    assert max(point["score"] for point in account["scores"]) == 0.5
    assert [c["card_token"] for c in account["cards"]] == ["card-4"]
    customer = harness.person("kim").get("/v1/customers/cust-4").json()
    assert customer["closed_cases"] == [closed]
    viewer = get(harness, "/v1/customers/cust-4")["closed_cases"]
    assert viewer == [{**closed, "disposition": None}]


def test_a_customer_tells_all_accounts_and_signals(harness: Harness) -> None:
    """Also what fired for the customer as a whole."""
    customer = get(harness, "/v1/customers/cust-1?limit=200")
    assert customer["account_ids"] == ["acc-1"]
    assert customer["profile"]["registered_device_ids"] == ["dev-1"]
    assert "brute_force_login" in {s["pattern"] for s in customer["signals"]}
    assert {e["kind"] for e in customer["events"]} >= {"login", "transaction"}


@pytest.mark.parametrize("path", ["/v1/accounts/acc-99", "/v1/customers/cust-99", "/v1/cases/no"])
def test_who_is_not_known_is_a_404(harness: Harness, path: str) -> None:
    """A problem says so, and names the id."""
    answer = harness.person("vic").get(path)
    assert answer.status_code == 404
    assert path.rpartition("/")[2] in answer.json()["detail"]


@pytest.mark.parametrize(
    ("query", "test"),
    [
        ("pattern=velocity", "pattern = 'velocity'"),
        ("pattern=velocity&pattern=structuring", "pattern IN ('velocity', 'structuring')"),
        ("severity=CRITICAL", "severity = 'CRITICAL'"),
        ("account=acc-4", "account_id = 'acc-4'"),
        ("customer=cust-1", "customer_id = 'cust-1'"),
        ("since=2026-01-05T09:40:00", "occurred_at >= TIMESTAMPTZ '2026-01-05 09:40:00Z'"),
        ("since=2026-01-05T19:40:00%2B10:00", "occurred_at >= TIMESTAMPTZ '2026-01-05 09:40:00Z'"),
        ("pattern=&severity=&account=&since=", "TRUE"),
    ],
)
def test_signals_are_filtered_and_paged(harness: Harness, query: str, test: str) -> None:
    """Each filter lets through what it says, page by page, the newest first."""
    expected = harness.store.rows(
        f"SELECT signal_id FROM mv_fraud_signals WHERE {test} "
        "ORDER BY occurred_at DESC, signal_id DESC"
    )
    found, cursor = [], ""
    while True:
        page = get(harness, f"/v1/signals?{query}&limit=7{cursor}")
        found += [s["signal_id"] for s in page["signals"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert found == [row["signal_id"] for row in expected] != []


def test_a_time_out_of_all_calendars_is_refused(harness: Harness) -> None:
    """A filter that no store could compare is a 422."""
    assert harness.person("vic").get("/v1/signals?since=0001-01-01T00:00:00").status_code == 422


@pytest.mark.parametrize(
    ("q", "kind", "href", "accounts"),
    [
        ("acc-3", "account", "/accounts/acc-3", ["acc-3"]),
        (" cust-3 ", "customer", "/customers/cust-3", ["acc-3"]),
        ("card-3", "card", None, ["acc-3"]),
        ("dev-strange", "device", None, ["acc-1"]),
        ("198.51.100.7", "ip", None, []),
        ("shop-online", "merchant", None, ["acc-3"]),
    ],
)
def test_an_id_leads_to_what_it_is(
    harness: Harness, q: str, kind: str, href: str | None, accounts: list[str]
) -> None:
    """Cards, devices, addresses and merchants have no page, but the accounts that used them."""
    (hit,) = get(harness, f"/v1/search?q={q}")["hits"]
    assert (hit["kind"], hit["href"], hit["accounts"]) == (kind, href, accounts)


def test_a_case_is_found_by_its_beginning_and_when_closed(harness: Harness) -> None:
    """Part of an open case's id is enough; a closed one needs the whole."""
    (case, *_) = harness.cases()
    (hit, *_) = get(harness, f"/v1/search?q={case['case_id'][:12]}")["hits"]
    assert hit["href"] == f"/cases/{case['case_id']}"
    closed = harness.people.reviews.closed("cust-4")[0]["case_id"]
    (hit,) = get(harness, f"/v1/search?q={closed}")["hits"]
    assert hit["detail"].endswith("closed")


def test_an_event_leads_to_its_account(harness: Harness) -> None:
    """By event id and by transaction id alike."""
    row = harness.store.rows("SELECT * FROM stg_transactions WHERE account_id = 'acc-6' LIMIT 1")[0]
    for name in ("event_id", "transaction_id"):
        (hit,) = get(harness, f"/v1/search?q={row[name]}")["hits"]
        assert (hit["kind"], hit["href"]) == ("event", "/accounts/acc-6")


def test_nothing_found_is_an_answer_too(harness: Harness) -> None:
    """No hit, and no error, also for nothing asked and for what only looks like a pattern."""
    for q in ("nobody", "", "%25", "_"):
        assert get(harness, f"/v1/search?q={q}")["hits"] == []
