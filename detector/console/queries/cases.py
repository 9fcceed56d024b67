"""Cases in the views: open ones as they are, closed ones as of their closing."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from pydantic import BaseModel

from detector.adapters.people.store import PeopleStore
from detector.console.http.problems import ProblemError
from detector.console.queries.ranking import Rank, rank_of
from detector.console.queries.where import Where
from detector.core.data import Row
from detector.core.names import Names
from detector.pipeline.ports import Reader


class CaseFacts(BaseModel):
    """What detection and users have recorded about a case."""

    case_id: str
    account_id: str
    customer_id: str
    level: str
    score: float
    patterns: Names
    signal_count: int
    exposure: Decimal
    first_signal_at: datetime
    last_signal_at: datetime
    opened_at: datetime | None
    due_at: datetime | None
    recommended_action: str
    actions: Names
    owner: str | None
    status: str


class CaseRow(CaseFacts):
    """A case as shown in the queue."""

    rank: Rank


class ClosedCase(CaseFacts):
    """A closed case, as of its closing."""

    disposition: str | None
    reviewed_at: datetime


def case_row(row: Mapping[str, Any], now: datetime) -> CaseRow:
    """A row of `mv_open_fraud_cases`, or a snapshot of one, with its rank."""
    case = CaseFacts.model_validate(row)
    rank = rank_of(float(case.exposure), case.score, case.level, case.opened_at, case.due_at, now)
    return CaseRow(**case.model_dump(), rank=rank)


def find_cases(reader: Reader, people: PeopleStore, case_ids: Sequence[str]) -> dict[str, Row]:
    """The existing ones of these cases: open ones as they are, closed ones as of their closing."""
    where = Where()
    where.among("case_id", list(case_ids))
    rows = reader.rows(f"SELECT * FROM mv_open_fraud_cases WHERE {where.sql}", where.parameters)
    found = {row["case_id"]: row for row in rows}
    for case_id in case_ids:
        if case_id not in found and (snapshot := people.reviews.snapshot(case_id)):
            found[case_id] = snapshot
    return found


def find_case(reader: Reader, people: PeopleStore, case_id: str) -> Row:
    """The case; a 404 problem if it does not exist."""
    found = find_cases(reader, people, [case_id])
    if case_id not in found:
        raise ProblemError(404, f"There is no case {case_id!r}. Search for it, or open the queue.")
    return found[case_id]
