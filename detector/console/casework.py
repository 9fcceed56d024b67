"""Finding the cases that people act on, and saying what came of it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from pydantic import BaseModel, Field

from detector.adapters.desk import Acted
from detector.cases.review import Disposition, Forbidden, Refused, Status
from detector.console.context import Context
from detector.console.problems import ProblemError


class ReviewAnswer(BaseModel):
    """What a case is after an action."""

    case_id: str = Field(examples=["case_0123456789ab"])
    status: Status
    owner: str | None
    disposition: Disposition | None
    version: int = Field(description="Send it with the next action to notice others' work.")
    audit_seq: int = Field(description="The entry of the audit log that says so.")


def cases_named(context: Context, case_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Those of the cases that exist: open ones as they are, closed ones as they were kept."""
    marks = ", ".join("?" * len(case_ids))
    rows = context.reader.rows(
        f"SELECT * FROM mv_open_fraud_cases WHERE case_id IN ({marks})", list(case_ids)
    )
    found = {row["case_id"]: row for row in rows}
    for case_id in case_ids:
        if case_id not in found and (kept := context.desk.snapshot(case_id)):
            found[case_id] = kept
    return found


def case_named(context: Context, case_id: str) -> dict[str, Any]:
    """The case; a problem where there is none."""
    found = cases_named(context, [case_id])
    if case_id not in found:
        raise ProblemError(404, f"There is no case {case_id}.")
    return found[case_id]


def answer_of(acted: Acted) -> ReviewAnswer:
    """What the person is told."""
    review = acted.review
    return ReviewAnswer(
        case_id=review.case_id,
        status=review.status,
        owner=review.owner,
        disposition=review.disposition,
        version=review.version,
        audit_seq=acted.entry.seq,
    )


@contextmanager
def refusals() -> Iterator[None]:
    """Turn what the desk refuses into problems: 403 for the person, 409 for the state."""
    try:
        yield
    except Forbidden as error:
        raise ProblemError(403, str(error)) from error
    except Refused as error:
        raise ProblemError(409, str(error)) from error
