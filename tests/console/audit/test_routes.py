"""The audit log over HTTP: complete for those who may, blank where a report is concerned."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.console.harness import PEOPLE, Harness


@pytest.fixture
def harness(tmp_path: Path) -> Iterator[Harness]:
    """A console in which three cases were claimed and a report was read."""
    kept = Harness(tmp_path)
    ids = [case["case_id"] for case in kept.cases()]
    for name, case_id in zip(("kim", "lee", "kim"), ids, strict=False):
        person = kept.person(name)
        person.post(f"/v1/cases/{case_id}/actions", json={"action": "claim"})
    [structuring] = [c["case_id"] for c in kept.cases() if "structuring" in c["patterns"]]
    kept.person("sam").get(f"/v1/cases/{structuring}/smr")
    yield kept
    kept.close()


def test_the_log_is_read_page_by_page(harness: Harness) -> None:
    """Newest first, nothing twice, nothing left out."""
    sam, seen, before = harness.person("sam"), [], ""
    while True:
        page = sam.get(f"/v1/audit?limit=4{before}").json()
        seen += [entry["seq"] for entry in page["entries"]]
        if page["next"] is None:
            break
        before = f"&before={page['next']}"
    assert seen == list(range(len(PEOPLE) + 4, 0, -1))


def test_the_log_is_searched(harness: Harness) -> None:
    """By person, subject and action."""
    sam = harness.person("sam")
    by_kim = sam.get("/v1/audit?actor=kim").json()["entries"]
    assert [entry["action"] for entry in by_kim] == ["claim", "claim"]
    subject = by_kim[0]["subject"]
    assert len(sam.get(f"/v1/audit?subject={subject}&action=claim").json()["entries"]) == 1


def test_reports_leave_no_trace_for_others(harness: Harness) -> None:
    """An administrator sees that something restricted was done, not to which case."""
    root, sam = harness.person("root"), harness.person("sam")
    [read] = sam.get("/v1/audit?action=read_smr").json()["entries"]
    assert read["subject"].startswith("case_")
    assert root.get("/v1/audit?action=read_smr").json()["entries"] == []
    assert root.get(f"/v1/audit?subject={read['subject']}").json()["entries"] == []
    newest = root.get("/v1/audit?limit=1").json()["entries"][0]
    assert (newest["action"], newest["subject"], newest["detail"]) == ("restricted", "", {})
    assert "smr" not in root.get("/v1/audit").text


def test_verification_tells_an_intact_log_from_a_changed_one(harness: Harness) -> None:
    """And names the first entry that was changed."""
    sam = harness.person("sam")
    count, head = harness.people.audit.head()
    intact = sam.get("/v1/audit/verify").json()
    assert (intact["valid"], intact["entries"], intact["head"]) == (True, count, head)
    harness.people.audit._db.execute("UPDATE audit_log SET actor = 'lee' WHERE seq = 7")
    broken = sam.get("/v1/audit/verify").json()
    assert (broken["valid"], broken["entries"], broken["first_bad"]) == (False, 6, 7)


@pytest.mark.parametrize("name", ["vic", "kim"])
def test_others_do_not_read_the_log(harness: Harness, name: str) -> None:
    """It says what colleagues do all day."""
    assert harness.person(name).get("/v1/audit").status_code == 403
    assert harness.person(name).get("/v1/audit/verify").status_code == 403
