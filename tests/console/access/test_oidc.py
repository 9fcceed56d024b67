"""Signing in with the bank's identity provider, against a real one on this machine."""

import warnings
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from detector.console.settings import ConsoleSettings, console_settings
from detector.core.errors import InputError
from tests.console.harness import ROOT, Harness

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # the provider uses a deprecated module of Authlib
    import oidc_provider_mock
    from oidc_provider_mock import User

ROLES = {"fraud-leads": "supervisor", "fraud-desk": "analyst", "audit": "viewer"}
PEOPLE = {
    "alice": {"preferred_username": "Alice@bank.example", "groups": ["staff", "fraud-desk"]},
    "lena": {"preferred_username": "lena", "groups": ["fraud-desk", "fraud-leads"]},
    "otto": {"preferred_username": "otto", "groups": ["cleaning"]},
    "kims-twin": {"preferred_username": "kim", "groups": ["fraud-desk"]},
    "odd": {"preferred_username": "x", "groups": ["fraud-desk"]},
}


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    """A provider with five people."""
    users = [User(sub=sub, claims=dict(claims)) for sub, claims in PEOPLE.items()]
    with oidc_provider_mock.run_server_in_thread(require_nonce=True, user_claims=users) as server:
        yield f"http://localhost:{server.server_port}"


@pytest.fixture
def harness(tmp_path: Path, issuer: str) -> Iterator[Harness]:
    """A console that trusts it."""
    settings: dict[str, Any] = {
        "oidc_issuer": issuer,
        "oidc_client_id": "console",
        "oidc_client_secret": "between us",
        "oidc_roles": ROLES,
    }
    with closing(Harness(tmp_path, **settings)) as harness:
        yield harness


def to_provider(browser: TestClient, onward: str = "/cases") -> str:
    """Press the button; the address of the provider's page."""
    answer = browser.get(f"/login/oidc?next={onward}", follow_redirects=False)
    assert answer.status_code == 303
    return str(answer.headers["location"])


def sign_in(browser: TestClient, subject: str, onward: str = "/cases") -> Any:
    """Go to the provider, sign in there, and come back."""
    there = httpx.post(to_provider(browser, onward), data={"sub": subject})
    return browser.get(there.headers["location"])


def test_a_group_becomes_a_role(harness: Harness) -> None:
    """The first mapping that fits counts; the user is new, and the log says who let them in."""
    alice = harness.visitor()
    assert "Single sign-on" in alice.get("/login").text
    back = sign_in(alice, "alice")
    assert back.status_code == 200 and 'content="0;url=/cases"' in back.text
    assert "oidc_state" not in alice.cookies
    who = alice.get("/v1/session").json()
    assert (who["name"], who["role"]) == ("alice", "analyst")
    lena = harness.visitor()
    sign_in(lena, "lena")
    assert lena.get("/v1/session").json()["role"] == "supervisor"
    entries = [(e.action, e.subject) for e in harness.people.audit.entries(4)]
    assert entries == [
        ("sign_in", "lena"), ("add_user", "lena"), ("sign_in", "alice"), ("add_user", "alice"),
    ]  # fmt: skip
    assert harness.visitor().post("/login", data={"username": "alice", "password": "x" * 12})


@pytest.mark.parametrize(
    ("subject", "reason"),
    [
        ("otto", "otto is in no group that may use this console"),
        ("kims-twin", "There is another user kim here"),
        ("odd", "is no user name here"),
    ],
)
def test_others_stay_outside(harness: Harness, subject: str, reason: str) -> None:
    """Without a group, with the name of someone else, or with none: no session, and the reason."""
    browser = harness.visitor()
    back = sign_in(browser, subject)
    assert back.status_code == 403 and reason in back.text
    assert browser.get("/v1/session").status_code == 401


def test_a_role_follows_the_group_and_a_disabled_user_stays_out(harness: Harness) -> None:
    """At the next sign-in; older sessions end."""
    alice = harness.visitor()
    sign_in(alice, "alice")
    harness.people.users.change(ROOT, "alice", role="viewer")
    assert alice.get("/v1/session").status_code == 401
    sign_in(alice, "alice")
    assert alice.get("/v1/session").json()["role"] == "analyst"
    harness.people.users.change(ROOT, "alice", disabled=True)
    assert "alice is disabled here" in sign_in(alice, "alice").text


def test_an_answer_counts_once_and_only_where_it_began(harness: Harness) -> None:
    """A stolen link, a replayed or a forged one, and one without its cookie let no one in."""
    alice, mallory = harness.visitor(), harness.visitor()
    link = httpx.post(to_provider(alice), data={"sub": "alice"}).headers["location"]
    assert mallory.get(link).status_code == 403
    to_provider(mallory)
    assert mallory.get(link).status_code == 403
    assert alice.get(link.replace("code=", "code=x")).status_code == 403
    assert alice.get(link).status_code == 200
    assert harness.visitor().get(link).status_code == 403


def test_the_way_on_stays_here(harness: Harness) -> None:
    """`next` cannot lead to another site."""
    back = sign_in(harness.visitor(), "alice", "https://evil.example/")
    assert 'content="0;url=/"' in back.text


def test_a_provider_that_calls_itself_otherwise_is_refused(harness: Harness, issuer: str) -> None:
    """Its tokens would have an issuer that was not agreed on."""
    harness.app.state.context.oidc._provider = harness.app.state.context.oidc._provider._replace(
        issuer=f"{issuer}/"
    )
    answer = harness.visitor().get("/login/oidc")
    assert answer.status_code == 502 and "CONSOLE_OIDC_ISSUER" in answer.text


def test_a_provider_that_is_away_is_named(tmp_path: Path) -> None:
    """Passwords go on working."""
    with closing(
        Harness(tmp_path, oidc_issuer="http://localhost:9", oidc_client_id="c", oidc_roles=ROLES)
    ) as harness:
        answer = harness.visitor().get("/login/oidc")
        assert answer.status_code == 502 and "does not answer" in answer.text
        assert harness.person("kim").get("/v1/session").json()["name"] == "kim"


def test_half_a_provider_is_no_setting() -> None:
    """What is missing, or not encrypted, is said at the start."""
    assert ConsoleSettings(_env_file=None).oidc_issuer == ""
    for given, reason in (
        ({"oidc_issuer": "https://id.example"}, "CLIENT_ID"),
        ({"oidc_issuer": "http://id.example", "oidc_client_id": "c", "oidc_roles": ROLES}, "https"),
        ({"oidc_roles": {"g": "machine"}}, "CONSOLE_OIDC_ROLES"),
    ):
        with pytest.raises(InputError, match=reason):
            console_settings(_env_file=None, **given)
