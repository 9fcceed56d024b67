"""The first screen, also as JSON."""

from fastapi import APIRouter, Request, Response

from detector.console.access.permissions import Reads
from detector.console.context import InContext
from detector.console.http.problems import problems
from detector.console.overview.chart import hour_chart
from detector.console.overview.model import Overview, overview
from detector.console.overview.view import OverviewPage
from detector.console.shell.rendering import render

router = APIRouter()


@router.get("/v1/overview", operation_id="overview", tags=["live"], responses=problems(401, 403))
def get_overview(context: InContext, _: Reads) -> Overview:
    """The content of the overview."""
    return overview(context)


@router.get("/", include_in_schema=False)
def overview_page(request: Request, context: InContext, _: Reads) -> Response:
    """The overview."""
    now = overview(context)
    page = OverviewPage(now, hour_chart(now.minutes, context.rules))
    return render(request, "overview/page.html", page)
