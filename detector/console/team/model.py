"""The team's work: how old the open cases are, who decided how many, what was overturned."""

from datetime import datetime, timedelta

from pydantic import BaseModel, Field

from detector.adapters.people.store import PeopleStore
from detector.analysis.rates import wilson
from detector.pipeline.ports import ConsoleReader
from detector.signals.rules import LEVELS, Level

DAY = timedelta(days=1)
AGES = {"under 15 min": 900, "15 to 60 min": 3600, "1 to 4 h": 14_400, "4 to 24 h": 86_400}
OLDER = "over 24 h"
RIGHT = ("CONFIRMED_FRAUD", "CONFIRMED_SCAM", "SUSPICIOUS")


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


class PatternPrecision(BaseModel):
    """Closed cases with a pattern: the share that was right, with its 95 % Wilson interval."""

    pattern: str
    right: int
    wrong: int
    low: float | None
    high: float | None


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
    states = reader.rows(
        f"SELECT SUM(CASE WHEN status = 'PENDING_APPROVAL' THEN 1 ELSE 0 END) AS waiting, "
        f"SUM(CASE WHEN owner IS NULL THEN 1 ELSE 0 END) AS unclaimed FROM {reader.open_cases}"
    )[0]
    return Team(
        as_of=now,
        ageing=_ageing(reader, now),
        people=[
            Person(**{**one._asdict(), "median_s": one.seconds}) for one in done.by_person(since)
        ],
        hours=[
            HourDone(hour=hour, decided=hours.get(hour, 0))
            for hour in (last - timedelta(hours=n) for n in reversed(range(24)))
        ],
        patterns=_precision(people),
        waiting=states["waiting"] or 0,
        unclaimed=states["unclaimed"] or 0,
    )


def _ageing(reader: ConsoleReader, now: datetime) -> list[Ageing]:
    rows = reader.rows(f"SELECT level, opened_at, due_at FROM {reader.open_cases}")
    found = {
        age: Ageing(age=age, by_level=dict.fromkeys(LEVELS, 0), overdue=0) for age in (*AGES, OLDER)
    }
    for row in rows:
        seconds = (now - row["opened_at"]).total_seconds()
        age = next((name for name, limit in AGES.items() if seconds < limit), OLDER)
        found[age].by_level[row["level"]] += 1
        found[age].overdue += row["due_at"] < now
    return list(found.values())


def _precision(people: PeopleStore) -> list[PatternPrecision]:
    ends: dict[str, list[int]] = {}
    for row in people.reviews.dispositions():
        counts = ends.setdefault(row["pattern"], [0, 0])
        if row["disposition"] in RIGHT:
            counts[0] += row["count"]
        elif row["disposition"] == "FALSE_POSITIVE":
            counts[1] += row["count"]
    found = []
    for pattern, (right, wrong) in sorted(ends.items()):
        low, high = wilson(right, right + wrong) or (None, None)
        found.append(
            PatternPrecision(pattern=pattern, right=right, wrong=wrong, low=low, high=high)
        )
    return found
