"""The list of signals, also as JSON."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from detector.console.access.permissions import Reads
from detector.console.context import InContext
from detector.console.http.problems import problems
from detector.console.http.spreadsheet import MOST_EXPORTED, csv_answers, csv_file
from detector.console.queries.signals import SignalRow
from detector.console.shell.rendering import render
from detector.console.signals.model import SignalFilters, SignalQuery, SignalsPage, signals_page
from detector.console.signals.view import signals_view

router = APIRouter()


@router.get(
    "/v1/signals", operation_id="list_signals", tags=["signals"], responses=problems(401, 403, 422)
)
def list_signals(
    context: InContext, _: Reads, query: Annotated[SignalQuery, Query()]
) -> SignalsPage:
    """The signals, newest first."""
    return signals_page(context.reader, query, query.cursor, query.limit)


@router.get(
    "/v1/signals.csv",
    operation_id="export_signals",
    tags=["signals"],
    responses=csv_answers(401, 403, 422),
    response_class=Response,
)
def export_signals(
    context: InContext, principal: Reads, filters: Annotated[SignalFilters, Query()]
) -> Response:
    """The signals as filtered, newest first, as CSV; the export is in the audit log."""
    found = signals_page(context.reader, filters, limit=MOST_EXPORTED).signals
    asked = filters.model_dump(mode="json", exclude_defaults=True)
    detail = {"signals": len(found), "filters": asked}
    context.people.audit.exported(principal, "signals", "signals", detail)
    return csv_file("signals", SignalRow, found)


@router.get("/signals", include_in_schema=False)
def show_signals(
    request: Request, context: InContext, principal: Reads, query: Annotated[SignalQuery, Query()]
) -> Response:
    """The signals, newest first."""
    page = list_signals(context, principal, query)
    view = signals_view(page, query, list(context.rules.patterns))
    return render(request, "signals/page.html", view)
