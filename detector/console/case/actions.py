"""Acting on cases through the API: one action, or the same action on many cases."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from detector.adapters.people.reviews import Acted
from detector.cases.actions import ACTIONS, CaseAction
from detector.cases.actions.working import Undo
from detector.cases.review import Disposition, Status
from detector.console.access.permissions import Acts
from detector.console.context import InContext
from detector.console.http.fields import CASE_ID, CaseId
from detector.console.http.problems import ProblemError, problems, refusals
from detector.console.queries.cases import find_case, find_cases

router = APIRouter(tags=["cases"])
MOST_CASES = 500


class ReviewAnswer(BaseModel):
    """The review of a case after an action."""

    case_id: str = Field(examples=["case_0123456789ab"])
    status: Status
    owner: str | None
    disposition: Disposition | None
    version: int = Field(description="Send it with the next action to detect concurrent changes.")
    audit_seq: int = Field(description="The number of the action's audit entry.")
    summary: str = Field(description="What was done, in words.")

    @classmethod
    def of(cls, acted: Acted) -> "ReviewAnswer":
        """The response to an action."""
        review, entry = acted
        return cls(
            case_id=review.case_id,
            status=review.status,
            owner=review.owner,
            disposition=review.disposition,
            version=review.version,
            audit_seq=entry.seq,
            summary=ACTIONS[entry.action].summary(entry.detail),
        )


class BulkRequest(BaseModel):
    """One action for many cases, without a version, which is for single cases."""

    model_config = ConfigDict(extra="forbid")

    case_ids: list[Annotated[str, Field(pattern=CASE_ID)]] = Field(
        min_length=1, max_length=MOST_CASES, examples=[["case_0123456789ab"]]
    )
    action: CaseAction


class RefusedCase(BaseModel):
    """A case that was left unchanged, and why."""

    case_id: str
    detail: str


class BulkAnswer(BaseModel):
    """The result for each case, in the order of the request."""

    done: list[ReviewAnswer]
    refused: list[RefusedCase]


@router.post(
    "/v1/cases/{case_id}/actions",
    operation_id="act_on_case",
    responses=problems(400, 401, 403, 404, 409, 413, 422),
)
def act_on_case(
    context: InContext, principal: Acts, case_id: CaseId, body: CaseAction
) -> ReviewAnswer:
    """Take an action on a case; 409 when its state or a concurrent change does not allow it."""
    case = find_case(context.reader, context.people, case_id)
    with refusals():
        return ReviewAnswer.of(context.people.reviews.act(principal, case, body))


@router.post(
    "/v1/cases/undo",
    operation_id="undo_last_decision",
    responses=problems(400, 401, 403, 404, 409, 413, 422),
)
def undo_last_decision(context: InContext, principal: Acts) -> ReviewAnswer:
    """Undo your own last decision, on whatever case; 409 when there is none that can be undone."""
    with refusals():
        case_id = context.people.reviews.last_decision(principal)
    return act_on_case(context, principal, case_id, Undo(action="undo"))


@router.post(
    "/v1/cases/actions",
    operation_id="act_on_cases",
    responses=problems(400, 401, 403, 409, 413, 422),
)
def act_on_cases(context: InContext, principal: Acts, body: BulkRequest) -> BulkAnswer:
    """Take one action on many cases; those that refuse it are listed and left unchanged."""
    if body.action.version is not None:
        raise ProblemError(409, "Many cases have no common version; leave out `version`.")
    wanted = list(dict.fromkeys(body.case_ids))
    cases = find_cases(context.reader, context.people, wanted)
    existing = [cases[case_id] for case_id in wanted if case_id in cases]
    done, refused = context.people.reviews.act_on_all(principal, existing, body.action)
    details = {c: f"There is no case {c}." for c in wanted if c not in cases}
    details |= {case_id: str(error) for case_id, error in refused.items()}
    return BulkAnswer(
        done=[ReviewAnswer.of(acted) for acted in done],
        refused=[RefusedCase(case_id=c, detail=details[c]) for c in wanted if c in details],
    )
