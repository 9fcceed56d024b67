"""Drafts of suspicious matter reports: filled in, stored, and hidden without permission."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests import build
from tests.console.harness import Harness

SECRET = "Lives beyond any known income."


@pytest.fixture
def harness(tmp_path: Path) -> Iterator[Harness]:
    """A console for one test."""
    kept = Harness(tmp_path)
    yield kept
    kept.close()


def structuring(harness: Harness) -> str:
    [case_id] = [c["case_id"] for c in harness.cases() if "structuring" in c["patterns"]]
    return str(case_id)


def draft(**changes: Any) -> dict[str, Any]:
    """What a person writes."""
    return {
        "parties": [
            {"role": "SUSPECT", "name": "Alex Example", "customer_id": "cust-4"},
            {"role": "VICTIM", "description": "An unknown sender."},
        ],
        "grounds": SECRET,
        "suspicion_formed_at": "2026-03-06T17:00:00+11:00",
        **changes,
    }


def test_a_new_draft_is_filled_in_from_the_events(harness: Harness) -> None:
    """Who, what, when, where and how much; the suspicion is left to the analyst."""
    report = harness.person("sam").get(f"/v1/cases/{structuring(harness)}/smr").json()
    [party] = report["draft"]["parties"]
    assert (party["role"], party["customer_id"], party["account_ids"]) == (
        "SUSPECT", "cust-4", ["acc-4"],
    )  # fmt: skip
    grounds = report["draft"]["grounds"]
    assert "3 cash transactions of AUD 27,600.00 in all" in grounds
    assert "at 1 place: Melbourne" in grounds
    assert [t["amount"] for t in report["transactions"]] == ["9100.00", "9200.00", "9300.00"]
    assert (report["draft"]["suspicion_formed_at"], report["due_at"]) == (None, None)
    assert report["updated_by"] is None


def test_a_draft_cites_the_signals_of_the_case(tmp_path: Path) -> None:
    """Those of the customer and of all accounts, whichever of them the cash went to."""
    deposits = [
        build.cash(600 * n, "acc-4", customer_id="cust-4", amount="9100.00") for n in (1, 2, 3)
    ]
    elsewhere = [build.transaction(1300 + n, "acc-5", customer_id="cust-4") for n in range(6)]
    guesses = [build.login(1400 + n, "cust-4") for n in range(3)]
    profile = build.profile(1, "cust-4", accounts=["acc-4", "acc-5"])
    log = [profile, *deposits, *elsewhere, *guesses]
    harness = Harness(tmp_path, sorted(log, key=lambda event: event.occurred_at))
    [case] = [c for c in harness.cases() if c["account_ids"] == "acc-4, acc-5"]
    report = harness.person("sam").get(f"/v1/cases/{case['case_id']}/smr").json()
    grounds = report["draft"]["grounds"]
    harness.close()
    assert "cash transactions just under the reporting threshold" in grounds
    assert "failed logins of customer cust-4" in grounds
    assert "transactions on account acc-5" in grounds


def test_a_draft_is_kept_and_its_clock_runs(harness: Harness) -> None:
    """From Friday afternoon to the end of Wednesday."""
    path = f"/v1/cases/{structuring(harness)}/smr"
    saved = harness.person("sam").put(path, json=draft())
    assert saved.status_code == 200
    report = harness.person("pat").get(path).json()
    assert report["draft"]["grounds"] == SECRET
    assert [p["role"] for p in report["draft"]["parties"]] == ["SUSPECT", "VICTIM"]
    assert datetime.fromisoformat(report["due_at"]) == datetime(2026, 3, 11, 13, 0, tzinfo=UTC)
    assert (report["timezone"], report["updated_by"]) == ("Australia/Sydney", "sam")
    sooner = harness.person("sam").put(path, json=draft(terrorism_financing=True)).json()
    formed = datetime.fromisoformat(draft()["suspicion_formed_at"])
    assert datetime.fromisoformat(sooner["due_at"]) == formed + timedelta(hours=24)


def test_holidays_are_a_setting(tmp_path: Path) -> None:
    """They differ from state to state."""
    harness = Harness(tmp_path, holidays=["2026-03-09"])
    saved = harness.person("sam").put(f"/v1/cases/{structuring(harness)}/smr", json=draft()).json()
    assert datetime.fromisoformat(saved["due_at"]) == datetime(2026, 3, 12, 13, 0, tzinfo=UTC)
    harness.close()


def test_every_read_and_write_is_audited(harness: Harness) -> None:
    """By whom, of which case; never what it says."""
    path = f"/v1/cases/{structuring(harness)}/smr"
    harness.person("sam").get(path)
    harness.person("sam").put(path, json=draft())
    harness.person("pat").get(path)
    entries = harness.people.audit.entries(3)
    assert [(e.actor, e.action) for e in entries] == [
        ("pat", "read_smr"), ("sam", "save_smr"), ("sam", "read_smr"),
    ]  # fmt: skip
    assert SECRET not in repr(entries)


@pytest.mark.parametrize("name", ["vic", "kim", "root"])
def test_no_other_role_reads_or_writes_one(harness: Harness, name: str) -> None:
    """Whatever else they may do."""
    path, client = f"/v1/cases/{structuring(harness)}/smr", harness.person(name)
    assert client.get(path).status_code == 403
    assert client.put(path, json=draft()).status_code == 403


def test_a_report_shows_nowhere_else(harness: Harness) -> None:
    """Not in the case's history, its review, or any other table of the people store."""
    case_id = structuring(harness)
    harness.person("sam").put(f"/v1/cases/{case_id}/smr", json=draft())
    assert harness.people.reviews.history(case_id) == []
    assert harness.people.reviews.get(case_id).version == 0
    for table in ("case_reviews", "audit_log", "mv_open_fraud_cases"):
        assert SECRET not in repr(harness.store.rows(f"SELECT * FROM {table}"))


def test_only_cases_that_call_for_one_have_a_report(harness: Harness) -> None:
    """Structuring, or a case closed as suspicious."""
    case_id = next(
        c["case_id"] for c in harness.cases("high") if "structuring" not in c["patterns"]
    )
    sam, path = harness.person("sam"), f"/v1/cases/{case_id}/smr"
    assert sam.get(path).status_code == 409
    closing = {"action": "close", "disposition": "SUSPICIOUS"}
    assert sam.post(f"/v1/cases/{case_id}/actions", json=closing).status_code == 200
    assert sam.get(path).status_code == 200
    assert sam.get("/v1/cases/case_000000000000/smr").status_code == 404


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"parties": [{"role": "WITNESS"}]}, 422),
        ({"grounds": ""}, 422),
        ({"grounds": "a\u0000b"}, 422),
        ({"suspicion_formed_at": "2026-03-06T17:00:00"}, 422),
        ({"suspicion_formed_at": "2999-01-01T00:00:00Z"}, 409),
        ({"tax_file_number": "123"}, 422),
    ],
)
def test_what_does_not_fit_is_refused(
    harness: Harness, change: dict[str, Any], status: int
) -> None:
    """Roles are a list, times carry a zone, and nothing unknown slips in."""
    path = f"/v1/cases/{structuring(harness)}/smr"
    assert harness.person("sam").put(path, json=draft(**change)).status_code == status
