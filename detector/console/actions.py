"""Working cases: one action, the same action on many, and the next case to decide."""

from contextlib import suppress
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from detector.cases.review import Disposition, Instruction, Refused
from detector.console.casework import (
    ReviewAnswer,
    answer_of,
    case_named,
    cases_named,
    refusals,
)
from detector.console.context import InContext
from detector.console.filters import QueueFilters
from detector.console.problems import ProblemError, problems
from detector.console.queue import NOBODY, top_cases
from detector.console.security import Person, require
from detector.console.texts import CASE_ID, CaseId, Short, Text, Username

router = APIRouter(tags=["cases"])
Acts = Annotated[Person, Depends(require("act"))]
MOST_CASES = 500
_TRIES = 20


class _Action(BaseModel):
    model_config = ConfigDict(extra="forbid")

    version: Annotated[int, Field(ge=0, le=2**53)] | None = Field(
        None, description="That of the case as the person saw it; refused if it is no longer so."
    )

    def fields(self) -> dict[str, Any]:
        """What the action says beside its name."""
        return self.model_dump(exclude={"action", "version"}, exclude_none=True)


class Claim(_Action):
    """Take the case."""

    action: Literal["claim"]


class Release(_Action):
    """Give the case back."""

    action: Literal["release"]


class Assign(_Action):
    """Give the case to somebody."""

    action: Literal["assign"]
    to: Username = Field(examples=["lee"])


class Note(_Action):
    """Write something down."""

    action: Literal["note"]
    text: Text = Field(examples=["The customer was abroad."])


class Escalate(_Action):
    """Hand the case to those who may approve."""

    action: Literal["escalate"]
    text: Text | None = None


class Instruct(_Action):
    """Tell the bank's systems to do something about a card, account, payment or customer."""

    action: Literal["instruct"]
    instruction: Instruction
    target: Short | None = Field(None, examples=["tok-4411"])


class Close(_Action):
    """Decide the case."""

    action: Literal["close"]
    disposition: Disposition
    text: Text | None = None


class Approve(_Action):
    """Agree to a closing that somebody else proposed."""

    action: Literal["approve"]


class Reject(_Action):
    """Send a proposed closing back to work."""

    action: Literal["reject"]
    text: Text


class Reopen(_Action):
    """Take up a closed case again."""

    action: Literal["reopen"]
    text: Text | None = None


class Undo(_Action):
    """Take back one's own last action."""

    action: Literal["undo"]


Action = Annotated[
    Claim
    | Release
    | Assign
    | Note
    | Escalate
    | Instruct
    | Close
    | Approve
    | Reject
    | Reopen
    | Undo,
    Field(discriminator="action"),
]


class BulkRequest(BaseModel):
    """The same action for many cases; versions are for single cases."""

    model_config = ConfigDict(extra="forbid")

    case_ids: list[Annotated[str, Field(pattern=CASE_ID)]] = Field(
        min_length=1, max_length=MOST_CASES, examples=[["case_0123456789ab"]]
    )
    action: Action


class Refusal(BaseModel):
    """A case that was left as it is, and why."""

    case_id: str
    detail: str


class BulkAnswer(BaseModel):
    """What came of each case, in the order asked for."""

    done: list[ReviewAnswer]
    refused: list[Refusal]


class Claimed(BaseModel):
    """The case that is now the person's; none if the queue holds nothing for them."""

    case_id: str | None


@router.post(
    "/v1/cases/{case_id}/actions",
    operation_id="act_on_case",
    responses=problems(400, 401, 403, 404, 409, 413, 422),
)
def act_on_case(context: InContext, person: Acts, case_id: CaseId, body: Action) -> ReviewAnswer:
    """Do something to a case; refused with 409 when its state, or somebody's work, forbids it."""
    case = case_named(context, case_id)
    with refusals():
        acted = context.desk.act(person, case, body.action, version=body.version, **body.fields())
    return answer_of(acted)


@router.post(
    "/v1/cases/actions",
    operation_id="act_on_cases",
    responses=problems(400, 401, 403, 409, 413, 422),
)
def act_on_cases(context: InContext, person: Acts, body: BulkRequest) -> BulkAnswer:
    """Do the same to many cases at once; those that refuse are listed and left alone."""
    if body.action.version is not None:
        raise ProblemError(409, "Many cases have no version in common; leave `version` out.")
    wanted = list(dict.fromkeys(body.case_ids))
    cases = cases_named(context, wanted)
    done, refused = context.desk.act_on_all(
        person,
        [cases[case_id] for case_id in wanted if case_id in cases],
        body.action.action,
        **body.action.fields(),
    )
    unknown = {c: f"There is no case {c}." for c in wanted if c not in cases}
    told = unknown | {case_id: str(error) for case_id, error in refused.items()}
    return BulkAnswer(
        done=[answer_of(acted) for acted in done],
        refused=[Refusal(case_id=c, detail=told[c]) for c in wanted if c in told],
    )


@router.post(
    "/v1/queue/next",
    operation_id="claim_next",
    responses=problems(400, 401, 403, 409, 413, 422),
)
def claim_next(context: InContext, person: Acts, body: QueueFilters) -> Claimed:
    """Claim the first case of the filtered queue that nobody has; `owner` is not looked at.

    Without a `status`, escalated cases come only to those who may decide them.
    """
    undecided = ["NEW", "IN_REVIEW", *(["ESCALATED"] if person.may("approve") else [])]
    unowned = body.model_copy(update={"owner": NOBODY, "status": body.status or undecided})
    for case in top_cases(context.reader, context.desk, unowned, _TRIES, person.name):
        # Somebody else may claim it in the same moment: then the next one will do.
        with suppress(Refused):
            row = case_named(context, case.case_id)
            return Claimed(case_id=context.desk.act(person, row, "claim").review.case_id)
    return Claimed(case_id=None)
