"""Changing a rule in the console: preview, proposal, a second person, roll back."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from detector.adapters.people.users import NO_PASSWORD
from detector.console.access.sessions import COOKIE
from detector.console.app import build_app
from detector.console.context import assemble
from detector.console.settings import ConsoleSettings
from detector.pipeline.pipeline import Pipeline
from tests.build import records, transaction
from tests.console.bank import eventful_day
from tests.console.harness import LOCALHOST, PEOPLE, ROOT, Harness
from tests.pipeline.test_scoring import running

THREE = {"changes": {"threshold": 3}, "reason": "Cards are tested three times."}


class Office:
    """A console beside a running pipeline, and its people."""

    def __init__(self, pipeline: Pipeline) -> None:
        self.pipeline = pipeline
        store: Any = pipeline.store
        self.store, self.people = store, store.people()
        self.people.follow_rules(pipeline.adopt, store.rules_given)
        chosen = ConsoleSettings(_env_file=None)
        context = assemble(store.rules, chosen, store, self.people, b"key", pipeline=pipeline)
        self.sessions, self.app = context.sessions, build_app(context)
        for name, role in PEOPLE.items():
            self.people.users.add(ROOT, name, role, NO_PASSWORD, False)

    def person(self, name: str) -> TestClient:
        session = self.sessions._session(self.people.users.get(name), f"nonce-{name}")
        headers = {"X-CSRF-Token": session.csrf}
        client = TestClient(self.app, base_url=LOCALHOST, headers=headers)
        client.cookies.set(COOKIE, session.token)
        return client

    def tell(self, *events: Any) -> None:
        self.pipeline.submit(records(events))[1].result(10)

    def count(self, where: str) -> int:
        [(found,)] = self.store.query(f"SELECT count(*) FROM fraud_signals WHERE {where}")
        return int(found)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    """An eventful day has passed."""
    with running(tmp_path / "s.duckdb") as pipeline:
        office = Office(pipeline)
        office.tell(*eventful_day())
        yield office


def payments(account: str, first: float) -> list[Any]:
    return [transaction(first + n, account, customer_id=f"c-{account}") for n in range(4)]


def test_a_version_comes_into_force_and_goes_again(office: Office) -> None:
    """Proposed with its preview, approved by another, effective at once, rolled back by one."""
    sam, pat = office.person("sam"), office.person("pat")
    latest = max(event.occurred_at for event in eventful_day())
    start = (latest - transaction(0).occurred_at).total_seconds() + 60
    drafted = sam.post("/v1/patterns/velocity/versions", json=THREE)
    assert drafted.status_code == 201
    expected = drafted.json()["preview"]
    assert expected["after"]["signals"] > expected["before"]["signals"] > 0
    office.tell(*payments("acc-90", start))
    assert office.count("account_id = 'acc-90'") == 0, "a draft changes nothing"
    own = sam.post("/v1/patterns/velocity/versions/1/approve")
    assert (own.status_code, "a second person" in own.json()["detail"]) == (403, True)
    assert pat.post("/v1/patterns/velocity/versions/1/approve").status_code == 204
    office.tell(*payments("acc-91", start + 10))
    assert office.count("account_id = 'acc-91' AND pattern = 'velocity'") == 2
    shown = pat.get("/v1/patterns").json()["patterns"]
    assert [p["threshold"] for p in shown if p["id"] == "velocity"] == [3]
    assert pat.post("/v1/patterns/velocity/rollback").json() == {"version": 0}
    office.tell(*payments("acc-92", start + 20))
    assert office.count("account_id = 'acc-92'") == 0
    [version] = pat.get("/v1/patterns/velocity/versions").json()["versions"]
    assert (version["state"], version["author"], version["decided_by"]) == ("retired", "sam", "pat")
    actions = [entry.action for entry in office.people.audit.entries(3)]
    assert actions == ["roll_back_rule", "approve_rule", "propose_rule"]


def test_a_roll_back_returns_to_the_version_before(office: Office) -> None:
    """Not to the file, if another version was live."""
    sam, pat = office.person("sam"), office.person("pat")
    for number, threshold in enumerate((4, 6), 1):
        body = {"changes": {"threshold": threshold}, "reason": "Try."}
        assert sam.post("/v1/patterns/velocity/versions", json=body).status_code == 201
        pat.post(f"/v1/patterns/velocity/versions/{number}/approve")
        assert office.store.rules.patterns["velocity"].threshold == threshold
    assert pat.post("/v1/patterns/velocity/rollback").json() == {"version": 1}
    assert office.store.rules.patterns["velocity"].threshold == 4
    assert pat.post("/v1/patterns/velocity/rollback").json() == {"version": 0}
    assert office.store.rules.patterns["velocity"].threshold == 5
    assert pat.post("/v1/patterns/velocity/rollback").status_code == 409


def test_a_version_is_tried_in_shadow_before_it_counts(office: Office) -> None:
    """Without a second person and without effect; what both found is kept with the decision."""
    sam, pat = office.person("sam"), office.person("pat")
    latest = max(event.occurred_at for event in eventful_day())
    start = (latest - transaction(0).occurred_at).total_seconds() + 60
    sam.post("/v1/patterns/velocity/versions", json=THREE)
    sam.post("/v1/patterns/velocity/versions", json={**THREE, "changes": {"threshold": 4}})
    url = "/v1/patterns/velocity/versions/1"
    assert sam.get(f"{url}/shadow").status_code == 404
    assert sam.post(f"{url}/shadow").status_code == 204
    refused = sam.post("/v1/patterns/velocity/versions/2/shadow")
    assert (refused.status_code, "Version 1" in refused.json()["detail"]) == (409, True)
    office.tell(*payments("acc-90", start), *payments("acc-91", start), transaction(start + 4))
    office.tell(*payments("acc-92", start + 10), transaction(start + 14, "acc-92"))
    found = sam.get(f"{url}/shadow").json()
    assert found["signals"] == {"both": 1, "in_force": 0, "challenger": 6}
    assert found["in_force"]["signals"] == 1 and found["challenger"]["signals"] == 7
    assert {row["found_by"] for row in found["differences"]} == {"challenger"}
    assert office.count("account_id IN ('acc-90', 'acc-91')") == 0
    velocity = [p for p in pat.get("/v1/patterns").json()["patterns"] if p["id"] == "velocity"]
    assert (velocity[0]["threshold"], velocity[0]["in_shadow"]) == (5, False)
    assert pat.post(f"{url}/approve").status_code == 204
    assert office.store.rules.challengers == {}
    version = pat.get("/v1/patterns/velocity/versions").json()["versions"][1]
    assert (version["state"], version["compared"]["signals"]) == ("live", found["signals"])
    assert pat.get(f"{url}/shadow").json()["signals"] == found["signals"]
    office.tell(*payments("acc-93", start + 30))
    assert office.count("account_id = 'acc-93' AND pattern = 'velocity'") == 2


def test_a_wrong_rule_is_braked_and_rolled_back(tmp_path: Path) -> None:
    """It fires on every payment: without effect after fifty customers, back with one request."""
    with running(tmp_path / "s.duckdb", brake=True) as pipeline:
        office = Office(pipeline)
        sam, pat = office.person("sam"), office.person("pat")
        body = {"changes": {"threshold": 1}, "reason": "A slip of the finger."}
        assert sam.post("/v1/patterns/velocity/versions", json=body).status_code == 201
        assert pat.post("/v1/patterns/velocity/versions/1/approve").status_code == 204
        crowd = [transaction(n / 2, f"acc-{n}", customer_id=f"c-{n}") for n in range(300)]
        for start in range(0, 300, 10):
            office.tell(*crowd[start : start + 10])
        assert office.count("pattern = 'velocity'") == 50
        assert "velocity" in pipeline.detector.braked
        page = pat.get("/patterns").text
        assert 'data-roll-back="velocity"' in page and "version 1" in page
        assert pat.post("/v1/patterns/velocity/rollback").json() == {"version": 0}
        assert pipeline.detector.braked == {}
        assert 'data-roll-back="velocity"' not in pat.get("/patterns").text
        office.tell(*(transaction(200 + n, "acc-x", customer_id="c-x") for n in range(5)))
        assert office.count("pattern = 'velocity' AND account_id = 'acc-x'") == 1
        assert office.count("pattern = 'velocity'") == 51


def test_the_preview_equals_that_of_the_command(office: Office) -> None:
    """The same figures as of a copy of the store; two in a row leave nothing behind."""
    sam = office.person("sam")
    first, second = (
        sam.post("/v1/patterns/velocity/preview", json={"changes": {"threshold": 3}}).json()
        for _ in range(2)
    )
    assert first == second
    assert first["before"]["signals"] == office.count("pattern = 'velocity'")
    assert first["cases"]["new"]["count"] >= 0


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        ({"changes": {"threshold": -1}}, 422, "greater than 0"),
        ({"changes": {"treshold": 3}}, 422, "cannot change treshold; only threshold"),
        ({"changes": {"key": ["customer_id"]}}, 422, "cannot change key"),
        ({"changes": {"where": "amount + 1 > 2"}}, 422, "is not understood"),
        ({"changes": {}}, 422, "changes"),
    ],
)
def test_what_a_version_cannot_be_is_refused(
    office: Office, body: dict[str, Any], status: int, message: str
) -> None:
    """Before anything is stored."""
    sam = office.person("sam")
    answer = sam.post("/v1/patterns/velocity/versions", json={**body, "reason": "x"})
    assert answer.status_code == status and message in answer.text
    assert sam.get("/v1/patterns/velocity/versions").json() == {"versions": []}


def test_only_leads_change_rules(office: Office) -> None:
    """Analysts and viewers read the versions; an admin may roll one back, if one is live."""
    for name, rolled_back in (("kim", 403), ("vic", 403), ("root", 409)):
        person = office.person(name)
        assert person.post("/v1/patterns/velocity/versions", json=THREE).status_code == 403
        assert person.post("/v1/patterns/velocity/rollback").status_code == rolled_back
        assert person.get("/v1/patterns/velocity/versions").status_code == 200
    sam = office.person("sam")
    assert sam.get("/v1/patterns/nothing/versions").status_code == 404
    assert sam.post("/v1/patterns/velocity/versions/7/approve").status_code == 404
    sam.post("/v1/patterns/velocity/versions", json=THREE)
    assert sam.post("/v1/patterns/velocity/versions/1/reject").status_code == 204
    assert sam.post("/v1/patterns/velocity/versions/1/reject").status_code == 409


def test_a_console_without_an_engine_changes_nothing(tmp_path: Path) -> None:
    """Over a cluster, or where nothing detects, the answer says what to do."""
    harness = Harness(tmp_path)
    answer = harness.person("sam").post("/v1/patterns/velocity/versions", json=THREE)
    assert answer.status_code == 503 and "make dbt-upgrade" in answer.json()["detail"]
    harness.close()
