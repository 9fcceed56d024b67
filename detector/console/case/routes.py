"""The page of a case, also as JSON."""

import pytz
from fastapi import APIRouter, Request, Response

from detector.console.access.permissions import Reads
from detector.console.case.model import CaseFile, case_file
from detector.console.case.view import case_view
from detector.console.context import InContext
from detector.console.http.fields import Id
from detector.console.http.problems import problems
from detector.console.shell.rendering import render

router = APIRouter()


@router.get(
    "/v1/cases/{case_id}",
    operation_id="get_case",
    tags=["cases"],
    responses=problems(401, 403, 404, 422),
)
def get_case(context: InContext, principal: Reads, case_id: Id) -> CaseFile:
    """One case, open or closed, with everything that helps to decide it."""
    zone = pytz.timezone(context.settings.timezone)
    return case_file(context.reader, context.people, context.rules, principal, case_id, zone=zone)


@router.get("/cases/{case_id}", include_in_schema=False)
def case_page(request: Request, context: InContext, principal: Reads, case_id: Id) -> Response:
    """One case."""
    file = get_case(context, principal, case_id)
    assignees = context.people.users.who_may("act")
    running = context.pipeline is not None
    view = case_view(file, principal, context.rules, assignees, context.settings, running)
    return render(request, "case/page.html", view)
