"""Working cases over HTTP: what is allowed and what is refused."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.console.harness import Harness


@pytest.fixture
def harness(tmp_path: Path) -> Iterator[Harness]:
    """A console for one test."""
    kept = Harness(tmp_path)
    yield kept
    kept.close()


def act(client: TestClient, case_id: str, action: str, **fields: Any) -> Any:
    return client.post(f"/v1/cases/{case_id}/actions", json={"action": action, **fields})


def test_a_case_from_claim_to_disposition(harness: Harness) -> None:
    """Each answer says what the case is now and where that is on record."""
    [case_id, *_] = [case["case_id"] for case in harness.cases("high")]
    kim = harness.person("kim")
    claimed = act(kim, case_id, "claim")
    assert claimed.json() == {
        "case_id": case_id, "status": "IN_REVIEW", "owner": "kim", "disposition": None,
        "version": 1, "audit_seq": harness.people.audit.head()[0], "summary": "claimed the case",
    }  # fmt: skip
    assert act(kim, case_id, "note", text="Known shop.").status_code == 200
    sent = act(kim, case_id, "instruct", instruction="STEP_UP", target="card-3")
    assert sent.json()["version"] == 3
    closed = act(kim, case_id, "close", disposition="FALSE_POSITIVE", text="A shop.", version=3)
    assert (closed.json()["status"], closed.json()["disposition"]) == ("CLOSED", "FALSE_POSITIVE")
    assert case_id not in [case["case_id"] for case in harness.cases()]
    history = harness.people.reviews.history(case_id)
    assert [e.action for e in history] == ["close", "instruct", "note", "claim"]
    assert history[1].detail["target"] == "card-3"


def test_a_closed_case_can_be_taken_up_again(harness: Harness) -> None:
    """It is no longer among the open ones, but not forgotten; undo brings it back too."""
    [case_id, other, *_] = [case["case_id"] for case in harness.cases("high")]
    kim, lee = harness.person("kim"), harness.person("lee")
    for name in (case_id, other):
        assert act(kim, name, "close", disposition="INCONCLUSIVE").status_code == 200
    assert act(lee, case_id, "reopen", text="New call.").json()["owner"] == "lee"
    assert act(kim, other, "undo").json() | {"audit_seq": 0} == {
        "case_id": other, "status": "NEW", "owner": None, "disposition": None, "version": 2,
        "audit_seq": 0, "summary": "undid: close",
    }  # fmt: skip
    assert {case_id, other} <= {case["case_id"] for case in harness.cases()}


def test_four_eyes_refuse_the_same_person(harness: Harness) -> None:
    """A critical case closes when a second person who may has agreed."""
    [case_id] = [case["case_id"] for case in harness.cases("critical")]
    sam, pat = harness.person("sam"), harness.person("pat")
    proposed = act(sam, case_id, "close", disposition="CONFIRMED_FRAUD")
    assert proposed.json()["status"] == "PENDING_APPROVAL"
    same = act(sam, case_id, "approve")
    assert same.status_code == 403
    assert "Four eyes" in same.json()["detail"]
    assert act(harness.person("kim"), case_id, "approve").status_code == 403
    assert act(pat, case_id, "approve").json()["status"] == "CLOSED"


def test_four_eyes_are_a_setting(tmp_path: Path) -> None:
    """Switched off, one is enough."""
    harness = Harness(tmp_path, four_eyes=False)
    [case_id] = [case["case_id"] for case in harness.cases("critical")]
    closed = act(harness.person("kim"), case_id, "close", disposition="CONFIRMED_FRAUD")
    assert closed.json()["status"] == "CLOSED"
    harness.close()


@pytest.mark.parametrize("name", ["vic", "root"])
def test_who_only_looks_cannot_act(harness: Harness, name: str) -> None:
    """Not on one case, not on many, not on the queue or snoozes; nothing is recorded."""
    case_id = harness.cases()[0]["case_id"]
    kept = harness.people.audit.head()
    client = harness.person(name)
    assert act(client, case_id, "claim").status_code == 403
    many = {"case_ids": [case_id], "action": {"action": "claim"}}
    assert client.post("/v1/cases/actions", json=many).status_code == 403
    assert client.post("/v1/snoozes", json={}).status_code == 403
    assert harness.people.audit.head() == kept


def test_no_action_without_a_session_or_with_a_machines_key(harness: Harness) -> None:
    """401 for who is not known, 403 for who may not."""
    case_id = harness.cases()[0]["case_id"]
    assert act(harness.visitor(), case_id, "claim").status_code == 401
    assert act(harness.machine(), case_id, "claim").status_code == 403


def test_a_foreign_token_cannot_act(harness: Harness) -> None:
    """The case stays as it was."""
    case_id = harness.cases()[0]["case_id"]
    kim = harness.person("kim")
    kim.headers["X-CSRF-Token"] = harness.session("lee").csrf
    assert act(kim, case_id, "claim").status_code == 403
    assert harness.people.reviews.get(case_id).version == 0


def test_an_action_on_an_outdated_version_is_a_conflict(harness: Harness) -> None:
    """The answer says so, and what to do."""
    case_id = harness.cases("high")[0]["case_id"]
    assert act(harness.person("kim"), case_id, "claim", version=0).status_code == 200
    late = act(harness.person("sam"), case_id, "close", disposition="INCONCLUSIVE", version=0)
    assert late.status_code == 409
    assert "kim claimed the case" in late.json()["detail"]
    assert "Reload the case" in late.json()["detail"]


def test_unknown_cases_are_not_found(harness: Harness) -> None:
    """Whatever one wants of them."""
    assert act(harness.person("kim"), "case_000000000000", "claim").status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {}, {"action": "burn"}, {"action": "note"}, {"action": "note", "text": ""},
        {"action": "note", "text": " \n"}, {"action": "note", "text": "a\u0000b"},
        {"action": "note", "text": "x" * 2001}, {"action": "claim", "more": 1},
        {"action": "close", "disposition": "MAYBE"}, {"action": "close"},
        {"action": "instruct", "instruction": "SHOUT"}, {"action": "assign", "to": "Kim!"},
        {"action": "claim", "version": -1}, {"action": "claim", "version": 2**70}, [], "x", None,
        {"action": ["claim"]},
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named(harness: Harness, body: Any) -> None:
    """422, and nothing happens."""
    case_id = harness.cases()[0]["case_id"]
    answer = harness.person("kim").post(f"/v1/cases/{case_id}/actions", json=body)
    assert answer.status_code == 422
    assert harness.people.reviews.get(case_id).version == 0


@pytest.mark.parametrize("text", ["\\ud800", "\\udfff\\ud800"])
def test_half_characters_are_refused(harness: Harness, text: str) -> None:
    """JSON can carry them, no store can."""
    case_id = harness.cases()[0]["case_id"]
    body = f'{{"action": "note", "text": "{text}"}}'
    answer = harness.person("kim").post(
        f"/v1/cases/{case_id}/actions", content=body, headers={"content-type": "application/json"}
    )
    assert answer.status_code == 422
    key = f'{{"action": "{text}"}}'
    answer = harness.person("kim").post(
        f"/v1/cases/{case_id}/actions", content=key, headers={"content-type": "application/json"}
    )
    assert answer.status_code == 422


def test_many_cases_with_mixed_outcome(harness: Harness) -> None:
    """What could be done is done; the rest says why not, in the order asked for."""
    ids = [case["case_id"] for case in harness.cases()]
    act(harness.person("lee"), ids[1], "claim")
    unknown = "case_ffffffffffff"
    body = {"case_ids": [unknown, *ids, ids[0]], "action": {"action": "claim"}}
    answer = harness.person("kim").post("/v1/cases/actions", json=body).json()
    assert [done["case_id"] for done in answer["done"]] == [ids[0], *ids[2:]]
    assert [(r["case_id"], r["detail"][:16]) for r in answer["refused"]] == [
        (unknown, "There is no case"), (ids[1], "lee owns the cas"),
    ]  # fmt: skip
    assert harness.people.audit.verify() == harness.people.audit.head()[0]


def test_closing_many_at_once_respects_four_eyes(harness: Harness) -> None:
    """Critical ones wait for approval, the others are closed."""
    ids = [case["case_id"] for case in harness.cases()]
    body = {"case_ids": ids, "action": {"action": "close", "disposition": "FALSE_POSITIVE"}}
    answer = harness.person("sam").post("/v1/cases/actions", json=body).json()
    statuses = {done["case_id"]: done["status"] for done in answer["done"]}
    assert statuses[ids[0]] == "PENDING_APPROVAL"
    assert {statuses[name] for name in ids[1:]} == {"CLOSED"}


@pytest.mark.parametrize("count", [0, 501])
def test_how_many_cases_at_once_is_limited(harness: Harness, count: int) -> None:
    """None makes no sense, and a slip should not touch thousands."""
    ids = [f"case_{n:012x}" for n in range(count)]
    body = {"case_ids": ids, "action": {"action": "claim"}}
    assert harness.person("kim").post("/v1/cases/actions", json=body).status_code == 422


def test_many_cases_have_no_version(harness: Harness) -> None:
    """It would be checked for none of them."""
    body = {"case_ids": ["case_000000000000"], "action": {"action": "claim", "version": 1}}
    assert harness.person("kim").post("/v1/cases/actions", json=body).status_code == 409


def test_a_pattern_is_silenced_for_an_account_and_heard_of_again(harness: Harness) -> None:
    """Snoozes are seen by everybody and on record."""
    kim = harness.person("kim")
    wanted = {
        "pattern": "velocity", "entity_kind": "account", "entity": "acc-1", "minutes": 60,
        "reason": "A known shop.",
    }  # fmt: skip
    made = kim.post("/v1/snoozes", json=wanted)
    assert made.status_code == 201
    assert harness.person("vic").get("/v1/snoozes").json() == {"snoozes": [made.json()]}
    name = made.json()["snooze_id"]
    assert kim.delete(f"/v1/snoozes/{name}").status_code == 204
    assert kim.delete(f"/v1/snoozes/{name}").status_code == 409
    assert kim.delete("/v1/snoozes/snz_000000000000").status_code == 404
    assert kim.get("/v1/snoozes").json() == {"snoozes": []}
    [ended] = kim.get("/v1/snoozes?active=false").json()["snoozes"]
    assert ended["ended_at"] is not None
    assert kim.post("/v1/snoozes", json={**wanted, "pattern": "x"}).status_code == 404
    for minutes in (0, 60 * 24 * 90 + 1):
        answer = kim.post("/v1/snoozes", json={**wanted, "minutes": minutes})
        assert answer.status_code == 422
