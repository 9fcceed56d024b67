"""Named lists: the page, and the API that adds and ends entries."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from detector.cases.fields import Text
from detector.cases.principals import Principal
from detector.console.access.permissions import Acts, Reads
from detector.console.context import Context, InContext
from detector.console.http.fields import CaseId, Short
from detector.console.http.problems import ProblemError, problems, refusals
from detector.console.http.spreadsheet import csv_answers, csv_file
from detector.console.lists.model import (
    ListAnswer,
    ListEntryAnswer,
    ListValue,
    list_values,
    lists,
    may_change,
)
from detector.console.shell.rendering import render
from producers.card_numbers import card_number_in

router = APIRouter()
LONGEST_DAYS = 3_650
MOST_ENTRIES = 5_000
"""Of one list: every entry is a branch of the condition in the models."""


class NewEntry(BaseModel):
    """A value to list, why, and for how many days; without `days` until it is ended."""

    model_config = ConfigDict(extra="forbid")

    value: Short = Field(examples=["dev-1"])
    reason: Text = Field(examples=["Used in three takeovers this week."])
    days: int | None = Field(None, ge=1, le=LONGEST_DAYS, examples=[90])


class Lists(BaseModel):
    """The lists of the rules."""

    lists: list[ListAnswer]


class ListValues(BaseModel):
    """Values of a case's events that lists could have."""

    values: list[ListValue]


@dataclass(frozen=True, slots=True)
class ListsPage:
    """Everything lists/page.html may use."""

    lists: list[ListAnswer]
    at: datetime
    changeable: set[str]
    title: str = "Lists"
    nav: str = ""


@router.get(
    "/v1/lists",
    operation_id="lists",
    tags=["lists"],
    responses=problems(401, 403),
)
def get_lists(context: InContext, _: Reads) -> Lists:
    """The named lists with all entries, also those that are over, and which patterns ask them."""
    return Lists(lists=lists(context.rules, context.people))


@router.get(
    "/v1/lists.csv",
    operation_id="export_lists",
    tags=["lists"],
    responses=csv_answers(401, 403),
    response_class=Response,
)
def export_lists(context: InContext, principal: Reads) -> Response:
    """All entries that people made as CSV; the export is in the audit log."""
    found = [ListEntryAnswer.of(entry) for entry in context.people.list_entries.all()]
    context.people.audit.exported(principal, "lists", "lists", {"entries": len(found)})
    return csv_file("lists", ListEntryAnswer, found)


@router.post(
    "/v1/lists/{name}/entries",
    operation_id="add_list_entry",
    tags=["lists"],
    status_code=201,
    responses=problems(400, 401, 403, 404, 409, 413, 422, 503),
)
def add_list_entry(
    context: InContext,
    principal: Acts,
    name: Annotated[str, Path(pattern=r"^[a-z][a-z0-9_]*$", examples=["known_bad_devices"])],
    body: NewEntry,
) -> ListEntryAnswer:
    """List a value: from the next event on, patterns that ask about the list see it there."""
    _check(context, principal, name)
    value = body.value.strip()
    if card_number_in(value):
        raise ProblemError(422, "A list holds no card numbers; use the token of the card.")
    if len(context.rules.lists[name].entries) >= MOST_ENTRIES:
        raise ProblemError(409, f"The list {name} has {MOST_ENTRIES:,} entries, the most it can.")
    with refusals():
        entry = context.people.list_entries.add(principal, name, value, body.reason, body.days)
    return ListEntryAnswer.of(entry)


@router.delete(
    "/v1/list-entries/{entry_id}",
    operation_id="end_list_entry",
    tags=["lists"],
    status_code=204,
    responses=problems(401, 403, 404, 409, 422, 503),
)
def end_list_entry(
    context: InContext,
    principal: Acts,
    entry_id: Annotated[str, Path(pattern=r"^lst_[0-9a-f]{12}$", examples=["lst_0123456789ab"])],
) -> None:
    """Take a value off its list from the next event on; what it did before stays as it is."""
    entries = context.people.list_entries
    with refusals():
        try:
            _check(context, principal, entries.get(entry_id).list_name)
            entries.end(principal, entry_id)
        except KeyError as error:
            raise ProblemError(404, f"There is no entry {entry_id}.") from error


@router.get(
    "/v1/cases/{case_id}/list-values",
    operation_id="list_values",
    tags=["lists"],
    responses=problems(401, 403, 404, 422),
)
def case_list_values(context: InContext, principal: Reads, case_id: CaseId) -> ListValues:
    """The devices, payees and so on of a case's events that one could list and that are not."""
    now = datetime.now(UTC)
    people, rules = context.people, context.rules
    return ListValues(values=list_values(context.reader, people, rules, principal, case_id, now))


@router.get("/lists", include_in_schema=False)
def lists_page(request: Request, context: InContext, principal: Reads) -> Response:
    """Named lists."""
    found = lists(context.rules, context.people)
    own = {name for name, about in context.rules.lists.items() if may_change(principal, about)}
    changeable = own if context.pipeline is not None else set()
    return render(request, "lists/page.html", ListsPage(found, datetime.now(UTC), changeable))


def _check(context: Context, principal: Principal, name: str) -> None:
    """Raise a problem unless the principal may change this list here."""
    about = context.rules.lists.get(name)
    if about is None:
        known = ", ".join(context.rules.lists) or "none"
        raise ProblemError(404, f"There is no list {name}; there are {known}.")
    if not may_change(principal, about):
        raise ProblemError(403, f"The list {name} is supervised: a supervisor changes it.")
    if context.pipeline is None:
        raise ProblemError(
            503,
            "This console shows a cluster: its lists are in the rules' file; change them there, "
            "then `make dbt-upgrade MODEL=<view>`.",
        )
    if not context.pipeline.ready.is_set():
        # Until what was judged is read back, nothing says from when on an entry may hold.
        raise ProblemError(503, "Detection is not running; try again once /readyz says so.")
