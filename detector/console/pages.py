"""The pages of the shell: what is shown, each with its JSON twin from the same function."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from detector.console.context import InContext
from detector.console.overview import Overview, OverviewPage, overview
from detector.console.problems import problems
from detector.console.rendering import render
from detector.console.security import Person, require

router = APIRouter()
Reading = Annotated[Person, Depends(require("read"))]


@router.get("/v1/overview", operation_id="overview", tags=["live"], responses=problems(401, 403))
def overview_twin(context: InContext, _: Reading) -> Overview:
    """Everything the first screen shows."""
    return overview(context)


@router.get("/", include_in_schema=False)
def overview_page(request: Request, context: InContext, _: Reading) -> Response:
    """The first screen."""
    return render(request, "overview.html", OverviewPage(overview(context)))
