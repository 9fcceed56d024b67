"""Cases in the views: open ones as they are, closed ones as of their closing."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from pydantic import BaseModel

from detector.adapters.people.store import PeopleStore
from detector.console.http.problems import ProblemError
from detector.console.queries.ranking import Rank, Ranking
from detector.console.queries.where import Where
from detector.core.data import Row
from detector.core.names import Names
from detector.pipeline.ports import Reader


class CaseFacts(BaseModel):
    """What detection and users have recorded about a case, money in the base currency."""

    case_id: str
    customer_id: str
    account_ids: Names
    level: str
    score: float
    patterns: Names
    signal_count: int
    exposure: Decimal
    already_gone: Decimal
    first_signal_at: datetime
    last_signal_at: datetime
    opened_at: datetime
    due_at: datetime
    recommended_action: str
    actions: Names
    previous_case_id: str | None
    owner: str | None
    status: str


class CaseRow(CaseFacts):
    """A case as shown in the queue."""

    rank: Rank


class ClosedCase(CaseFacts):
    """A closed case, as of its closing."""

    disposition: str | None
    reviewed_at: datetime


def case_row(row: Mapping[str, Any], ranking: Ranking) -> CaseRow:
    """A row of `mv_open_fraud_cases`, or a snapshot of one, with its rank."""
    case = CaseFacts.model_validate(row)
    rank = ranking.rank(case.exposure, case.score, case.patterns, case.opened_at, case.due_at)
    return CaseRow(**case.model_dump(), rank=rank)


def find_cases(reader: Reader, people: PeopleStore, case_ids: Sequence[str]) -> dict[str, Row]:
    """The existing ones of these cases: open ones as they are, closed ones as of their closing.

    `next_case_id` is the customer's case that opened after this one was closed.
    """
    if not case_ids:
        return {}
    where = Where()
    where.among("case_id", list(case_ids))
    rows = reader.rows(f"SELECT * FROM mv_open_fraud_cases WHERE {where.sql}", where.parameters)
    found = {row["case_id"]: {**row, "next_case_id": None} for row in rows}
    closed = [case_id for case_id in case_ids if case_id not in found]
    following = _following(reader, closed)
    for case_id in closed:
        if snapshot := people.reviews.snapshot(case_id):
            found[case_id] = {**snapshot, "next_case_id": following.get(case_id)}
    return found


def _following(reader: Reader, case_ids: Sequence[str]) -> dict[str, str]:
    """The cases that opened after these, by the id of the case before."""
    if not case_ids:
        return {}
    where = Where()
    where.among("previous_case_id", list(case_ids))
    rows = reader.rows(
        f"SELECT case_id, previous_case_id FROM fraud_cases WHERE {where.sql} AND NOT withdrawn",
        where.parameters,
    )
    return {row["previous_case_id"]: row["case_id"] for row in rows}


def find_case(reader: Reader, people: PeopleStore, case_id: str) -> Row:
    """The case; a 404 problem if it does not exist."""
    found = find_cases(reader, people, [case_id])
    if case_id not in found:
        raise ProblemError(404, f"There is no case {case_id!r}. Search for it, or open the queue.")
    return found[case_id]
