"""Changing a rule in a real browser, by two people."""

from playwright.sync_api import expect

from tests.build import transaction
from tests.console.conftest import Bank, Enter


def test_a_rule_is_changed_by_two_and_rolled_back(harness: Bank, enter: Enter) -> None:
    """A slider shows what would be found; one proposes, the other approves, and it counts."""
    sam, pat = enter("sam").page, enter("pat").page
    sam.goto("/patterns")
    sam.locator("[data-change=velocity]").click()
    sam.locator("#rule-threshold").fill("3")
    expect(sam.locator("#rule-note")).to_contain_text("cases would appear")
    expect(sam.locator("#range-threshold")).to_have_value("3")
    now, then = sam.locator("#rule-preview tr").first.locator("td.num").all_inner_texts()
    assert int(then) > int(now) > 0
    sam.locator("#rule-reason").fill("Cards are tested three times.")
    sam.locator("#propose").click()
    drafts = sam.locator("#rule-versions > li")
    expect(drafts).to_contain_text("A second person approves it.")
    expect(sam.get_by_role("button", name="Approve")).to_have_count(0)
    sam.get_by_role("button", name="Try in shadow").click()
    expect(drafts).to_contain_text("In shadow since")
    harness.tell(*(transaction(n, "acc-89", customer_id="c-89") for n in range(3)))
    sam.reload()
    sam.locator("[data-change=velocity]").click()
    expect(drafts).to_contain_text("version 1 alone 1")
    expect(drafts.locator(".rule-compared a")).to_have_text("c-89")
    pat.goto("/patterns")
    pat.locator("[data-change=velocity]").click()
    pat.get_by_role("button", name="Approve").click()
    expect(pat.locator("#velocity .pattern-definition")).to_contain_text("3 or more")
    harness.tell(*(transaction(n, "acc-90", customer_id="c-90") for n in range(3)))
    [(found,)] = harness.store.query(
        "SELECT count(*) FROM fraud_signals WHERE account_id = 'acc-90' AND pattern = 'velocity'"
    )
    assert found == 1
    pat.locator("[data-change=velocity]").click()
    pat.get_by_role("button", name="Roll back").click()
    expect(pat.locator("#velocity .pattern-definition")).to_contain_text("5 or more")
