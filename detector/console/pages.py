"""The pages of the shell: what is shown, each with its JSON twin from the same function."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from detector.console.context import InContext
from detector.console.overview import Overview, OverviewPage, overview
from detector.console.patterns import Patterns, PatternsPage, patterns
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


@router.get("/v1/patterns", operation_id="patterns", tags=["signals"], responses=problems(401, 403))
def patterns_twin(context: InContext, _: Reading) -> Patterns:
    """Every pattern: its rule, how often it fires, how right it is and how soon."""
    return patterns(context)


@router.get("/patterns", include_in_schema=False)
def patterns_page(request: Request, context: InContext, _: Reading) -> Response:
    """What the system looks for."""
    return render(request, "patterns.html", PatternsPage(patterns(context)))
