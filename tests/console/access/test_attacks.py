"""Attacks on the console that once went through."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from detector.adapters.people.users import NO_PASSWORD
from detector.cases.review import ActionRefused
from detector.console import server
from detector.console.access import passwords
from detector.console.access.sessions import DEVICE_COOKIE, Caller, TooManyAttempts, owner_key
from detector.console.app import build_app
from detector.console.http import limits
from detector.console.server import address, listen, serving
from tests.console.harness import ROOT, Harness

SECRET = "correct horse battery"


@pytest.fixture
def harness(tmp_path: Path) -> Iterator[Harness]:
    """A console for one test."""
    kept = Harness(tmp_path)
    yield kept
    kept.close()


@pytest.fixture
def served(harness: Harness) -> Iterator[str]:
    """The address of a console that listens."""
    listener = listen("127.0.0.1", 0)
    with serving(harness.app, listener):
        yield address(listener)


def act(harness: Harness, name: str, case_id: str, **action: Any) -> Any:
    return harness.person(name).post(f"/v1/cases/{case_id}/actions", json=action)


def test_no_way_around_leads_one_person_to_a_closed_critical_case(harness: Harness) -> None:
    """Closed while high, reopened, critical by now: neither undo nor anything else closes it."""
    case = harness.cases("high")[0]["case_id"]
    assert act(harness, "kim", case, action="close", disposition="FALSE_POSITIVE").is_success
    assert act(harness, "kim", case, action="reopen").is_success
    harness.store._connection.execute(
        "UPDATE cases SET level = 'critical' WHERE case_id = ?", [case]
    )
    proposed = act(harness, "kim", case, action="close", disposition="FALSE_POSITIVE")
    assert proposed.json()["status"] == "PENDING_APPROVAL"
    assert act(harness, "kim", case, action="undo").is_success  # takes the proposal back
    refused = act(harness, "kim", case, action="undo")  # would take the reopening back
    assert refused.status_code == 409 and "second person" in refused.json()["detail"]
    assert harness.people.reviews.get(case).status != "CLOSED"
    assert act(harness, "kim", case, action="close", disposition="FALSE_POSITIVE").is_success
    assert act(harness, "sam", case, action="approve").is_success
    assert harness.people.reviews.get(case).status == "CLOSED"


@pytest.mark.parametrize("end", ["sign out", "disable", "revoke"])
def test_a_stream_ends_with_what_allowed_it(harness: Harness, served: str, end: str) -> None:
    """Signing out, disabling and revoking reach screens and programs that are already connected."""
    harness.sessions._clock = time.time
    if end == "revoke":
        key, secret = harness.people.keys.add(ROOT, "wall", "viewer")
        headers, cookies = {"Authorization": f"Bearer {secret}"}, {}
    else:
        headers, cookies = {}, {"fraud_session": harness.session("kim").token}
    ended = threading.Event()

    def listen_on() -> None:
        with httpx.stream(
            "GET", f"{served}/v1/stream", headers=headers, cookies=cookies, timeout=20
        ) as stream:
            for _ in stream.iter_lines():
                began.set()
        ended.set()

    began = threading.Event()
    threading.Thread(target=listen_on, daemon=True).start()
    assert began.wait(10)
    assert not ended.wait(1.5)
    if end == "sign out":
        harness.people.users.end_sessions(harness.session("kim").principal)
    elif end == "disable":
        harness.people.users.change(ROOT, "kim", disabled=True)
    else:
        harness.people.keys.revoke(ROOT, key.key_id)
    assert ended.wait(5)


def test_others_who_fail_do_not_lock_the_owner_out(harness: Harness) -> None:
    """By address, and by the device cookie of an earlier success at the same address."""
    harness.people.users.set_password(ROOT, "kim", passwords.hashed(SECRET), False)
    home, attacker = Caller("198.51.100.7"), Caller("203.0.113.9")
    for _ in range(5):
        try:
            harness.sessions.sign_in("kim", "wrong", attacker)
        except TooManyAttempts:
            break
    else:
        pytest.fail("the attacker was never throttled")
    assert harness.sessions.sign_in("kim", SECRET, home) is not None
    neighbour = Caller(attacker.address, harness.sessions.device("kim"))
    assert harness.sessions.sign_in("kim", SECRET, neighbour) is not None
    forged = Caller(attacker.address, harness.sessions.device("lee"))
    with pytest.raises(TooManyAttempts):
        harness.sessions.sign_in("kim", SECRET, forged)


def test_one_address_cannot_try_many_names(harness: Harness) -> None:
    """Each name alone stays below its limit; together they do not."""
    stranger = Caller("203.0.113.9")
    for n in range(40):
        try:
            harness.sessions.start_attempt(f"user{n}", stranger)
        except TooManyAttempts:
            assert n >= 20
            return
    pytest.fail("forty names were tried from one address")


def test_a_crowd_of_wrong_sign_ins_delays_no_other_request(harness: Harness, served: str) -> None:
    """Sixty at once: an honest one is answered within a few hashes, not after all of them."""
    harness.sessions._clock = time.time
    harness.people.users.set_password(ROOT, "kim", passwords.hashed(SECRET), False)
    device = harness.sessions.device("kim")

    def attempt(n: int) -> int:
        body = {"username": f"nobody{n}", "password": "wrong"}
        return client.post("/v1/session", json=body).status_code

    client = httpx.Client(base_url=served, timeout=60)
    with client, ThreadPoolExecutor(60) as crowd:
        answers = crowd.map(attempt, range(60))
        status, tries = 0, 0
        while status != 200 and tries < 20:
            answer = client.post(
                "/v1/session",
                json={"username": "kim", "password": SECRET},
                headers={"Cookie": f"{DEVICE_COOKIE}={device}"},
            )
            status, tries = answer.status_code, tries + 1
            if status == 429:
                assert answer.headers["Retry-After"] == "1"  # busy, not locked out
                time.sleep(0.5)
        assert status == 200
        refused = list(answers)
    assert set(refused) <= {401, 429} and refused.count(429) > 20


def test_failures_with_unknown_names_are_in_the_audit_log(harness: Harness) -> None:
    """Guessed names are recorded; text that is no name is not repeated there."""
    for name in ("mallory", "4111111111111111"):
        answer = harness.visitor().post("/login", data={"username": name, "password": "x"})
        assert answer.status_code == 401
    entries = harness.people.audit.entries(2)
    assert [(e.action, e.subject, e.detail["known"]) for e in entries] == [
        ("sign_in_refused", "(not a user name)", False),
        ("sign_in_refused", "mallory", False),
    ]


@pytest.mark.parametrize("header", ["Via", "X-Forwarded-Host", "X-Forwarded-For", "Forwarded"])
def test_the_demo_signs_no_one_in_through_a_proxy(tmp_path: Path, header: str) -> None:
    """A proxy on this machine makes strangers look local."""
    demo = Harness(tmp_path, demo=True)
    assert demo.visitor().get("/v1/session").status_code == 200
    assert demo.visitor(headers={header: "1.1 proxy"}).get("/v1/session").status_code == 401
    demo.close()


def test_the_demo_signs_in_only_who_has_the_printed_url(tmp_path: Path) -> None:
    """Another user of the machine can reach the port, but does not have the token."""
    demo = Harness(tmp_path, demo=True, demo_token="printed")
    html = {"Accept": "text/html"}
    assert demo.visitor(headers=html).get("/").headers["location"].startswith("/login")
    assert demo.visitor(headers=html).get("/?demo=guessed").headers["location"].startswith("/login")
    visitor = demo.visitor(headers=html)
    entered = visitor.get("/?demo=printed")
    assert (entered.status_code, entered.headers["location"]) == (303, "/")
    assert visitor.get("/").status_code == 200
    demo.close()


def test_the_owner_of_the_files_is_let_in_and_no_one_else(harness: Harness) -> None:
    """The key follows from the signing key, which only the owner can read."""
    from detector.console.access.sessions import owner_key

    owner = harness.visitor(headers={"Authorization": f"Bearer {owner_key(b'key')}"})
    assert owner.get("/v1/questions/status").status_code == 200
    stranger = harness.visitor(headers={"Authorization": f"Bearer {owner_key(b'other')}"})
    assert stranger.get("/v1/questions/status").status_code == 401


@pytest.mark.parametrize("part", ["headers", "body"])
def test_slow_requests_are_closed(
    harness: Harness, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    """A caller who sends a byte now and then does not keep a connection."""
    monkeypatch.setattr(server, "HEADERS_WITHIN_S", 1)
    monkeypatch.setattr(limits, "BODY_WITHIN_S", 1)
    listener = listen("127.0.0.1", 0)
    start = b"POST /v1/session HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    if part == "body":
        start += b"Content-Length: 100\r\n\r\n{"
    with serving(build_app(harness.app.state.context), listener):
        with socket.create_connection(listener.getsockname()[:2], timeout=8) as client:
            client.sendall(start)
            began = time.monotonic()
            answer = client.recv(65536)
            while answer and (more := client.recv(65536)):
                answer += more
        waited = time.monotonic() - began
    assert waited < 8  # an answered connection may stay open for five seconds
    assert answer == b"" if part == "headers" else b" 408 " in answer.splitlines()[0]


def test_redacted_entries_cannot_be_confirmed_by_hashing(harness: Harness) -> None:
    """An administrator sees that there is a restricted entry, and cannot test which case it is."""
    case = harness.cases()[0]["case_id"]
    with harness.people.audit.transaction() as transaction:
        transaction.record(harness.session("sam").principal, "read_smr", "smr", case, {})
    shown = harness.person("root").get("/v1/audit").json()["entries"][0]
    assert shown["subject_kind"] == "restricted" and case not in json.dumps(shown)
    entry = harness.people.audit.entries(1)[0]
    assert entry.hash == shown["hash"]
    assert entry.sealed(b"").hash != shown["hash"]


def test_users_without_a_password_do_not_sign_in(harness: Harness) -> None:
    """Not with an empty password, nor with the mark that stands for none."""
    for n, password in enumerate(("", NO_PASSWORD)):
        assert harness.sessions.sign_in("kim", password, Caller(f"192.0.2.{n}")) is None


@pytest.mark.parametrize("name", ["owner", "console"])
def test_no_user_has_a_name_of_the_system(tmp_path: Path, name: str) -> None:
    """In the audit log, or where the owner of the files may do more, they could be taken for it."""
    with closing(Harness(tmp_path)) as harness, pytest.raises(ActionRefused, match=name):
        harness.people.users.add(ROOT, name, "admin", NO_PASSWORD, must_change=False)


def test_only_the_key_of_the_owner_sends_sql(tmp_path: Path) -> None:
    """Neither a role nor a name does, also for one who was added before names were reserved."""
    with closing(Harness(tmp_path)) as harness:
        query = {"query": "SELECT disposition FROM case_reviews"}
        for name in ("vic", "kim", "sam", "root"):
            assert harness.person(name).post("/v1/sql", json=query).status_code == 403
        users = harness.people.users
        root = users.get("root")
        assert root is not None
        users._users = {**users._users, "owner": replace(root, username="owner")}
        assert harness.person("owner").post("/v1/sql", json=query).status_code == 403
        owner = harness.visitor(headers={"Authorization": f"Bearer {owner_key(b'key')}"})
        assert owner.post("/v1/sql", json=query).json()["columns"] == ["disposition"]
        assert owner.post("/v1/sql", json={"query": "DELETE FROM users"}).status_code == 422
