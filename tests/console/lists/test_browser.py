"""Listing a value in a real browser."""

from playwright.sync_api import expect

from tests.build import transaction
from tests.console.conftest import Bank, Enter


def test_a_value_of_a_case_is_listed_by_keyboard_and_taken_off(harness: Bank, enter: Enter) -> None:
    """l on the case, the value, a reason, Enter; then it is on the page of the lists."""
    harness.tell(
        *(
            transaction(
                n, "acc-90", customer_id="c-90", device_id="dev-9", event_id=f"v{n}",
                transaction_type="CASH_DEPOSIT", amount="9500.00",
            )
            for n in range(6)
        )
    )  # fmt: skip
    page = enter("kim").page
    [case] = harness.store.rows("SELECT case_id FROM cases WHERE customer_id = 'c-90'")
    page.goto(f"/cases/{case['case_id']}")
    page.keyboard.press("l")
    offered = page.locator("#list-what option")
    expect(offered).to_have_text("dev-9 to known bad devices, where a pattern fired")
    expect(page.locator("#list-reason")).to_be_focused()
    page.keyboard.type("Three takeovers.")
    page.keyboard.press("Enter")
    expect(page.locator("#toasts")).to_contain_text("dev-9 is listed from the next event on")
    page.keyboard.press("l")
    expect(page.locator("#toasts")).to_contain_text("no value that a list could have")
    page.goto("/lists")
    row = page.locator("tr", has_text="dev-9")
    expect(row).to_contain_text("Three takeovers.")
    row.get_by_role("button", name="End").click()
    expect(row).to_contain_text("ended by kim")
    page.locator("[data-add=known_bad_payees]").click()
    page.keyboard.type("mule-1")
    page.keyboard.press("Tab")
    page.keyboard.type("A mule account.")
    page.keyboard.press("Enter")
    expect(page.locator("tr", has_text="mule-1")).to_contain_text("A mule account.")
