"""The closed cases, also as JSON and CSV."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from detector.adapters.people.store import utc_now
from detector.console.access.permissions import Acts
from detector.console.closed.model import (
    ClosedCaseRow,
    ClosedFilters,
    ClosedPage,
    ClosedQuery,
    closed_page,
)
from detector.console.closed.view import ClosedView
from detector.console.context import InContext
from detector.console.http.problems import problems
from detector.console.http.spreadsheet import MOST_EXPORTED, csv_answers, csv_file
from detector.console.shell.rendering import render

router = APIRouter()


@router.get(
    "/v1/cases/closed",
    operation_id="list_closed_cases",
    tags=["cases"],
    responses=problems(401, 403, 422),
)
def list_closed_cases(
    context: InContext, _: Acts, query: Annotated[ClosedQuery, Query()]
) -> ClosedPage:
    """The closed cases, the latest first, or a random sample of them for quality checks."""
    return closed_page(context.people.closings, query, utc_now())


@router.get(
    "/v1/cases/closed.csv",
    operation_id="export_closed_cases",
    tags=["cases"],
    responses=csv_answers(401, 403, 422),
    response_class=Response,
)
def export_closed_cases(
    context: InContext, principal: Acts, filters: Annotated[ClosedFilters, Query()]
) -> Response:
    """The closed cases as CSV, at most 100,000; the export is in the audit log."""
    rows = context.people.closings.latest(filters.wanted(), MOST_EXPORTED)
    asked = filters.model_dump(mode="json", exclude_defaults=True)
    detail = {"cases": len(rows), "filters": asked}
    context.people.audit.exported(principal, "cases", "closed", detail)
    cases = (ClosedCaseRow.model_validate(row) for row in rows)
    return csv_file("closed-cases", ClosedCaseRow, cases)


@router.get("/cases/closed", include_in_schema=False)
def show_closed_cases(
    request: Request,
    context: InContext,
    principal: Acts,
    query: Annotated[ClosedQuery, Query()],
) -> Response:
    """The closed cases."""
    page = list_closed_cases(context, principal, query)
    usernames = context.people.users.who_may("act")
    return render(request, "closed/page.html", ClosedView(page, query, usernames))
