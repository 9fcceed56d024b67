"""Every page and its twin: over an empty store and a full one, for all who may see it."""

import re
from typing import Any

import pytest
from fastapi.testclient import TestClient

from detector.adapters.duckdb.store import DuckDBStore
from detector.console.overview.model import Overview
from detector.console.patterns.model import Patterns
from tests.build import SHIPPED
from tests.console.conftest import browsing, console
from tests.console.harness import Harness

_HTML = {"Accept": "text/html"}
_PAGES = {
    "/": "viewer",
    "/patterns": "viewer",
    "/snoozes": "viewer",
    "/lists": "viewer",
    "/cases/closed": "analyst",
    "/cases/closed?sample=5&disposition=FALSE_POSITIVE": "analyst",
    "/audit": "supervisor",
    "/audit?verify=1&actor=kim": "supervisor",
    "/admin": "admin",
}


@pytest.mark.parametrize("store", ["empty_store", "full_store"])
@pytest.mark.parametrize(("path", "role"), _PAGES.items())
def test_every_page_is_shown(
    path: str, role: Any, store: str, request: pytest.FixtureRequest
) -> None:
    """Whether much or nothing happened, a page comes, with a title and the way to the others."""
    client = browsing(request.getfixturevalue(store), role)
    answer = client.get(path, headers=_HTML)
    assert answer.status_code == 200
    assert "<title>" in answer.text and 'aria-label="Main"' in answer.text
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("store", ["empty_store", "full_store"])
@pytest.mark.parametrize(
    ("path", "model"), [("/v1/overview", Overview), ("/v1/patterns", Patterns)]
)
def test_every_twin_says_what_it_promises(
    path: str, model: Any, store: str, request: pytest.FixtureRequest
) -> None:
    """The JSON of a page fits the model that its documentation shows."""
    answer = browsing(request.getfixturevalue(store)).get(path)
    assert answer.status_code == 200
    assert model.model_validate(answer.json()).model_dump(mode="json") == answer.json()


def test_the_navigation_shows_where_one_may_go(full_store: DuckDBStore) -> None:
    """A viewer is not shown the audit log, nor a supervisor the administration."""
    for role, shown, hidden in (
        ("viewer", "/patterns", "/audit"),
        ("supervisor", "/audit", "/admin"),
        ("admin", "/admin", "/logout-nobody"),
    ):
        html = browsing(full_store, role).get("/", headers=_HTML).text  # type: ignore[arg-type]
        assert f'<a href="{shown}"' in html and f'<a href="{hidden}"' not in html


@pytest.mark.parametrize(
    ("path", "role"),
    [("/audit", "viewer"), ("/audit", "analyst"), ("/admin", "supervisor"), ("/admin", "viewer")],
)
def test_pages_are_shut_to_others(path: str, role: Any, full_store: DuckDBStore) -> None:
    """A user who may not see a page is told so, on a page."""
    answer = browsing(full_store, role).get(path, headers=_HTML)
    assert answer.status_code == 403
    assert "No permission" in answer.text


def test_the_overview_counts_what_happened(full_store: DuckDBStore) -> None:
    """Cases by rank, trips with both ends, the newest signal first, and sixty whole minutes."""
    now = browsing(full_store).get("/v1/overview").json()
    assert now["cases"][0]["rank"]["rank"] == max(case["rank"]["rank"] for case in now["cases"])
    assert {trip["start"]["city"] for trip in now["trips"]} == {"Sydney", "Perth", "London"}
    times = [signal["occurred_at"] for signal in now["signals"]]
    assert times == sorted(times, reverse=True)
    assert len(now["minutes"]) == 60
    assert now["minutes"][-1]["minute"] == "2026-01-05T10:00:00Z"
    fired = full_store.rows(
        "SELECT count(*) AS n FROM fraud_signals WHERE occurred_at >= TIMESTAMPTZ "
        "'2026-01-05 09:01:00+00'"
    )
    assert sum(sum(m["signals"].values()) for m in now["minutes"]) == fired[0]["n"]
    assert sum(band["accounts"] for band in now["bands"]) == sum(
        now["pulse"]["accounts_by_level"].values()
    )


def test_a_score_on_an_edge_is_in_the_band_below(full_store: DuckDBStore) -> None:
    """0.5 is high, and so is the band that ends there; each band has the level of its end."""
    bands = browsing(full_store).get("/v1/overview").json()["bands"]
    assert [b["level"] for b in bands if b["up_to"] in (0.25, 0.5, 0.8)] == [
        "medium",
        "high",
        "critical",
    ]
    account = next(b for b in bands if b["accounts"])
    assert (account["above"], account["up_to"]) == (0.45, 0.5)


def test_patterns_tell_their_rules_and_their_record(full_store: DuckDBStore) -> None:
    """The page knows every pattern's words, counts, cases and time to detect."""
    found = browsing(full_store).get("/v1/patterns").json()
    assert [p["id"] for p in found["patterns"]] == list(SHIPPED.patterns)
    by_id = {p["id"]: p for p in found["patterns"]}
    assert (
        by_id["velocity"]["definition"] == "5 or more transactions of one account within 1 minute."
    )
    assert by_id["structuring"]["counts_if"] == [
        "transaction type is cash deposit or cash withdrawal",
        "amount is at least 9,000 and below 10,000",
        "status is not declined or reversed",
    ]
    assert by_id["geo_impossible"]["detection_time"]["at_once"]
    # Twelve payments three seconds apart: the eighth is 21 s after the first.
    assert by_id["cnp_spike"]["detection_time"]["p95_s"] == 21
    # Five failed logins a second apart: the third is 2 s after the first.
    assert by_id["brute_force_login"]["detection_time"]["p50_s"] == 2
    # Cash every five minutes: the second is 300 s after the first.
    assert by_id["structuring"]["detection_time"]["p50_s"] == 300
    assert by_id["structuring"]["in_all"] == 2
    cases = full_store.rows("SELECT patterns FROM mv_open_fraud_cases")
    both = sum({"velocity", "cnp_spike"} <= set(c["patterns"].split(", ")) for c in cases)
    assert found["together"]["velocity"]["cnp_spike"] == both > 0


def test_precision_is_what_analysts_decided(tmp_path: Any) -> None:
    """Confirmed over decided; an inconclusive case counts for neither side."""
    harness = Harness(tmp_path, four_eyes=False)
    try:
        kim = harness.person("kim")
        holding = [c for c in harness.cases() if "velocity" in c["patterns"]]
        ends = ("CONFIRMED_FRAUD", "FALSE_POSITIVE", "INCONCLUSIVE")
        for case, end in zip(holding, ends, strict=False):
            url = f"/v1/cases/{case['case_id']}/actions"
            assert kim.post(url, json={"action": "claim"}).status_code == 200
            closing = {"action": "close", "disposition": end}
            assert kim.post(url, json=closing).status_code == 200
        found = kim.get("/v1/patterns").json()["patterns"]
        precision = next(p for p in found if p["id"] == "velocity")["precision"]
        assert len(holding) >= 2
        assert (precision["right"], precision["wrong"]) == (1, 1)
        assert precision["share"] == 0.5
    finally:
        harness.close()


def test_browsers_get_pages_and_programs_get_problems(full_store: DuckDBStore) -> None:
    """What is not there is a page in a browser, a problem document for all else and below /v1."""
    client = browsing(full_store)
    page = client.get("/nowhere", headers=_HTML)
    assert page.status_code == 404
    assert page.headers["content-type"].startswith("text/html")
    assert "There is nothing at /nowhere." in page.text
    for path, headers in (("/nowhere", {"Accept": "*/*"}), ("/v1/nowhere", _HTML)):
        problem = client.get(path, headers=headers)
        assert problem.headers["content-type"] == "application/problem+json"
        assert problem.json()["status"] == 404


def test_an_internal_error_is_reported_without_its_cause(full_store: DuckDBStore) -> None:
    """A broken route answers 500 in both shapes, without the words of the exception."""
    app = console(full_store)

    @app.get("/broken")
    def broken() -> None:
        raise RuntimeError("the secret cause")

    client = TestClient(app, base_url="http://localhost", raise_server_exceptions=False)
    for headers, kind in ((_HTML, "text/html"), ({}, "application/problem+json")):
        answer = client.get("/broken", headers=headers)
        assert answer.status_code == 500
        assert answer.headers["content-type"].startswith(kind)
        assert "secret" not in answer.text


def test_what_users_enter_stays_text(tmp_path: Any) -> None:
    """Markup in a note, a search or an actor's name is shown, never obeyed."""
    harness = Harness(tmp_path)
    try:
        kim, evil = harness.person("kim"), "<script>alert(1)</script>"
        case = harness.cases()[0]["case_id"]
        kim.post(f"/v1/cases/{case}/actions", json={"action": "note", "text": evil})
        sam = harness.person("sam")
        for path in ("/audit", f"/audit?actor={evil}", f"/nowhere/{evil}"):
            html = sam.get(path, headers=_HTML).text
            assert evil not in html
        assert "&lt;script&gt;alert(1)" in sam.get("/audit", headers=_HTML).text
    finally:
        harness.close()


def test_the_audit_log_is_read_page_by_page(tmp_path: Any) -> None:
    """Filters stay in the address, older entries are a link away, and the chain is verified."""
    harness = Harness(tmp_path)
    try:
        kim, sam = harness.person("kim"), harness.person("sam")
        case = harness.cases()[0]["case_id"]
        for number in range(101):
            note = {"action": "note", "text": f"note {number}"}
            kim.post(f"/v1/cases/{case}/actions", json=note)
        first = sam.get("/audit?actor=kim", headers=_HTML).text
        assert "note 100" in first and "note 0<" not in first
        older = first.partition('rel="next"')[0].rpartition('href="')[2].partition('"')[0]
        assert older.startswith("/audit?actor=kim&amp;")
        assert "note 0<" in sam.get(older.replace("&amp;", "&"), headers=_HTML).text
        snooze = {"pattern": "velocity", "entity_kind": "account", "entity": "acc-1"}
        kim.post("/v1/snoozes", json={**snooze, "minutes": 5, "reason": "known"})
        assert re.search(r"Until</span> \d\d \w{3} \d{4} [\d:]+ AE[SD]T", sam.get("/audit").text)
        assert "entries verified" in sam.get("/audit?verify=1", headers=_HTML).text
    finally:
        harness.close()
