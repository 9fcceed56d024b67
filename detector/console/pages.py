"""The pages of the shell: what is shown, each with its JSON twin from the same function."""

from fastapi import APIRouter, Request, Response

from detector.console.context import InContext
from detector.console.overview import overview
from detector.console.rendering import render

router = APIRouter()


@router.get("/", include_in_schema=False)
def overview_page(request: Request, context: InContext) -> Response:
    """The first screen."""
    return render(request, "overview.html", overview(context))
