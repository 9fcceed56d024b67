"""The first screen in a real browser, over a bank that lives."""

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.build import login, online, profile
from tests.console.conftest import Bank, Watched

_SHIFTS = """
window.shifts = [];
const rect = (r) => [r.x, r.y, r.width, r.height].map(Math.round).join(" ");
const name = (node) => node?.id || node?.className || node?.nodeName;
const moved = (s) => `${name(s.node)}: ${rect(s.previousRect)} to ${rect(s.currentRect)}`;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries())
    window.shifts.push([entry.value, entry.sources.map(moved)]);
}).observe({ type: "layout-shift", buffered: true });
"""


def storm(customer: str = "cust-77") -> list[Any]:
    """Failed logins of a customer whose account is then taken over."""
    fresh = {"customer_id": customer, "device_id": "dev-new", "card_token": "card-77"}
    return [
        profile(0, customer, accounts=["acc-77"]),
        *(login(1 + n, customer) for n in range(4)),
        *(online(6 + n, "acc-77", amount="700.00", **fresh) for n in range(2)),
    ]


def test_the_first_screen_is_whole_before_its_scripts_run(watched: Watched) -> None:
    """With scripts turned away, figures, bars, signals, cases and the map are there."""
    page = watched.page
    page.route("**/*.js", lambda route: route.fulfill(body="", content_type="text/javascript"))
    page.goto("/")
    expect(page.get_by_role("heading", name="Newest signals")).to_be_visible()
    assert page.locator("#chart .plot-bars path[class^=p-]").count() > 3
    assert page.locator("#chart .reach").count() > 20
    assert page.locator(".feed-item:visible").count() > 5
    assert page.locator(".top-case").count() == 5
    assert page.locator(".trip").count() >= 4


def test_news_arrives_without_reloading(watched: Watched, bank: Bank) -> None:
    """A takeover that happens now is on the screen a moment later: signal, case and figures."""
    page = watched.page
    page.goto("/")
    expect(page.locator("#live")).to_have_attribute("data-state", "live")
    page.evaluate("window.same = true")
    before = int(page.locator('[data-pulse="open_cases"]').inner_text())
    bank.tell(*storm())
    feed = page.locator("#feed")
    expect(feed.get_by_text("spent without the card").first).to_be_visible(timeout=1500)
    expect(page.locator('[data-pulse="open_cases"]')).to_have_text(str(before + 1), timeout=3000)
    expect(page.locator("#accounts").get_by_text("acc-77")).to_be_visible(timeout=3000)
    assert page.evaluate("window.same"), "the page was reloaded"


def test_the_list_of_signals_holds_still_while_one_reads_it(watched: Watched, bank: Bank) -> None:
    """Signals that come while the pointer is in the list wait until it leaves."""
    page = watched.page
    page.goto("/")
    expect(page.locator("#live")).to_have_attribute("data-state", "live")
    first = page.locator(".feed-item").first
    page.locator("#feed").hover()
    said = first.inner_text()
    bank.tell(*storm())
    expect(page.locator("#feed-state")).to_be_visible(timeout=3000)
    assert first.inner_text() == said
    page.mouse.move(5, 5)
    expect(first).not_to_have_text(said)
    expect(page.locator("#feed-state")).to_be_hidden()


EACH_PAGE = [
    *(
        "/",
        "/cases",
        "/cases/closed",
        "/signals",
        "/patterns",
        "/team",
        "/tour",
        "/snoozes",
        "/lists",
        "/audit",
    ),
    *("/accounts/acc-1", "/customers/cust-1", "/search?q=acc"),
]


def test_nothing_is_wider_than_the_screen(watched: Watched, subtests: pytest.Subtests) -> None:
    """No page scrolls sideways: on a phone, on a laptop, and there at a zoom of 200 %."""
    page = watched.page
    for path in EACH_PAGE:
        page.goto(path)
        expect(page.locator("main")).to_be_visible()
        links = page.locator(".nav a")
        assert {"Overview", "Queue", "Signals", "Patterns", "Audit"} <= {*links.all_inner_texts()}
        for width in (390, 683, 1366):
            with subtests.test(path=path, width=width):
                page.set_viewport_size({"width": width, "height": 800})
                assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
                right = "links => Math.max(...links.map(a => a.getBoundingClientRect().right))"
                assert links.evaluate_all(right) <= width


def test_nothing_jumps_while_news_arrives(watched: Watched, bank: Bank) -> None:
    """From the first paint on, through charts and news, the layout shifts by next to nothing."""
    page = watched.page
    page.add_init_script(_SHIFTS)
    page.goto("/")
    expect(page.locator("#chart .plot-bars")).to_be_visible()
    bank.tell(*storm())
    expect(page.locator("#accounts").get_by_text("acc-77")).to_be_visible(timeout=3000)
    page.wait_for_timeout(300)
    shifts = page.evaluate("window.shifts")
    assert sum(value for value, _ in shifts) < 0.001, shifts


def test_the_chart_is_painted_in_the_colours_of_the_theme(watched: Watched) -> None:
    """A change of theme repaints the chart with the tokens of that theme."""
    page = watched.page
    page.goto("/")
    bar = page.locator("#chart path[class^=p-]").first
    light = bar.evaluate("bar => getComputedStyle(bar).fill")
    page.emulate_media(color_scheme="dark")
    assert bar.evaluate("bar => getComputedStyle(bar).fill") != light


def test_a_server_that_goes_away_is_noticed(watched: Watched) -> None:
    """When no pulse comes for three seconds the screen says that it is stale."""
    page = watched.page
    page.goto("/")
    expect(page.locator("#live")).to_have_attribute("data-state", "live")
    page.route("**/v1/stream", lambda route: route.abort())
    page.evaluate("dispatchEvent(new Event('pagehide'))")
    expect(page.locator("#live")).to_have_attribute("data-state", "stale", timeout=6000)
    expect(page.locator("#live-text")).to_contain_text("Stale")
