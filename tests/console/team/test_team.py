"""The team page: what is open, who decided, what was overturned."""

from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from detector.console.team.model import team
from tests.console.backlog import KIM, LEE, SAM
from tests.console.harness import Harness
from tests.people import act


@pytest.fixture
def harness(tmp_path: Path) -> Iterator[Harness]:
    """A bank's console."""
    with closing(Harness(tmp_path)) as harness:
        yield harness


def test_decisions_are_counted_by_person_and_hour(harness: Harness) -> None:
    """With the median time from the claim, what others overturned, and what waits."""
    people = harness.people
    begin = people.audit.clock()
    times = iter([begin + timedelta(minutes=n) for n in range(60)])
    people.audit.clock = lambda: next(times)
    first, second, third, fourth = harness.cases("high")[:4]
    for person, case in ((KIM, first), (KIM, second), (LEE, third)):
        act(people, person, case, "claim")
        act(people, person, case, "close", disposition="FALSE_POSITIVE")
    act(people, SAM, second, "reopen")
    act(people, KIM, harness.cases("critical")[0], "close", disposition="CONFIRMED_FRAUD")
    now = team(harness.store, people, begin + timedelta(hours=1))
    told = {p.person: (p.decided, p.approved, p.overturned, p.median_s) for p in now.people}
    assert told == {"kim": (3, 0, 1, 60.0), "lee": (1, 0, 0, 60.0)}
    assert sum(hour.decided for hour in now.hours) == 4 and len(now.hours) == 24
    assert now.waiting == 1
    open_cases = sum(sum(row.by_level.values()) for row in now.ageing)
    assert open_cases == len(harness.cases()) and fourth["case_id"]
    later = team(harness.store, people, begin + timedelta(days=2))
    assert later.people == [] and all(hour.decided == 0 for hour in later.hours)


def test_old_cases_are_old(harness: Harness) -> None:
    """An age counts from the opening to now; overdue ones are counted apart."""
    opened: list[datetime] = [case["opened_at"] for case in harness.cases()]
    young = team(harness.store, harness.people, max(opened) + timedelta(minutes=1))
    assert sum(young.ageing[0].by_level.values()) >= 1
    old = team(harness.store, harness.people, max(opened) + timedelta(days=2))
    assert sum(old.ageing[-1].by_level.values()) == len(opened) == old.ageing[-1].overdue


def test_precision_has_its_interval(harness: Harness) -> None:
    """One decision of one says little, and the page says how little."""
    act(harness.people, KIM, harness.cases("high")[0], "close", disposition="CONFIRMED_FRAUD")
    found = team(harness.store, harness.people, harness.people.audit.clock()).patterns
    assert found and all((p.right, p.wrong) == (1, 0) for p in found)
    assert all(p.low is not None and 0.2 < p.low < 0.21 and p.high == 1.0 for p in found)
    html = harness.person("sam").get("/team").text
    assert "1 of 1" in html and "21 to 100 %" in html
    patterns = harness.person("sam").get("/patterns").text
    assert "1 of 1" in patterns and "21 to 100%, 1 decided" in patterns


@pytest.mark.parametrize(("name", "status"), [("sam", 200), ("kim", 403), ("vic", 403)])
def test_it_is_for_those_who_approve(harness: Harness, name: str, status: int) -> None:
    """Figures of single people are not for everyone."""
    person = harness.person(name)
    assert person.get("/team").status_code == status
    assert person.get("/v1/team").status_code == status
    assert ('href="/team"' in person.get("/").text) == (status == 200)
