"""The case queue, also as JSON, and claiming the next case of it."""

from contextlib import suppress
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel

from detector.cases.actions.working import Claim
from detector.cases.review import ActionRefused
from detector.console.access.permissions import Acts, Reads
from detector.console.context import InContext
from detector.console.http.problems import problems
from detector.console.http.spreadsheet import MOST_EXPORTED, csv_answers, csv_file
from detector.console.queries.cases import CaseFacts, find_case
from detector.console.queries.filters import NO_OWNER, QueueFilters
from detector.console.queries.queue import ranking_now, snoozed_now, top_cases
from detector.console.queue.model import QueuePage, QueueQuery, queue_page
from detector.console.queue.view import queue_view
from detector.console.shell.rendering import render

router = APIRouter()
CANDIDATES = 20


class Claimed(BaseModel):
    """The case that the principal now owns; null if the queue has none for them."""

    case_id: str | None


@router.get(
    "/v1/cases", operation_id="list_cases", tags=["cases"], responses=problems(401, 403, 422)
)
def list_cases(
    context: InContext, principal: Reads, query: Annotated[QueueQuery, Query()]
) -> QueuePage:
    """The queue of open cases, the most urgent first."""
    snoozed = snoozed_now(context.reader, context.people)
    ranking = ranking_now(context.people)
    return queue_page(
        context.reader, query, principal.name, snoozed, query.cursor, query.limit, ranking
    )


@router.get(
    "/v1/cases.csv",
    operation_id="export_cases",
    tags=["cases"],
    responses=csv_answers(401, 403, 422),
    response_class=Response,
)
def export_cases(
    context: InContext, principal: Reads, filters: Annotated[QueueFilters, Query()]
) -> Response:
    """The open cases as filtered, in queue order, as CSV; the export is in the audit log."""
    page = queue_page(
        context.reader,
        filters,
        principal.name,
        snoozed_now(context.reader, context.people),
        limit=MOST_EXPORTED,
        ranking=ranking_now(context.people),
    )
    detail = {"cases": len(page.cases), "filters": filters.model_dump(exclude_defaults=True)}
    context.people.audit.exported(principal, "cases", "open", detail)
    return csv_file("open-cases", CaseFacts, (CaseFacts(**dict(case)) for case in page.cases))


@router.post(
    "/v1/queue/next",
    operation_id="claim_next",
    tags=["cases"],
    responses=problems(400, 401, 403, 409, 413, 422),
)
def claim_next(context: InContext, principal: Acts, body: QueueFilters) -> Claimed:
    """Claim the first unclaimed case of the filtered queue; the filter `owner` is ignored.

    Without a `status`, escalated cases are claimed only by those who may approve.
    """
    undecided = ["NEW", "IN_REVIEW", *(["ESCALATED"] if principal.may("approve") else [])]
    unclaimed = body.model_copy(update={"owner": NO_OWNER, "status": body.status or undecided})
    cases = top_cases(context.reader, context.people, unclaimed, CANDIDATES, principal.name)
    for case in cases:
        # Someone else may claim it at the same time: then try the next one.
        with suppress(ActionRefused):
            row = find_case(context.reader, context.people, case.case_id)
            acted = context.people.reviews.act(principal, row, Claim())
            return Claimed(case_id=acted.review.case_id)
    return Claimed(case_id=None)


@router.get("/cases", include_in_schema=False)
def show_queue(
    request: Request, context: InContext, principal: Reads, query: Annotated[QueueQuery, Query()]
) -> Response:
    """The case queue."""
    view = queue_view(
        list_cases(context, principal, query),
        query,
        context.rules,
        context.people.users.who_may("act"),
        principal.may("act"),
        context.settings.four_eyes,
        query.cursor,
        context.people.saved_views.of(principal.name),
    )
    return render(request, "queue/page.html", view)
