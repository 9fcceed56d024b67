"""Working cases in a real browser: from signing in to the audit log, by keyboard alone."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.console.backlog import SAM
from tests.console.conftest import PASSWORD, Bank, Enter, Watched
from tests.console.overview.test_browser import storm


def case_of(bank: Bank, account: str) -> dict[str, Any]:
    return bank.store.rows("SELECT * FROM mv_open_fraud_cases WHERE account_ids = ?", [account])[0]


def shown(page: Page) -> list[str]:
    rows = page.locator("#queue tr[data-case]")
    return [str(row.get_attribute("data-case")) for row in rows.all()]


def live(page: Page) -> None:
    expect(page.locator("#live")).to_have_attribute("data-state", "live")


def test_a_case_from_arrival_to_audit_by_keyboard_alone(
    chromium: Any, harness: Bank, enter: Enter
) -> None:
    """Sign in, see a case arrive, decide it in three keystrokes, find it audited, take it back."""
    context = chromium.new_context(
        viewport={"width": 1366, "height": 768}, base_url=harness.address, reduced_motion="reduce"
    )
    watched = Watched(context.new_page(), harness.address)
    page = watched.page
    page.goto("/cases?level=high")
    expect(page).to_have_url(f"{harness.address}/login?next=/cases%3Flevel%3Dhigh")
    page.keyboard.type("kim")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{harness.address}/cases?level=high")
    live(page)

    before = shown(page)
    harness.tell(*storm())
    expect(page.locator("#arrivals")).to_have_text("1 new .")
    assert shown(page) == before, "rows moved by themselves"
    page.keyboard.press(".")
    expect(page.locator("#queue").get_by_text("cust-77")).to_be_visible()

    top = shown(page)[0]
    page.keyboard.press("n")
    expect(page).to_have_url(f"{harness.address}/cases/{top}")
    expect(page.locator("#case")).to_contain_text("In review")
    live(page)  # a key before the page works is not kept: it would decide what was not seen
    page.keyboard.press("1")
    expect(page.locator("#dialog-close")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.get_by_text(f"{top}: closed the case as confirmed fraud")).to_be_visible()
    following = page.url.rpartition("/")[2]
    assert following not in (top, "cases"), "the next case came by itself"
    review = harness.store.people().reviews.get(top)
    assert (review.status, review.disposition, review.owner) == ("CLOSED", "CONFIRMED_FRAUD", "kim")

    supervisor = enter("sam").page
    supervisor.goto(f"/audit?subject={top}")
    expect(supervisor.get_by_role("row").nth(1)).to_contain_text("Confirmed fraud")
    expect(supervisor.get_by_role("row").nth(1)).to_contain_text("kim")

    page.goto(f"/cases/{top}")
    expect(page.locator("#case")).to_contain_text("Closed as confirmed fraud")
    page.keyboard.press("u")
    expect(page.locator("#case")).to_contain_text("In review")
    assert harness.store.people().reviews.get(top).status == "IN_REVIEW"
    assert harness.store.people().reviews.history(top)[0].action == "undo"
    assert harness.store.people().audit.verify() > 0
    context.close()
    watched.quiet()


def test_the_address_is_the_filter(harness: Bank, enter: Enter) -> None:
    """A chip changes the address, and going back shows the queue as it was."""
    page = enter("kim").page
    page.goto("/cases?level=critical")
    critical = shown(page)
    assert critical == [case_of(harness, "acc-1")["case_id"]]
    page.locator('.chip[data-facet="level"][data-value="high"]').click()
    expect(page).to_have_url(f"{harness.address}/cases?level=critical&level=high")
    both = shown(page)
    assert len(both) == 5
    page.get_by_label("Order").select_option("oldest")
    expect(page).to_have_url(f"{harness.address}/cases?level=critical&level=high&sort=oldest")
    assert shown(page) != both and set(shown(page)) == set(both)
    page.go_back()
    expect(page).to_have_url(f"{harness.address}/cases?level=critical&level=high")
    assert shown(page) == both
    page.go_back()
    assert shown(page) == critical


def test_four_eyes_refuse_the_same_person(harness: Bank, enter: Enter) -> None:
    """The user who proposed to close a critical case cannot approve it; another can."""
    case_id = case_of(harness, "acc-1")["case_id"]
    first = enter("sam").page
    first.goto(f"/cases/{case_id}")
    first.keyboard.press("2")
    expect(first.locator("#dialog-close [data-four-eyes]")).to_be_visible()
    first.keyboard.press("Enter")
    expect(first.get_by_text("proposed to close the case as confirmed scam")).to_be_visible()
    first.goto(f"/cases/{case_id}")
    expect(first.locator("[data-act=approve]")).to_be_disabled()
    first.keyboard.press("p")
    expect(first.get_by_text("The case does not allow that now.")).to_be_visible()
    token = first.locator('meta[name="csrf-token"]').get_attribute("content")
    refused = first.request.post(
        f"/v1/cases/{case_id}/actions",
        data={"action": "approve"},
        headers={"X-CSRF-Token": str(token)},
    )
    assert refused.status == 403 and "Four eyes" in refused.json()["detail"]

    second = enter("pat").page
    second.goto(f"/cases/{case_id}")
    expect(second.locator("#case")).to_contain_text("sam proposed to close it as confirmed scam")
    second.keyboard.press("p")
    second.keyboard.press("Enter")
    expect(second.get_by_text(f"{case_id}: approved closing the case as")).to_be_visible()
    assert harness.store.people().reviews.get(case_id).status == "CLOSED"


def test_a_viewer_cannot_act(harness: Bank, enter: Enter) -> None:
    """No button, no key and no request of a viewer changes a case."""
    case = case_of(harness, "acc-3")
    page = enter("vic").page
    page.goto("/cases")
    live(page)
    expect(page.locator("#claim-next")).to_have_count(0)
    for key in ("n", "c", "1", "x"):
        page.keyboard.press(key)
    expect(page).to_have_url(f"{harness.address}/cases")
    page.goto(f"/cases/{case['case_id']}")
    expect(page.locator("[data-act], [data-decide]")).to_have_count(0)
    for key in ("c", "1", "e"):
        page.keyboard.press(key)
    assert harness.store.people().reviews.history(case["case_id"]) == []


def test_many_cases_are_closed_at_once_after_a_count(harness: Bank, enter: Enter) -> None:
    """A range is selected by keys, the dialog says how many and how much, one Enter confirms."""
    page = enter("kim").page
    page.goto("/cases?level=high")
    live(page)
    wanted = shown(page)[:3]
    for key in ("x", "j", "j", "X"):
        page.keyboard.press(key)
    expect(page.locator("#bulk-count")).to_have_text("3 cases selected")
    page.keyboard.press("3")
    exposed = sum(float(c["exposure"]) for c in map(row_of(harness), wanted))
    expect(page.locator("#dialog-close [data-about]")).to_have_text(
        f"This affects 3 cases with ${exposed:,.0f} exposed."
    )
    page.keyboard.press("Enter")
    expect(page.get_by_text("3 of 3 cases done")).to_be_visible()
    assert {harness.store.people().reviews.get(c).disposition for c in wanted} == {"FALSE_POSITIVE"}
    assert shown(page)[:3] == wanted, "rows moved by themselves"


def row_of(harness: Bank) -> Callable[[str], dict[str, Any]]:
    query = "SELECT exposure FROM mv_open_fraud_cases WHERE case_id = ?"
    return lambda case_id: harness.store.rows(query, [case_id])[0]


def test_an_instruction_goes_out_and_a_pattern_is_snoozed(harness: Bank, enter: Enter) -> None:
    """The recommended action is one key and Enter; a snoozed case leaves the queue."""
    case_id = case_of(harness, "acc-2")["case_id"]
    page = enter("kim").page
    page.goto(f"/cases/{case_id}")
    page.keyboard.press("r")
    expect(page.locator("#dialog-instruct")).to_be_visible()
    page.keyboard.press("Enter")
    # Nothing waits for the answer: who types on must not meet other keys.
    page.keyboard.press("s")
    page.keyboard.type("a twin sister")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Block card instructed")).to_be_visible()
    expect(page.get_by_text("Snoozed until")).to_be_visible()
    (entry,) = harness.store.people().reviews.history(case_id)
    assert (entry.detail["instruction"], entry.detail["target"]) == ("BLOCK_CARD", "card-2")
    page.goto("/cases")
    assert case_id not in shown(page)
    page.get_by_text("1 snoozed").click()
    assert shown(page) == [case_id]


def test_a_note_is_kept_and_shown_as_text(harness: Bank, enter: Enter) -> None:
    """What a user enters is text, whatever it looks like."""
    case_id = case_of(harness, "acc-3")["case_id"]
    page = enter("lee").page
    page.goto(f"/cases/{case_id}")
    page.keyboard.press("m")
    page.keyboard.type("<img src=x onerror=alert(1)> called")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".events blockquote")).to_have_text("<img src=x onerror=alert(1)> called")


def test_the_report_is_written_by_a_supervisor(harness: Bank, enter: Enter) -> None:
    """The draft of a structuring case opens filled in, and keeps what is changed."""
    case_id = case_of(harness, "acc-4")["case_id"]
    page = enter("sam").page
    page.goto(f"/cases/{case_id}")
    page.keyboard.press("d")
    grounds = page.locator("#smr-grounds")
    expect(grounds).to_have_value(re.compile("cash deposit"))
    expect(page.locator("#smr-cash tr")).to_have_count(3)
    grounds.fill("Three deposits in ten minutes.")
    page.locator("#smr-formed").fill("2026-02-02T10:00")
    page.get_by_role("button", name="Save draft").click()
    expect(page.locator("#smr-due")).to_contain_text("Due 2026-02-05")
    page.reload()
    page.keyboard.press("d")
    expect(grounds).to_have_value("Three deposits in ten minutes.")
    read = [e.action for e in harness.store.people().audit.entries(subject=case_id, limit=10)]
    assert read.count("read_smr") == 2 and read.count("save_smr") == 1


def test_signals_arrive_and_hold_still_under_the_pointer(harness: Bank, enter: Enter) -> None:
    """New signals come in at the top, but never while the pointer is on the list."""
    page = enter("vic").page
    page.goto("/signals")
    live(page)
    rows = page.locator("#signals tbody tr")
    first = rows.first.get_attribute("data-signal")
    rows.nth(2).hover()
    harness.tell(*storm())
    expect(page.locator("#arrivals")).to_contain_text("new, held")
    assert rows.first.get_attribute("data-signal") == first
    page.mouse.move(5, 5)
    expect(page.locator("#signals").get_by_text("acc-77").first).to_be_visible()
    assert rows.first.get_attribute("data-signal") != first


def test_the_queue_works_before_scripts_load(harness: Bank, enter: Enter) -> None:
    """Filters are links and a form, rows are links."""
    page = enter("kim").page
    page.route("**/*.js", lambda route: route.fulfill(body="", content_type="text/javascript"))
    page.goto("/cases")
    page.locator('.chip[data-facet="pattern"][data-value="structuring"]').click()
    page.wait_for_url("**pattern=structuring**")
    (case_id,) = shown(page)
    page.locator("#queue-q").fill("acc-4")
    page.get_by_role("button", name="Apply").click()
    page.wait_for_url("**q=acc-4**")
    assert shown(page) == [case_id]
    page.locator("#queue").get_by_role("link", name="cust-4").click()
    expect(page.get_by_role("heading", name=case_id)).to_be_visible()


@pytest.mark.parametrize("path", ["/accounts/acc-1", "/customers/cust-1", "/search?q=dev-strange"])
def test_pages_of_parties_open_without_trouble(enter: Enter, path: str) -> None:
    """Charts draw, lists are there, and nothing is asked of another machine."""
    page = enter("kim").page
    page.goto(path)
    live(page)
    expect(page.locator("main")).to_contain_text("acc-1")
    if path.startswith("/accounts"):
        expect(page.locator(".score-chart svg")).to_be_visible()


def test_an_open_case_follows_a_colleague(harness: Bank, enter: Enter) -> None:
    """Who else looks, and what they do, shows without a reload; the keys do what is shown."""
    case_id = case_of(harness, "acc-3")["case_id"]
    kim, sam = enter("kim").page, enter("sam").page
    kim.goto(f"/cases/{case_id}")
    live(kim)
    kim.evaluate("window.same = true")
    expect(kim.locator(".viewers")).to_be_hidden()
    sam.goto(f"/cases/{case_id}")
    expect(kim.locator(".viewers")).to_have_text("Also here: sam")
    expect(sam.locator(".viewers")).to_have_text("Also here: kim")
    live(sam)
    sam.keyboard.press("c")
    expect(kim.locator("#case")).to_contain_text("In review")
    expect(kim.locator("#timeline")).to_contain_text("claimed the case")
    expect(kim.locator("#toasts")).to_contain_text("sam claimed the case")
    assert kim.evaluate("window.same"), "the page was reloaded"
    kim.keyboard.press("m")
    kim.keyboard.type("Rang the customer.")
    kim.keyboard.press("Control+Enter")
    expect(sam.locator("#timeline")).to_contain_text("Rang the customer.")
    sam.goto("/cases")
    expect(kim.locator(".viewers")).to_be_hidden()


def test_what_was_decided_before_is_on_the_page(harness: Bank, enter: Enter) -> None:
    """A pattern's next steps, and the snooze that is in force for the customer."""
    case = case_of(harness, "acc-3")
    people = harness.store.people()
    until = datetime.now(UTC) + timedelta(hours=1)
    people.snoozes.add(SAM, case["patterns"].split(", ")[0], "customer", "cust-3", until, "travels")
    page = enter("kim").page
    page.goto(f"/cases/{case['case_id']}")
    expect(page.locator("#earlier")).to_contain_text("travels")
    expect(page.locator(".guidance ol li").first).to_be_visible()


def test_a_view_is_saved_and_forgotten(harness: Bank, enter: Enter) -> None:
    """The filters of the moment under a name, one click from then on."""
    page = enter("kim").page
    page.goto("/cases?level=high")
    page.locator("#save-view").click()
    page.keyboard.type("High ones")
    page.keyboard.press("Enter")
    chip = page.locator(".saved", has_text="High ones")
    expect(chip).to_have_attribute("aria-current", "true")
    page.goto("/cases")
    page.get_by_role("link", name="High ones").click()
    expect(page).to_have_url(f"{harness.address}/cases?level=high")
    page.get_by_role("button", name="Delete the view High ones").click()
    expect(chip).to_have_count(0)
