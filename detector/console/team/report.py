"""The report of a period, as JSON and as a page to print."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse
from pydantic import AwareDatetime

from detector.adapters.duckdb.store import DuckDBStore
from detector.adapters.people.store import utc_now
from detector.analysis.digest import page
from detector.analysis.report import report
from detector.console.access.permissions import Audits
from detector.console.context import Context, InContext
from detector.console.http.problems import ProblemError, problems
from detector.core.data import JsonObject

router = APIRouter(tags=["cases"])
Moment = Annotated[AwareDatetime | None, Query()]
WEEK = timedelta(days=7)
FIRST, LAST = datetime(1900, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


@router.get("/v1/report", operation_id="report", responses=problems(401, 403, 422, 503))
def get_report(
    context: InContext, _: Audits, since: Moment = None, until: Moment = None
) -> dict[str, Any]:
    """What the rules found, missed, cost and saved; by default in the last seven days."""
    return _report(context, since, until)


@router.get("/team/report", include_in_schema=False)
def report_page(context: InContext, _: Audits) -> HTMLResponse:
    """The last seven days, to print or to send."""
    return HTMLResponse(page(_report(context, None, None), context.rules))


def _report(context: Context, since: datetime | None, until: datetime | None) -> JsonObject:
    if not isinstance(context.reader, DuckDBStore):
        raise ProblemError(503, "This console shows a cluster; its decisions are in another place.")
    end = until or utc_now()
    start = since or (end - WEEK if end > FIRST else end)
    if not FIRST <= start < end <= LAST:
        raise ProblemError(
            422, f"since must be before until, both between {FIRST.year} and {LAST.year}."
        )
    return report(context.reader, context.rules, start, end)
