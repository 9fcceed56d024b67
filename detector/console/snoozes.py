"""Silencing a pattern for an entity, for a while."""

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel, ConfigDict, Field

from detector.adapters.desk import Snooze, now
from detector.console.casework import refusals
from detector.console.context import InContext
from detector.console.problems import ProblemError, problems
from detector.console.security import Person, require
from detector.console.texts import Short, Text

router = APIRouter(tags=["snoozes"])
Reads = Annotated[Person, Depends(require("read"))]
Acts = Annotated[Person, Depends(require("act"))]
EntityKind = Literal["account", "customer", "card"]
LONGEST_DAYS = 90


class NewSnooze(BaseModel):
    """What nobody wants to hear of, and for how long."""

    model_config = ConfigDict(extra="forbid")

    pattern: Short = Field(examples=["velocity"])
    entity_kind: EntityKind = Field(examples=["account"])
    entity: Short = Field(examples=["acc-1"], description="Its id; of a card the token.")
    minutes: int = Field(ge=1, le=LONGEST_DAYS * 24 * 60, examples=[1440])
    reason: Text = Field(examples=["A known shop that batches its payments."])


class SnoozeAnswer(BaseModel):
    """A snooze; it is over when `until` has passed or it was ended."""

    snooze_id: str
    pattern: str
    entity_kind: EntityKind
    entity: str
    until: datetime
    reason: str
    created_by: str
    created_at: datetime
    ended_at: datetime | None


class Snoozes(BaseModel):
    """Snoozes; those in force end soonest first, all are the newest first."""

    snoozes: list[SnoozeAnswer]


@router.get("/v1/snoozes", operation_id="list_snoozes", responses=problems(401, 403, 422))
def list_snoozes(context: InContext, person: Reads, active: bool = True) -> Snoozes:
    """The snoozes in force; with `active=false`, the newest 500 of all."""
    desk = context.desk
    found = desk.active_snoozes(now()) if active else desk.snoozes()
    return Snoozes(snoozes=[_answer(snooze) for snooze in found])


@router.post(
    "/v1/snoozes",
    operation_id="add_snooze",
    status_code=201,
    responses=problems(400, 401, 403, 404, 413, 422),
)
def add_snooze(context: InContext, person: Acts, body: NewSnooze) -> SnoozeAnswer:
    """Silence a pattern for an account, customer or card.

    A case all of whose patterns are silenced leaves the queue; detection goes on as before.
    """
    if body.pattern not in context.rules.patterns:
        known = ", ".join(context.rules.patterns)
        raise ProblemError(404, f"There is no pattern {body.pattern}; there are {known}.")
    until = datetime.now(UTC) + timedelta(minutes=body.minutes)
    return _answer(
        context.desk.snooze(person, body.pattern, body.entity_kind, body.entity, until, body.reason)
    )


@router.delete(
    "/v1/snoozes/{snooze_id}",
    operation_id="end_snooze",
    status_code=204,
    responses=problems(401, 403, 404, 409, 422),
)
def end_snooze(
    context: InContext,
    person: Acts,
    snooze_id: Annotated[str, Path(pattern=r"^snz_[0-9a-f]{12}$", examples=["snz_0123456789ab"])],
) -> None:
    """Hear of it again."""
    try:
        with refusals():
            context.desk.end_snooze(person, snooze_id)
    except KeyError as error:
        raise ProblemError(404, f"There is no snooze {snooze_id}.") from error


def _answer(snooze: Snooze) -> SnoozeAnswer:
    return SnoozeAnswer.model_validate(asdict(snooze))
