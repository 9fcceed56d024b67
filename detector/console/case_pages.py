"""The pages of the queue and of a case."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from detector.console.case_view import case_view
from detector.console.context import Context, InContext
from detector.console.queue_view import queue_view
from detector.console.reads import Id, QueueQuery, Reading, get_case, list_cases
from detector.console.rendering import render
from detector.console.security import Person

router = APIRouter(include_in_schema=False)


def _people(context: Context) -> list[str]:
    """Who may be given a case."""
    return [
        user.username
        for user in context.desk.staff.users()
        if not user.disabled and Person(user.username, user.role).may("act")
    ]


@router.get("/cases")
def queue_page(
    request: Request, context: InContext, person: Reading, query: Annotated[QueueQuery, Query()]
) -> Response:
    """The case queue."""
    view = queue_view(
        list_cases(context, person, query),
        query,
        context.rules,
        _people(context),
        person.may("act"),
        context.settings.four_eyes,
        query.cursor,
    )
    return render(request, "queue.html", view)


@router.get("/cases/{case_id}")
def case_page(request: Request, context: InContext, person: Reading, case_id: Id) -> Response:
    """One case."""
    file = get_case(context, person, case_id)
    view = case_view(file, person, context.rules, _people(context), context.settings.four_eyes)
    return render(request, "case.html", view)
