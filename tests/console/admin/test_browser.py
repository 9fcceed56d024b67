"""Users, keys and signing in, in a real browser."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from detector.console.access.passwords import hashed
from detector.console.access.sessions import COOKIE, Caller
from detector.console.server import address, listen, serving
from tests.console.conftest import Watched
from tests.console.harness import ROOT, Harness


@pytest.fixture
def harness(tmp_path: Path) -> Iterator[Harness]:
    """A console with users."""
    harness = Harness(tmp_path)
    yield harness
    harness.close()


@pytest.fixture
def server(harness: Harness) -> Iterator[str]:
    """Its address."""
    listener = listen("127.0.0.1", 0)
    with serving(harness.app, listener):
        yield address(listener)


def signed_in(watched: Watched, harness: Harness, server: str, name: str) -> Any:
    """The page of a signed-in user."""
    cookie = {"name": COOKIE, "value": harness.session(name).token, "url": server}
    watched.page.context.add_cookies([cookie])
    return watched.page


def test_an_administrator_adds_and_disables_users(
    watched: Watched, harness: Harness, server: str
) -> None:
    """A new person's password is shown once; role and state change where one looks."""
    page = signed_in(watched, harness, server, "root")
    page.goto("/admin")
    page.get_by_role("button", name="Add a user").click()
    page.get_by_label("Name", exact=True).fill("robin")
    page.get_by_role("radio", name="Viewer").check()
    page.get_by_role("button", name="Add", exact=True).click()
    secret = page.locator("#secret")
    expect(secret).not_to_have_value("")
    password = secret.input_value()
    page.get_by_role("button", name="I have saved it").click()
    expect(secret).to_have_value("")
    assert harness.sessions.password_matches("robin", password, Caller("192.0.2.1"))
    row = page.locator('[data-user="robin"]')
    row.get_by_role("combobox").select_option("analyst")
    expect(page.get_by_text("robin now has the role analyst")).to_be_visible()
    row.get_by_role("button", name="Disable").click()
    page.get_by_role("dialog").get_by_role("button", name="Disable").click()
    expect(row.get_by_text("Disabled", exact=True)).to_be_visible()
    robin = harness.people.users.get("robin")
    assert robin is not None and (robin.role, robin.disabled) == ("analyst", True)


def test_a_key_is_shown_once_and_revoked(watched: Watched, harness: Harness, server: str) -> None:
    """The key works until an administrator has agreed to revoking it."""
    page = signed_in(watched, harness, server, "root")
    page.goto("/admin")
    page.get_by_role("button", name="Create a key").click()
    page.get_by_label("Purpose").fill("payments")
    page.locator("#key-dialog").get_by_role("radio", name="Viewer").check()
    page.get_by_role("button", name="Create", exact=True).click()
    expect(page.locator("#secret")).not_to_have_value("")
    authorization = f"Bearer {page.locator('#secret').input_value()}"
    assert harness.sessions.machine(authorization) is not None
    page.get_by_role("button", name="I have saved it").click()
    page.get_by_role("button", name="Revoke").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    assert harness.sessions.machine(authorization) is not None
    page.get_by_role("button", name="Revoke").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    expect(page.locator("#keys").get_by_text("Revoked")).to_be_visible()
    assert harness.sessions.machine(authorization) is None


def test_one_comes_in_by_the_login_page_and_goes_out(
    watched: Watched, harness: Harness, server: str
) -> None:
    """A one-time password leads over the password page to where one wanted; out leads back."""
    harness.people.users.set_password(ROOT, "kim", hashed("once and no more"), True)
    page = watched.page
    page.goto("/patterns")
    page.get_by_label("Name").fill("kim")
    page.get_by_label("Password").fill("once and no more")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_label("Current password").fill("once and no more")
    page.get_by_label("New password", exact=True).fill("a sentence of my own")
    page.get_by_label("Repeat the new password").fill("a sentence of my own")
    page.get_by_role("button", name="Change password").click()
    expect(page.get_by_role("heading", name="Decide next")).to_be_visible()
    page.locator("#user-menu summary").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    page.goto("/")
    expect(page).to_have_url(f"{server}/login?next=/")


def test_old_events_are_not_called_live(watched: Watched, harness: Harness, server: str) -> None:
    """Connected to a bank whose last event is long past, the screen says that it is idle."""
    page = signed_in(watched, harness, server, "vic")
    page.goto("/")
    expect(page.locator("#live")).to_have_attribute("data-state", "idle")
