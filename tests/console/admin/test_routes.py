"""Administrators add and disable users and keys."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from detector.console.access import passwords
from tests.console.harness import PEOPLE, Harness


@pytest.fixture
def harness(tmp_path: Path) -> Iterator[Harness]:
    """A console for one test."""
    kept = Harness(tmp_path)
    yield kept
    kept.close()


def test_a_new_user_signs_in_with_the_one_time_password(harness: Harness) -> None:
    """It is said once and kept nowhere."""
    root = harness.person("root")
    made = root.post("/v1/users", json={"username": "new", "role": "analyst"})
    assert made.status_code == 201
    password = made.json()["one_time_password"]
    assert made.json()["user"]["must_change_password"] is True
    credentials = {"username": "new", "password": password}
    assert harness.visitor().post("/v1/session", json=credentials).status_code == 200
    listed = root.get("/v1/users")
    assert {user["username"] for user in listed.json()["users"]} == {*PEOPLE, "new"}
    everything = listed.text + repr(harness.people.audit.entries())
    assert password not in everything and "argon2" not in everything
    again = root.post("/v1/users", json={"username": "new", "role": "viewer"})
    assert again.status_code == 409


def test_a_user_s_role_and_password_are_changed(harness: Harness) -> None:
    """Each ends their sessions; the new role holds from the next."""
    root, kim = harness.person("root"), harness.person("kim")
    changed = root.patch("/v1/users/kim", json={"role": "viewer"})
    assert changed.json()["user"]["role"] == "viewer"
    assert changed.json()["one_time_password"] is None
    assert kim.get("/v1/pulse").status_code == 401
    assert harness.person("kim").post("/v1/snoozes", json={}).status_code == 403
    reset = root.patch("/v1/users/kim", json={"reset_password": True}).json()
    user = harness.people.users.get("kim")
    assert user is not None and user.must_change
    assert passwords.matches(reset["one_time_password"], user.password_hash)
    assert root.patch("/v1/users/nobody", json={"disabled": True}).status_code == 404


def test_a_disabled_user_stays_outside_until_enabled(harness: Harness) -> None:
    """Even with the right password."""
    root = harness.person("root")
    password = root.patch("/v1/users/kim", json={"reset_password": True}).json()
    credentials = {"username": "kim", "password": password["one_time_password"]}
    root.patch("/v1/users/kim", json={"disabled": True})
    assert harness.visitor().post("/v1/session", json=credentials).status_code == 401
    root.patch("/v1/users/kim", json={"disabled": False})
    assert harness.visitor().post("/v1/session", json=credentials).status_code == 200


def test_the_last_administrator_cannot_go(harness: Harness) -> None:
    """Otherwise no one could add users."""
    answer = harness.person("root").patch("/v1/users/root", json={"disabled": True})
    assert answer.status_code == 409
    assert "last administrator" in answer.json()["detail"]


def test_a_key_is_said_once_and_revoked(harness: Harness) -> None:
    """What is listed does not open anything."""
    root = harness.person("root")
    made = root.post("/v1/keys", json={"name": "payments"})
    assert made.status_code == 201
    secret = made.json()["secret"]
    machine = harness.visitor(headers={"Authorization": f"Bearer {secret}"})
    assert machine.post("/v1/score", json={}).status_code not in (401, 403)
    listed = root.get("/v1/keys")
    assert secret.split("_", 2)[2] not in listed.text + repr(harness.people.audit.entries())
    name = made.json()["key"]["key_id"]
    assert root.delete(f"/v1/keys/{name}").status_code == 204
    assert root.delete(f"/v1/keys/{name}").status_code == 409
    assert root.delete("/v1/keys/000000000000").status_code == 404
    assert machine.post("/v1/score", json={}).status_code == 401


def test_a_viewer_s_key_reads_and_does_nothing_else(harness: Harness) -> None:
    """Its role is chosen at creation, listed and stored; other roles are rejected."""
    root = harness.person("root")
    made = root.post("/v1/keys", json={"name": "wallboard", "role": "viewer"}).json()
    program = harness.visitor(headers={"Authorization": f"Bearer {made['secret']}"})
    assert program.get("/v1/cases").status_code == 200
    assert program.post("/v1/score", json={}).status_code == 403
    assert program.post("/v1/queue/next", json={}).status_code == 403
    assert program.get("/v1/keys").status_code == 403
    machine = root.post("/v1/keys", json={"name": "payments"}).json()
    roles = {key["name"]: key["role"] for key in root.get("/v1/keys").json()["keys"]}
    assert roles == {"wallboard": "viewer", "payments": "machine"}
    page = root.get("/admin").text
    assert f'data-key="{machine["key"]["key_id"]}"' in page
    assert re.search(r"<strong>wallboard</strong></td>\s*<td>Viewer</td>", page)
    refused = root.post("/v1/keys", json={"name": "x", "role": "admin"})
    assert refused.status_code == 422


@pytest.mark.parametrize("name", ["vic", "kim", "sam"])
def test_others_do_not_administer(harness: Harness, name: str) -> None:
    """Neither see nor change who may come in."""
    client = harness.person(name)
    for path in ("/v1/users", "/v1/keys"):
        assert client.get(path).status_code == 403
        assert client.post(path, json={}).status_code == 403
    assert client.patch("/v1/users/kim", json={"role": "admin"}).status_code == 403
    kim = harness.people.users.get("kim")
    assert kim is not None and kim.role == "analyst"


def test_no_user_gets_the_role_machine(harness: Harness) -> None:
    """Users need a user's role and a valid name."""
    root = harness.person("root")
    for body in (
        {"username": "new", "role": "machine"},
        {"username": "New", "role": "viewer"},
        {"username": "n", "role": "viewer"},
        {"username": "new\n", "role": "viewer"},
    ):
        assert root.post("/v1/users", json=body).status_code == 422
