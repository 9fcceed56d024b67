"""The team's work: how old the open cases are, who decided how many, what was overturned."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from pydantic import BaseModel, Field

from detector.adapters.people.store import PeopleStore
from detector.console.queries.precision import Precision, precisions
from detector.core.data import Row
from detector.pipeline.ports import ConsoleReader
from detector.signals.rules import LEVELS, Level

DAY = timedelta(days=1)
AGES = {"under 15 min": 900, "15 to 60 min": 3600, "1 to 4 h": 14_400, "4 to 24 h": 86_400}
OLDER = "over 24 h"


class Ageing(BaseModel):
    """Open cases of an age, by level; `overdue` of them are past their time."""

    age: str
    by_level: dict[Level, int]
    overdue: int


class Person(BaseModel):
    """What one person did in the last 24 hours."""

    person: str
    decided: int
    approved: int
    overturned: int = Field(description="Rejected or reopened by someone else.")
    median_s: float | None = Field(description="From the action before to the decision.")


class HourDone(BaseModel):
    """Decisions of an hour."""

    hour: datetime
    decided: int


class PatternPrecision(Precision):
    """The precision of a pattern."""

    pattern: str


class Team(BaseModel):
    """The state of the work."""

    as_of: datetime
    ageing: list[Ageing]
    people: list[Person]
    hours: list[HourDone] = Field(description="The last 24 hours, without gaps.")
    patterns: list[PatternPrecision]
    waiting: int = Field(description="Cases that wait for a second person.")
    unclaimed: int


def team(reader: ConsoleReader, people: PeopleStore, now: datetime) -> Team:
    """The team's work at a time."""
    since = now - DAY
    done = people.work_done
    hours = done.by_hour(since)
    last = now.replace(minute=0, second=0, microsecond=0)
    groups = _open_cases(reader, now)
    return Team(
        as_of=now,
        ageing=_ageing(groups),
        people=[
            Person(**{**one._asdict(), "median_s": one.seconds}) for one in done.by_person(since)
        ],
        hours=[
            HourDone(hour=hour, decided=hours.get(hour, 0))
            for hour in (last - timedelta(hours=n) for n in reversed(range(24)))
        ],
        patterns=[
            PatternPrecision(pattern=pattern, **found.model_dump())
            for pattern, found in precisions(people).items()
        ],
        waiting=sum(group["waiting"] for group in groups),
        unclaimed=sum(group["unclaimed"] for group in groups),
    )


def _open_cases(reader: ConsoleReader, now: datetime) -> list[Row]:
    """The open cases counted by level and age; few rows, however many cases."""
    ages = " ".join("WHEN opened_at > ? THEN '" + age + "'" for age in AGES)
    limits = [now - timedelta(seconds=seconds) for seconds in AGES.values()]
    return reader.rows(
        f"""SELECT level, CASE {ages} ELSE '{OLDER}' END AS age, COUNT(*) AS cases,
          SUM(CASE WHEN due_at < ? THEN 1 ELSE 0 END) AS overdue,
          SUM(CASE WHEN status = 'PENDING_APPROVAL' THEN 1 ELSE 0 END) AS waiting,
          SUM(CASE WHEN owner IS NULL THEN 1 ELSE 0 END) AS unclaimed
        FROM {reader.open_cases} GROUP BY 1, 2""",
        [*limits, now],
    )


def _ageing(groups: Iterable[Row]) -> list[Ageing]:
    found = {
        age: Ageing(age=age, by_level=dict.fromkeys(LEVELS, 0), overdue=0) for age in (*AGES, OLDER)
    }
    for group in groups:
        row = found[group["age"]]
        row.by_level[group["level"]] += group["cases"]
        row.overdue += group["overdue"]
    return list(found.values())
