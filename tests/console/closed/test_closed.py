"""The closed cases: by whom and as what, page by page, as a sample and as CSV."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.console.harness import Harness


@pytest.fixture
def harness(tmp_path: Path) -> Iterator[Harness]:
    """A console whose cases can be closed."""
    kept = Harness(tmp_path)
    yield kept
    kept.close()


def act(harness: Harness, name: str, case_id: str, **action: Any) -> None:
    """Take an action, which must succeed."""
    answer = harness.person(name).post(f"/v1/cases/{case_id}/actions", json=action)
    assert answer.status_code == 200, answer.text


def close_all(harness: Harness) -> dict[str, dict[str, Any]]:
    """Close every case: the critical by two people; returns the cases by id."""
    cases = {case["case_id"]: case for case in harness.cases()}
    for number, (case_id, case) in enumerate(cases.items()):
        disposition = "FALSE_POSITIVE" if number % 2 else "CONFIRMED_FRAUD"
        text = "=HYPERLINK(1)" if number == 0 else f"reason {number}"
        closing = {"action": "close", "disposition": disposition, "text": text}
        act(harness, "kim" if number % 2 else "lee", case_id, **closing)
        if case["level"] == "critical":
            act(harness, "sam", case_id, action="approve")
    return cases


def listed(harness: Harness, query: str = "") -> dict[str, Any]:
    """The page of closed cases for kim."""
    answer = harness.person("kim").get(f"/v1/cases/closed{query}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def test_every_closed_case_is_listed_with_who_decided(harness: Harness) -> None:
    """The latest first; of two people the one who proposed and the one who approved."""
    cases = close_all(harness)
    page = listed(harness)
    assert page["total"] == len(cases) == len(page["cases"]) > 2
    assert [c["closed_at"] for c in page["cases"]] == sorted(
        (c["closed_at"] for c in page["cases"]), reverse=True
    )
    for row in page["cases"]:
        number = list(cases).index(row["case_id"])
        assert row["closed_by"] == ("kim" if number % 2 else "lee")
        critical = cases[row["case_id"]]["level"] == "critical"
        assert row["approved_by"] == ("sam" if critical else None)
    assert any(row["approved_by"] for row in page["cases"])
    assert sum(page["by_disposition"].values()) == page["total"]


def test_it_is_filtered(harness: Harness) -> None:
    """By disposition, person, day and id."""
    cases = close_all(harness)
    everything = listed(harness)["cases"]
    today = everything[0]["closed_at"][:10]
    some = everything[0]
    for query, expected in (
        ("disposition=FALSE_POSITIVE", lambda c: c["disposition"] == "FALSE_POSITIVE"),
        ("by=kim", lambda c: c["closed_by"] == "kim"),
        ("by=sam", lambda c: c["approved_by"] == "sam"),
        (f"since={today}&until={today}", lambda c: True),
        ("until=2020-01-01", lambda c: False),
        ("since=9999-12-31&until=9999-12-31", lambda c: False),
        (f"q={some['case_id']}", lambda c: c["case_id"] == some["case_id"]),
        (
            f"q={some['customer_id'].upper()}",
            lambda c: some["customer_id"] in c["customer_id"],
        ),
        ("by=&q=", lambda c: True),
    ):
        found = listed(harness, f"?{query}")
        assert [c["case_id"] for c in found["cases"]] == [
            c["case_id"] for c in everything if expected(c)
        ], query
        assert found["total"] == len(found["cases"]) <= len(cases)


def test_pages_hold_every_case_once(harness: Harness) -> None:
    """One case a page, to the end."""
    cases, seen, cursor = close_all(harness), [], ""
    while True:
        page = listed(harness, f"?limit=1{cursor}")
        seen += [case["case_id"] for case in page["cases"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert sorted(seen) == sorted(cases) and len(seen) == len(cases)


def test_a_sample_can_be_repeated(harness: Harness) -> None:
    """The same seed gives the same cases; other seeds give others."""
    cases = close_all(harness)
    samples = [listed(harness, f"?sample=1&seed={n}") for n in range(20)]
    assert all(s["seed"] == str(n) and s["next"] is None for n, s in enumerate(samples))
    assert samples[3]["cases"] == listed(harness, "?sample=1&seed=3")["cases"]
    assert len({s["cases"][0]["case_id"] for s in samples}) > 1
    assert len(listed(harness, "?sample=200")["cases"]) == len(cases)


def test_a_reopened_case_is_not_listed_until_it_is_closed_again(harness: Harness) -> None:
    """Undoing the reopening counts as closing by the person who undid it."""
    case = next(c for c in harness.cases() if c["level"] != "critical")["case_id"]
    act(harness, "kim", case, action="close", disposition="INCONCLUSIVE")
    act(harness, "lee", case, action="note", text="Seen.")
    [before] = listed(harness)["cases"]
    act(harness, "lee", case, action="reopen")
    assert listed(harness)["cases"] == []
    act(harness, "lee", case, action="undo")
    [after] = listed(harness)["cases"]
    assert (before["closed_by"], after["closed_by"]) == ("kim", "lee")


def test_the_export_is_the_list_and_is_audited(harness: Harness) -> None:
    """Filtered alike; what a spreadsheet would run as a formula is text."""
    close_all(harness)
    kim = harness.person("kim")
    answer = kim.get("/v1/cases/closed.csv?by=lee")
    rows = list(csv.DictReader(answer.text.splitlines()))
    assert answer.headers["content-type"].startswith("text/csv")
    expected = listed(harness, "?by=lee")["cases"]
    assert [row["case_id"] for row in rows] == [case["case_id"] for case in expected]
    assert "'=HYPERLINK(1)" in {row["reason"] for row in rows}
    assert [row["exposure"] for row in rows] == [case["exposure"] for case in expected]
    [entry] = harness.people.audit.entries(action="export_closed")
    assert (entry.actor, entry.detail) == ("kim", {"cases": len(rows), "filters": {"by": "lee"}})


def test_the_page_shows_them(harness: Harness) -> None:
    """Without JavaScript: filters are links and a form."""
    cases = close_all(harness)
    kim = harness.person("kim")
    html = kim.get("/cases/closed").text
    assert all(case_id in html for case_id in cases)
    assert 'href="/v1/cases/closed.csv"' in html
    chosen = kim.get("/cases/closed?disposition=FALSE_POSITIVE&sample=2").text
    assert 'href="/v1/cases/closed.csv?disposition=FALSE_POSITIVE"' in chosen
    assert "at random" in chosen
    assert 'href="/cases/closed"' in kim.get("/cases").text
    assert harness.visitor().get("/cases/closed").status_code in (303, 401, 307)


def test_what_a_case_was_closed_as_is_withheld_from_viewers(harness: Harness) -> None:
    """That a suspicion was formed must not reach those who need not know: tipping off."""
    case_id, case = next(
        (name, case) for name, case in {c["case_id"]: c for c in harness.cases()}.items()
        if case["level"] != "critical"
    )  # fmt: skip
    closing = {"action": "close", "disposition": "SUSPICIOUS", "text": "smells of laundering"}
    act(harness, "kim", case_id, **closing)
    customer = case["customer_id"]
    for name, sees in {"vic": False, "kim": True, "sam": True}.items():
        person = harness.person(name)
        seen = [
            person.get(f"/v1/cases/{case_id}").text,
            person.get(f"/cases/{case_id}").text,
            person.get(f"/v1/customers/{customer}").text,
            person.get(f"/customers/{customer}").text,
        ]
        for text in seen[:2] if sees else seen:
            told = "SUSPICIOUS" in text or "closed the case as suspicious" in text
            assert told is sees, name
            assert sees or ("laundering" not in text and "smells" not in text)
    assert harness.person("vic").get("/v1/cases/closed").status_code == 403
    # An administrator reads the audit log, but not what cases were closed as.
    log = harness.person("root").get("/v1/audit?action=close").text
    assert case_id in log and "SUSPICIOUS" not in log and "laundering" not in log
