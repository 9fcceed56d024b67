"""The shell in a real browser."""

from playwright.sync_api import expect

from tests.console.conftest import Watched


def test_the_theme_follows_the_button_and_is_kept(watched: Watched) -> None:
    """The theme toggle changes the colours at once, and the next page is painted in them."""
    page = watched.page
    page.goto("/")
    assert page.locator("html").get_attribute("data-theme") == "auto"
    page.locator("#theme-toggle").click()
    page.locator("#theme-toggle").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.reload()
    assert page.locator("html").get_attribute("data-theme") == "dark"
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == background


def test_the_keyboard_is_explained_and_followed(watched: Watched) -> None:
    """`?` lists the keys, `/` goes to the search, and letters typed there stay letters."""
    page = watched.page
    page.goto("/")
    page.keyboard.press("?")
    assert page.locator("#help-dialog").get_by_text("Go to the overview").is_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    page.keyboard.type("go?")
    assert page.locator("#search").input_value() == "go?"
    assert not page.locator("#help-dialog").is_visible()
