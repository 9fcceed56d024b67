"""Listing values in the console, and what patterns that ask about the list find then."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from detector.cases.principals import Principal
from detector.console.lists.routes import MOST_ENTRIES
from detector.signals.lists import Entry, NamedList
from tests.build import login, transaction
from tests.console.bank import eventful_day
from tests.console.harness import Harness
from tests.console.patterns.test_versions import Office
from tests.pipeline.test_scoring import running

URL = "/v1/lists/known_bad_devices/entries"
BAD = {"value": "dev-9", "reason": "Three takeovers."}
LISTED = {
    "changes": {"where": "device_id in list('known_bad_devices')", "threshold": 1},
    "reason": "Every payment from a known bad device.",
}


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    """An eventful day has passed."""
    with running(tmp_path / "s.duckdb") as pipeline:
        office = Office(pipeline)
        office.tell(*eventful_day())
        yield office


def payment(office: Office, second: float) -> str:
    """A payment from the device so long after the day; its id."""
    latest = max(event.occurred_at for event in eventful_day())
    start = (latest - transaction(0).occurred_at).total_seconds()
    name = f"pay-{second}"
    office.tell(transaction(start + second, "acc-90", device_id="dev-9", event_id=name))
    return name


def test_a_value_counts_from_the_next_event_until_it_is_ended(office: Office) -> None:
    """By an analyst, in a pattern that a version made ask about the list; all is on record."""
    kim, sam, pat = (office.person(name) for name in ("kim", "sam", "pat"))
    sam.post("/v1/patterns/velocity/versions", json=LISTED)
    assert pat.post("/v1/patterns/velocity/versions/1/approve").status_code == 204
    payment(office, 1)
    made = kim.post(URL, json={**BAD, "days": 30})
    assert made.status_code == 201
    during = payment(office, 2)
    assert kim.delete(f"/v1/list-entries/{made.json()['entry_id']}").status_code == 204
    payment(office, 3)
    found = office.store.query("SELECT event_id FROM fraud_signals WHERE account_id = 'acc-90'")
    assert found == [(during,)]
    [devices] = [
        known
        for known in kim.get("/v1/lists").json()["lists"]
        if known["name"] == "known_bad_devices"
    ]
    assert devices["used_by"] == ["velocity"]
    [entry] = devices["entries"]
    assert (entry["value"], entry["added_by"], entry["ended_by"]) == ("dev-9", "kim", "kim")
    again = kim.post(URL, json=BAD)
    assert again.status_code == 201 and again.json()["until"] is None
    actions = [entry.action for entry in office.people.audit.entries(3)]
    assert actions == ["add_list_entry", "end_list_entry", "add_list_entry"]


def test_what_cannot_be_listed_is_refused(office: Office) -> None:
    """With what is wrong; nothing is changed."""
    kim, vic = office.person("kim"), office.person("vic")
    assert vic.post(URL, json=BAD).status_code == 403
    unknown = kim.post("/v1/lists/friends/entries", json=BAD)
    assert (unknown.status_code, "known_bad_devices" in unknown.json()["detail"]) == (404, True)
    for wrong in (
        {"value": ""},
        {"value": "4111 1111 1111 1111"},
        {"reason": " "},
        {"days": 0},
        {"days": 3_651},
        {"since": "now"},
    ):
        assert kim.post(URL, json={**BAD, **wrong}).status_code == 422
    assert kim.post(URL, json=BAD).status_code == 201
    twice = kim.post(URL, json=BAD)
    assert (twice.status_code, "already" in twice.json()["detail"]) == (409, True)
    assert kim.delete("/v1/list-entries/lst_000000000000").status_code == 404
    trusted = URL.replace("known_bad_devices", "trusted_payees")
    assert kim.post(trusted, json=BAD).status_code == 403
    made = office.person("sam").post(trusted, json=BAD).json()
    assert kim.delete(f"/v1/list-entries/{made['entry_id']}").status_code == 403
    entries = [Entry(value=f"d-{n}") for n in range(MOST_ENTRIES)]
    office.store.rules.lists["known_bad_devices"] = NamedList(
        title="Full", of=["device_id"], entries=entries
    )
    full = kim.post(URL, json={**BAD, "value": "one-more"})
    assert (full.status_code, "5,000" in full.json()["detail"]) == (409, True)


def test_nothing_is_listed_before_it_is_known_what_was_judged(office: Office) -> None:
    """At a start, or after the end: an entry could not say from when on it holds."""
    office.pipeline.ready.clear()
    refused = office.person("kim").post(URL, json=BAD)
    office.pipeline.ready.set()
    assert (refused.status_code, "not running" in refused.json()["detail"]) == (503, True)
    assert office.person("kim").post(URL, json=BAD).status_code == 201


def test_a_case_offers_the_values_of_its_events(office: Office) -> None:
    """Of the columns that lists have, without those that are listed already.

    First those where a pattern fired: the customer's own device is not the one to list.
    """
    kim = office.person("kim")
    start = office.store.rows("SELECT max(occurred_at) AS at FROM transactions")[0]["at"]
    office.tell(
        login(0, "c-91", occurred_at=start, device_id="a-usual-one", event_id="usual"),
        *(
            transaction(n, "acc-91", customer_id="c-91", occurred_at=start, device_id="dev-9",
                        payee_id="mule", event_id=f"v{n}", transaction_type="CASH_DEPOSIT",
                        amount="9500.00")
            for n in range(6)
        )
    )  # fmt: skip
    [case] = office.store.rows("SELECT case_id FROM cases WHERE customer_id = 'c-91'")
    url = f"/v1/cases/{case['case_id']}/list-values"

    def offered(client: TestClient = kim) -> list[Any]:
        return [(v["list_name"], v["value"]) for v in client.get(url).json()["values"]]

    bad = ("known_bad_devices", "dev-9")
    mule = ("known_bad_payees", "mule")
    usual = ("known_bad_devices", "a-usual-one")
    assert offered() == [bad, mule, usual]
    assert offered(office.person("sam")) == [bad, mule, ("trusted_payees", "mule"), usual]
    kim.post(URL, json=BAD)
    assert offered() == [mule, usual]
    assert kim.get("/v1/cases/case_000000000000/list-values").status_code == 404


def test_entries_are_exported(tmp_path: Path) -> None:
    """A console over a store without a pipeline shows them, and changes none."""
    harness = Harness(tmp_path)
    harness.people.list_entries.add(
        Principal("sam", "supervisor"), "trusted_payees", "ato", "=Tax", None
    )
    kim = harness.person("kim")
    [row] = csv.DictReader(kim.get("/v1/lists.csv").text.splitlines())
    assert (row["value"], row["added_by"], row["until"]) == ("ato", "sam", "")
    page = kim.get("/lists").text
    assert 'href="/v1/lists.csv" download' in page and "data-add" not in page
    refused = kim.post(URL, json=BAD)
    assert (refused.status_code, "rules' file" in refused.json()["detail"]) == (503, True)
    harness.close()
