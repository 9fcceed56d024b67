"""Snoozes: the page, and the API that adds and ends them."""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from detector.adapters.people.snoozes import Snooze
from detector.cases.fields import Text
from detector.console.access.permissions import Acts, Reads
from detector.console.context import InContext
from detector.console.http.fields import Short
from detector.console.http.problems import ProblemError, problems, refusals
from detector.console.http.spreadsheet import csv_answers, csv_file
from detector.console.shell.rendering import render

router = APIRouter()
EntityKind = Literal["account", "customer", "card"]
LONGEST_DAYS = 90


class NewSnooze(BaseModel):
    """A pattern to silence for an entity, and for how long."""

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

    @classmethod
    def of(cls, snooze: Snooze) -> "SnoozeAnswer":
        """The snooze as stored."""
        return cls.model_validate(asdict(snooze))


class Snoozes(BaseModel):
    """Snoozes; active ones end soonest first, all are newest first."""

    snoozes: list[SnoozeAnswer]


@dataclass(frozen=True, slots=True)
class SnoozesPage:
    """Everything snoozes/page.html may use."""

    snoozes: list[SnoozeAnswer]
    at: datetime
    may_end: bool
    title: str = "Snoozes"
    nav: str = ""

    def is_active(self, snooze: SnoozeAnswer) -> bool:
        """Whether it is in force."""
        return snooze.ended_at is None and snooze.until > self.at


@router.get(
    "/v1/snoozes",
    operation_id="list_snoozes",
    tags=["snoozes"],
    responses=problems(401, 403, 422),
)
def list_snoozes(context: InContext, _: Reads, active: bool = True) -> Snoozes:
    """The snoozes in force; with `active=false`, the newest 500 of all."""
    snoozes = context.people.snoozes
    found = snoozes.active(datetime.now(UTC)) if active else snoozes.all()
    return Snoozes(snoozes=[SnoozeAnswer.of(snooze) for snooze in found])


@router.get(
    "/v1/snoozes.csv",
    operation_id="export_snoozes",
    tags=["snoozes"],
    responses=csv_answers(401, 403),
    response_class=Response,
)
def export_snoozes(context: InContext, principal: Reads) -> Response:
    """The newest snoozes, in force or over, as CSV; the export is in the audit log."""
    found = list_snoozes(context, principal, active=False).snoozes
    context.people.audit.exported(principal, "snoozes", "snoozes", {"snoozes": len(found)})
    return csv_file("snoozes", SnoozeAnswer, found)


@router.post(
    "/v1/snoozes",
    operation_id="add_snooze",
    tags=["snoozes"],
    status_code=201,
    responses=problems(400, 401, 403, 404, 413, 422),
)
def add_snooze(context: InContext, principal: Acts, body: NewSnooze) -> SnoozeAnswer:
    """Silence a pattern for an account, customer or card.

    A case all of whose patterns are snoozed leaves the queue, unless it is critical; detection is
    not affected.
    """
    if body.pattern not in context.rules.patterns:
        known = ", ".join(context.rules.patterns)
        raise ProblemError(404, f"There is no pattern {body.pattern}; there are {known}.")
    until = datetime.now(UTC) + timedelta(minutes=body.minutes)
    snooze = context.people.snoozes.add(
        principal, body.pattern, body.entity_kind, body.entity, until, body.reason
    )
    return SnoozeAnswer.of(snooze)


@router.delete(
    "/v1/snoozes/{snooze_id}",
    operation_id="end_snooze",
    tags=["snoozes"],
    status_code=204,
    responses=problems(401, 403, 404, 409, 422),
)
def end_snooze(
    context: InContext,
    principal: Acts,
    snooze_id: Annotated[str, Path(pattern=r"^snz_[0-9a-f]{12}$", examples=["snz_0123456789ab"])],
) -> None:
    """End a snooze early."""
    try:
        with refusals():
            context.people.snoozes.end(principal, snooze_id)
    except KeyError as error:
        raise ProblemError(404, f"There is no snooze {snooze_id}.") from error


@router.get("/snoozes", include_in_schema=False)
def snoozes_page(request: Request, context: InContext, principal: Reads) -> Response:
    """Snoozed patterns."""
    found = list_snoozes(context, principal, active=False).snoozes
    page = SnoozesPage(found, datetime.now(UTC), principal.may("act"))
    return render(request, "snoozes/page.html", page)
