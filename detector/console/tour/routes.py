"""The guided tour of the console: what `fraud demo` shows in a terminal."""

from dataclasses import dataclass

from fastapi import APIRouter, Request, Response

from detector.analysis.tour import Scene, played
from detector.console.access.permissions import Reads
from detector.console.context import InContext
from detector.console.shell.rendering import render

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class TourPage:
    """Everything tour/page.html may use."""

    scenes: list[Scene]
    nav: str = ""
    title: str = "Tour"


@router.get("/tour")
def tour_page(request: Request, context: InContext, _: Reads) -> Response:
    """One account takeover, second by second."""
    return render(request, "tour/page.html", TourPage(list(played(context.rules))))
