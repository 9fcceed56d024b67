"""The first screen, also as JSON."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from detector.console.access.permissions import Reads
from detector.console.context import InContext
from detector.console.http.fields import Moment
from detector.console.http.problems import problems
from detector.console.overview.chart import hour_chart
from detector.console.overview.model import Overview, counts_until, overview
from detector.console.overview.view import SPANS, OverviewPage, Span
from detector.console.queries.minutes import HOUR
from detector.console.shell.rendering import render

router = APIRouter()


@router.get("/v1/overview", operation_id="overview", tags=["live"], responses=problems(401, 403))
def get_overview(context: InContext, _: Reads) -> Overview:
    """The content of the overview."""
    return overview(context)


@router.get("/", include_in_schema=False)
def overview_page(
    request: Request,
    context: InContext,
    _: Reads,
    span: Annotated[Span, Query(alias="range")] = "1h",
    until: Moment | None = None,
) -> Response:
    """The overview; the chart over a longer range, or the hour until a time."""
    now, step = overview(context), SPANS[span] / HOUR
    shown = now.minutes
    if until is not None or span != "1h":
        shown = counts_until(context, until or now.pulse.watermark or now.pulse.at, step)
    page = OverviewPage(now, hour_chart(shown, context.rules, step), span=span, until=until)
    return render(request, "overview/page.html", page)
