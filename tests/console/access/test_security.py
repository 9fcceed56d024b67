"""Who comes in, as whom, and who stays outside."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.responses import JSONResponse
from fastapi.testclient import TestClient

from detector.console.access import passwords
from detector.console.access.middleware import AccessMiddleware
from detector.console.access.sessions import COOKIE, SessionKeeper, signing_key
from detector.console.access.throttle import LONGEST_WAIT, Throttle
from detector.console.http.hosts import host_name, is_loopback
from detector.console.settings import console_settings
from detector.console.signin.routes import local
from detector.core.errors import InputError
from tests.console.harness import ROOT, Harness

SECRET = "correct horse battery"


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    """A console shared by several tests."""
    harness = Harness(tmp_path_factory.mktemp("harness"))
    yield harness
    harness.close()


@pytest.fixture
def harness(tmp_path: Path) -> Iterator[Harness]:
    """A console for one test."""
    kept = Harness(tmp_path)
    yield kept
    kept.close()


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Harness]:
    """A demonstration."""
    kept = Harness(tmp_path, demo=True)
    yield kept
    kept.close()


def give_password(harness: Harness, name: str, must_change: bool = False) -> None:
    harness.people.users.set_password(ROOT, name, passwords.hashed(SECRET), must_change)


def sign_in(client: TestClient, name: str, password: str = SECRET, **headers: str) -> Any:
    credentials = {"username": name, "password": password}
    return client.post("/v1/session", json=credentials, headers=headers)


def test_signing_in_opens_a_session_that_the_cookie_carries(harness: Harness) -> None:
    """The answer says who one is and gives the token; the cookie is out of scripts' reach."""
    give_password(harness, "kim")
    client = harness.visitor()
    answer = sign_in(client, "kim")
    assert answer.status_code == 200
    assert (answer.json()["name"], answer.json()["role"]) == ("kim", "analyst")
    set_cookie = answer.headers["set-cookie"]
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(set_cookie.split("; "))
    assert "Secure" not in set_cookie
    assert client.get("/v1/session").json() == answer.json()
    assert [e.action for e in harness.people.audit.entries(actor="kim")] == ["sign_in"]


def test_over_https_the_cookie_is_secure(harness: Harness) -> None:
    """It never travels in the clear."""
    give_password(harness, "kim")
    client = TestClient(harness.app, base_url="https://localhost")
    assert "Secure" in sign_in(client, "kim").headers["set-cookie"].split("; ")


@pytest.mark.parametrize("name", ["kim", "nobody"])
def test_a_wrong_password_and_a_wrong_name_answer_the_same(harness: Harness, name: str) -> None:
    """The response does not reveal which names exist."""
    give_password(harness, "kim")
    answer = sign_in(harness.visitor(), name, "wrong password")
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"] == "Name or password is wrong."
    assert "set-cookie" not in answer.headers


def test_failed_attempts_have_to_wait_longer_and_longer(harness: Harness) -> None:
    """Even the right password waits; other names do not."""
    give_password(harness, "kim")
    client = harness.visitor()
    assert [sign_in(client, "kim", "wrong").status_code for _ in range(3)] == [401] * 3
    refused = sign_in(client, "kim")
    assert refused.status_code == 429
    assert int(refused.headers["retry-after"]) >= 1
    give_password(harness, "lee")
    assert sign_in(client, "lee").status_code == 200
    harness.now += 2
    assert sign_in(client, "kim").status_code == 200
    assert sign_in(client, "kim", "wrong").status_code == 401
    refusals = harness.people.audit.entries(action="sign_in_refused", subject="kim")
    assert len(refusals) == 4


def test_waits_double_up_to_a_minute() -> None:
    """A person who mistypes hardly notices, a program gets nowhere."""
    attempts, now, waits = Throttle(), 0.0, []
    for _ in range(12):
        assert attempts.start("kim", now) == 0
        wait = attempts.start("kim", now + 0.0)
        if wait == 0:
            continue
        waits.append(wait)
        now += wait
    assert waits[:4] == [1, 2, 4, 8]
    assert waits[-1] == LONGEST_WAIT
    attempts.succeeded("kim")
    assert [attempts.start("kim", now) for _ in range(3)] == [0, 0, 0]


def test_a_page_sends_the_visitor_to_sign_in_and_back(harness: Harness) -> None:
    """The form keeps where they wanted to go."""
    give_password(harness, "kim")
    client = harness.visitor()
    away = client.get("/password?x=1&y=2")
    assert (away.status_code, away.headers["location"]) == (
        303, "/login?next=/password%3Fx%3D1%26y%3D2",
    )  # fmt: skip
    form = client.get(away.headers["location"])
    assert form.status_code == 200
    assert 'name="next" value="/password?x=1&amp;y=2"' in form.text
    wrong = client.post("/login", data={"username": "kim", "password": "x", "next": "/"})
    assert wrong.status_code == 401
    assert "Name or password is wrong" in wrong.text
    right = {"username": "kim", "password": SECRET, "next": "/password?x=1&y=2"}
    back = client.post("/login", data=right)
    assert (back.status_code, back.headers["location"]) == (303, "/password?x=1&y=2")
    assert client.get("/password").status_code == 200
    assert client.get("/login?next=/cases").headers["location"] == "/cases"


@pytest.mark.parametrize(
    "path", ["//evil.example", "/\\evil.example", "https://evil.example", "x", "", "/\n/evil"]
)
def test_signing_in_never_leads_elsewhere(path: str) -> None:
    """A crafted link cannot send a person to another site."""
    assert local(path) == "/"


def test_a_link_from_elsewhere_comes_again_from_here(day: Harness) -> None:
    """The strict cookie stays away on the first request, so the page asks once more by itself."""
    answer = day.visitor().get("/password?a=%22b", headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 200
    assert 'content="0;url=/password?a=%22b"' in answer.text


def test_a_one_time_password_must_be_changed_first(harness: Harness) -> None:
    """Until then every other door is shut; afterwards earlier sessions are over."""
    give_password(harness, "sam", must_change=True)
    client = harness.visitor()
    signed = client.post("/login", data={"username": "sam", "password": SECRET})
    assert signed.headers["location"] == "/password"
    assert client.get("/v1/pulse").status_code == 403
    token = re.search(r'name="csrf-token" content="([^"]+)"', client.get("/password").text)
    assert token is not None
    form = {"csrf_token": token[1], "current": SECRET}
    short = client.post("/password", data={**form, "new": "short", "repeat": "short"})
    assert short.status_code == 422
    assert "at least 12" in short.text
    differs = client.post("/password", data={**form, "new": "a" * 12, "repeat": "b" * 12})
    assert "differ" in differs.text
    old_cookie = client.cookies[COOKIE]
    changed = client.post("/password", data={**form, "new": "a" * 12, "repeat": "a" * 12})
    assert (changed.status_code, changed.headers["location"]) == (303, "/")
    assert client.get("/v1/pulse").status_code == 200
    other = harness.visitor()
    other.cookies.set(COOKIE, old_cookie)
    assert other.get("/v1/pulse").status_code == 401


def test_a_password_is_changed_by_a_program_too(harness: Harness) -> None:
    """The current one has to be right, and the new one new."""
    give_password(harness, "kim")
    kim = harness.person("kim")
    change = {"current": "wrong", "new": "staple correct horse"}
    assert kim.put("/v1/session/password", json=change).status_code == 409
    same = {"current": SECRET, "new": SECRET}
    assert kim.put("/v1/session/password", json=same).status_code == 409
    answer = kim.put("/v1/session/password", json={**change, "current": SECRET})
    assert answer.status_code == 200
    assert kim.get("/v1/session").json()["csrf_token"] == answer.json()["csrf_token"]
    assert sign_in(harness.visitor(), "kim", "staple correct horse").status_code == 200


ENDINGS: dict[str, Callable[[Harness], object]] = {
    "disabled": lambda o: o.people.users.change(ROOT, "kim", disabled=True),
    "another role": lambda o: o.people.users.change(ROOT, "kim", role="viewer"),
    "password changed": lambda o: o.people.users.set_password(ROOT, "kim", "x", False),
    "signed out": lambda o: o.person("kim").delete("/v1/session"),
    "too old": lambda o: setattr(o, "now", o.now + 12 * 3600 + 1),
}


@pytest.mark.parametrize("why", ENDINGS)
def test_a_session_ends(harness: Harness, why: str) -> None:
    """The cookie is worth nothing from that moment on."""
    kim = harness.person("kim")
    assert kim.get("/v1/pulse").status_code == 200
    ENDINGS[why](harness)
    assert kim.get("/v1/pulse").status_code == 401


@pytest.mark.parametrize("how", ["cut", "another key", "nonsense", "empty"])
def test_a_forged_cookie_is_anonymous(day: Harness, how: str) -> None:
    """Only what this console signed opens it."""
    token = day.session("kim").token
    other = (
        SessionKeeper(day.people.users, day.people.keys, b"other")
        ._session(day.people.users.all()[0], "n")
        .token
    )
    client = day.visitor()
    client.cookies.set(
        COOKIE, {"cut": token[:-2], "another key": other, "nonsense": "a.b", "empty": ""}[how]
    )
    assert client.get("/v1/pulse").status_code == 401


def test_other_programs_cookies_do_not_matter(day: Harness) -> None:
    """All ports of one machine share their cookies, however odd."""
    token = day.session("kim").token
    cookies = f'odd={{"a": "b; c"}}; =x; @; {COOKIE}={token}; theme=dark'
    assert day.visitor().get("/v1/session", headers={"cookie": cookies}).status_code == 200


def test_unsafe_requests_need_the_session_s_own_token(day: Harness) -> None:
    """Without it, or with another session's, nothing happens."""
    kim = day.person("kim")
    foreign = day.session("lee").csrf
    for token in (None, "", foreign, "x"):
        headers = {} if token is None else {"X-CSRF-Token": token}
        if token is None:
            del kim.headers["X-CSRF-Token"]
        answer = kim.delete("/v1/session", headers=headers)
        assert (answer.status_code, "X-CSRF-Token" in answer.json()["detail"]) == (403, True)
    assert kim.post("/logout", data={"csrf_token": foreign}).status_code == 403
    assert kim.get("/v1/session").status_code == 200


def test_signing_out_by_the_form(harness: Harness) -> None:
    """The field carries the token, and the cookie is taken away."""
    kim = harness.person("kim")
    del kim.headers["X-CSRF-Token"]
    token = harness.session("kim").csrf
    answer = kim.post("/logout", data={"csrf_token": token})
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")
    assert "Max-Age=0" in answer.headers["set-cookie"]
    assert kim.get("/v1/session").status_code == 401


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://localhost:1"])
def test_another_site_s_page_cannot_sign_a_browser_in(day: Harness, origin: str) -> None:
    """Its form would sign the user in as someone else."""
    visitor = day.visitor()
    assert sign_in(visitor, "kim", origin=origin).status_code == 403
    form = {"username": "kim", "password": "x"}
    assert visitor.post("/login", data=form, headers={"origin": origin}).status_code == 403
    own = visitor.post("/login", data=form, headers={"origin": "http://localhost:8000"})
    assert own.status_code in (401, 429)


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example:8000", "", "127.0.0.1.x"])
def test_unknown_host_names_are_refused(day: Harness, host: str) -> None:
    """A hostile name that resolves to this machine does not get in."""
    answer = day.visitor().get("/healthz", headers={"host": host})
    assert answer.status_code == 421
    assert "CONSOLE_HOSTS" in answer.json()["detail"]
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:8000", "127.0.0.1:1", "[::1]:8000", "::1"]
)
def test_this_machine_s_names_are_known(day: Harness, host: str) -> None:
    """With any port."""
    assert day.visitor().get("/healthz", headers={"host": host}).status_code == 200


def test_further_host_names_are_a_setting(tmp_path: Path) -> None:
    """As behind a proxy."""
    harness = Harness(tmp_path, hosts=["fraud.bank.example"])
    answer = harness.visitor().get("/healthz", headers={"host": "Fraud.bank.example"})
    assert answer.status_code == 200
    harness.close()


@pytest.mark.parametrize(
    ("header", "name"),
    [("a:80", "a"), ("A", "a"), ("[::1]:80", "::1"), ("[::1]", "::1"), ("::1", "::1"), ("", "")],
)
def test_a_host_header_s_name(header: str, name: str) -> None:
    """The port does not matter."""
    assert host_name(header) == name


def test_what_is_loopback() -> None:
    """Every address of this machine to itself, and nothing that only looks like one."""
    assert all(map(is_loopback, ["localhost", "127.0.0.1", "127.9.9.9", "::1"]))
    assert not any(map(is_loopback, ["0.0.0.0", "10.0.0.1", "127.0.0.1.evil.example", ""]))


@pytest.mark.parametrize("path", ["/healthz", "/login", "/v1/pulse", "/nowhere"])
def test_every_answer_carries_the_headers_of_safety(day: Harness, path: str) -> None:
    """Pages, problems and data alike."""
    headers = day.visitor().get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "script-src 'self';" in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cache-control"] == "no-store"


def test_a_machine_may_ingest_and_score_and_nothing_else(day: Harness) -> None:
    """Its key opens two doors and needs no token."""
    machine = day.machine()
    for path in ("/v1/events", "/v1/score"):
        answer = machine.post(path, json={})
        assert answer.status_code not in (401, 403), path
    assert machine.get("/v1/pulse").status_code == 403
    assert machine.get("/v1/session").status_code == 401


def test_a_person_may_not_score(day: Harness) -> None:
    """Only systems feed the system."""
    assert day.person("sam").post("/v1/score", json={}).status_code == 403


def test_missing_foreign_and_revoked_keys_are_refused(harness: Harness) -> None:
    """What one holds after a revocation is worth nothing."""
    key, whole = harness.people.keys.add(ROOT, "payments")
    name = key.key_id
    wrong = ["", "Bearer", "Bearer x", f"Bearer fk_{name}_x", f"Basic {whole}", f"Bearer {whole}x",
             "Bearer fk_none_x", f"Bearer fk_{name}_"]  # fmt: skip
    for header in wrong:
        answer = harness.visitor().post("/v1/score", headers={"authorization": header}, json={})
        assert answer.status_code == 401, header
        assert answer.headers["www-authenticate"] == "Bearer"
    assert harness.visitor().post("/v1/score", json={}).status_code == 401
    right = harness.visitor(headers={"authorization": f"bearer {whole}"})
    assert right.post("/v1/score", json={}).status_code not in (401, 403)
    harness.people.keys.revoke(ROOT, name)
    assert right.post("/v1/score", json={}).status_code == 401


def test_the_demonstration_signs_visitors_of_this_machine_in(demo: Harness) -> None:
    """As a supervisor; tabs opened one after the other do not disturb each other."""
    client = demo.visitor()
    assert demo.people.users.get("demo") is None
    first = client.get("/v1/session").json()
    assert (first["name"], first["role"]) == ("demo", "supervisor")
    assert demo.visitor().get("/v1/session").json()["csrf_token"] == first["csrf_token"]
    assert client.delete("/v1/session").status_code == 403
    away = client.delete("/v1/session", headers={"X-CSRF-Token": first["csrf_token"]})
    assert away.status_code == 204
    assert demo.people.audit.verify() == len(demo.people.audit.entries())


def test_the_demonstration_has_two_people(demo: Harness) -> None:
    """One proposes to close a critical case, the other approves."""
    client = demo.visitor()
    token = {"X-CSRF-Token": client.get("/v1/session").json()["csrf_token"]}
    [critical, *_] = [case["case_id"] for case in demo.cases("critical")]
    actions = f"/v1/cases/{critical}/actions"
    close = {"action": "close", "disposition": "CONFIRMED_FRAUD"}
    assert client.post(actions, json=close, headers=token).json()["status"] == "PENDING_APPROVAL"
    assert client.post(actions, json={"action": "approve"}, headers=token).status_code == 403
    assert "Continue as colleague" in client.get("/cases", headers={"Accept": "text/html"}).text
    form = {"csrf_token": token["X-CSRF-Token"], "username": "colleague", "next": "/cases"}
    switched = client.post("/demo", data=form, follow_redirects=False)
    assert (switched.status_code, switched.headers["location"]) == (303, "/cases")
    who = client.get("/v1/session").json()
    assert (who["name"], who["role"]) == ("colleague", "supervisor")
    token = {"X-CSRF-Token": who["csrf_token"]}
    approved = client.post(actions, json={"action": "approve"}, headers=token)
    assert approved.json()["status"] == "CLOSED"


def test_no_one_continues_as_a_user_with_a_password(demo: Harness, day: Harness) -> None:
    """Not in the demo, and outside it not at all; a session from a demo has no worth there."""
    client = demo.visitor()
    who = client.get("/v1/session").json()
    for name in ("sam", "root", "nobody", ""):
        form = {"csrf_token": who["csrf_token"], "username": name}
        assert client.post("/demo", data=form, follow_redirects=False).status_code == 404
    sam = day.person("sam")
    for name in ("demo", "colleague"):
        assert sam.post("/demo", data={"username": name}).status_code == 404
    keeper = SessionKeeper(demo.people.users, demo.people.keys, b"key", demo=True)
    session = keeper.demo_session()
    assert keeper.session(session.token) is not None
    outside = SessionKeeper(demo.people.users, demo.people.keys, b"key")
    assert outside.session(session.token) is None


def test_the_demonstration_lets_no_page_act_without_a_session(demo: Harness) -> None:
    """A hostile page's request carries no cookie, so it is anonymous."""
    assert demo.visitor().delete("/v1/session").status_code == 401


STRANGERS: dict[str, dict[str, Any]] = {
    "another machine": {"client": ("10.0.0.7", 1)},
    "another name": {"headers": {"host": "192.168.0.5:8000"}},
    "a proxy": {"headers": {"x-forwarded-for": "10.0.0.7"}},
}


@pytest.mark.parametrize("who", STRANGERS)
def test_the_demonstration_is_for_this_machine_only(demo: Harness, who: str) -> None:
    """Everybody else has to sign in."""
    given = STRANGERS[who]
    visitor = TestClient(
        demo.app, base_url="http://localhost", client=given.get("client", ("127.0.0.1", 1))
    )
    assert visitor.get("/v1/session", headers=given.get("headers")).status_code == 401


def test_a_demonstration_on_an_open_address_is_refused(demo: Harness) -> None:
    """The setting is an error that repeats no secret; otherwise no one could sign in."""
    with pytest.raises(InputError, match=r"cannot listen on 0\.0\.0\.0") as refused:
        console_settings(demo=True, host="0.0.0.0", webhook_secret="hidden")
    assert "hidden" not in str(refused.value)

    async def who(scope: Any, receive: Any, send: Any) -> None:
        await JSONResponse(sorted(scope["state"]))(scope, receive, send)

    def seen(host: str) -> Any:
        guarded = AccessMiddleware(
            who, demo.sessions, demo.settings.model_copy(update={"host": host})
        )
        return TestClient(guarded, "http://localhost", client=("127.0.0.1", 1)).get("/").json()

    assert seen("127.0.0.1") == ["csrf", "principal", "session"]
    assert seen("0.0.0.0") == []


def test_a_wrong_method_gets_the_allowed_ones(day: Harness) -> None:
    """All of them, though they are separate routes."""
    answer = day.person("kim").put("/v1/snoozes")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST")
    assert day.person("kim").put("/v1/cases/actions").headers["allow"] == "POST"


def test_the_first_start_makes_one_administrator_once(tmp_path: Path) -> None:
    """With a password that has to be changed; afterwards nothing is said."""
    harness = Harness(tmp_path)
    password = harness.sessions.first_admin()
    assert password is not None
    assert harness.sessions.first_admin() is None
    answer = sign_in(harness.visitor(), "admin", password)
    assert (answer.json()["role"], answer.json()["must_change_password"]) == ("admin", True)
    assert password not in repr(harness.people.audit.entries())
    harness.close()


def test_the_signing_key_is_kept_for_its_owner_only(tmp_path: Path) -> None:
    """Sessions outlive a restart."""
    path = tmp_path / "data" / "key"
    key = signing_key(path)
    assert len(key) == 32
    assert signing_key(path) == key
    assert path.stat().st_mode & 0o777 == 0o600
    path.write_bytes(b"")
    with pytest.raises(InputError, match="not a session signing key"):
        signing_key(path)


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"username": "k\\u0000m", "password": "x"}',
        b'{"username": "kim", "password": "\\ud800"}', b'{"username": "kim", "pass\\ud800": "x"}',
        b'{"username": "kim", "password": 1e999}', b"[" * 100_000,
    ],
)  # fmt: skip
def test_broken_documents_are_the_sender_s_mistake(day: Harness, body: bytes) -> None:
    """They get a problem document, never an error of ours."""
    answer = day.visitor().post(
        "/v1/session", content=body, headers={"content-type": "application/json"}
    )
    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == "application/problem+json"
