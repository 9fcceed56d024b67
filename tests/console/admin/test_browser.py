"""People, keys and the way in, in a real browser."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from detector.console.access.passwords import hashed
from detector.console.access.sessions import COOKIE
from detector.console.server import address, listen, serving
from tests.console.conftest import Watched
from tests.console.office import ROOT, Office


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    """A bank's console with its people."""
    office = Office(tmp_path)
    yield office
    office.close()


@pytest.fixture
def server(office: Office) -> Iterator[str]:
    """Its address."""
    listener = listen("127.0.0.1", 0)
    with serving(office.app, listener):
        yield address(listener)


def signed_in(watched: Watched, office: Office, server: str, name: str) -> Any:
    """The page of somebody who is signed in."""
    cookie = {"name": COOKIE, "value": office.session(name).token, "url": server}
    watched.page.context.add_cookies([cookie])
    return watched.page


def test_an_administrator_lets_people_in_and_out(
    watched: Watched, office: Office, server: str
) -> None:
    """A new person's password is shown once; role and state change where one looks."""
    page = signed_in(watched, office, server, "root")
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
    assert office.sessions.password_matches("robin", password)
    row = page.locator('[data-user="robin"]')
    row.get_by_role("combobox").select_option("analyst")
    expect(page.get_by_text("robin now has the role analyst")).to_be_visible()
    row.get_by_role("button", name="Disable").click()
    page.get_by_role("dialog").get_by_role("button", name="Disable").click()
    expect(row.get_by_text("Disabled", exact=True)).to_be_visible()
    robin = office.people.users.get("robin")
    assert robin is not None and (robin.role, robin.disabled) == ("analyst", True)


def test_a_key_is_shown_once_and_revoked(watched: Watched, office: Office, server: str) -> None:
    """The key works until an administrator has agreed to revoking it."""
    page = signed_in(watched, office, server, "root")
    page.goto("/admin")
    page.get_by_role("button", name="Create a key").click()
    page.get_by_label("Purpose").fill("payments")
    page.locator("#key-dialog").get_by_role("radio", name="Viewer").check()
    page.get_by_role("button", name="Create", exact=True).click()
    expect(page.locator("#secret")).not_to_have_value("")
    authorization = f"Bearer {page.locator('#secret').input_value()}"
    assert office.sessions.machine(authorization) is not None
    page.get_by_role("button", name="I have saved it").click()
    page.get_by_role("button", name="Revoke").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    assert office.sessions.machine(authorization) is not None
    page.get_by_role("button", name="Revoke").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    expect(page.locator("#keys").get_by_text("Revoked")).to_be_visible()
    assert office.sessions.machine(authorization) is None


def test_one_comes_in_by_the_login_page_and_goes_out(
    watched: Watched, office: Office, server: str
) -> None:
    """A one-time password leads over the password page to where one wanted; out leads back."""
    office.people.users.set_password(ROOT, "kim", hashed("once and no more"), True)
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


def test_old_events_are_not_called_live(watched: Watched, office: Office, server: str) -> None:
    """Connected to a bank whose last event is long past, the screen says that it is idle."""
    page = signed_in(watched, office, server, "vic")
    page.goto("/")
    expect(page.locator("#live")).to_have_attribute("data-state", "idle")
