"""The page of the patterns, also as JSON."""

from fastapi import APIRouter, Request, Response

from detector.console.access.permissions import Reads
from detector.console.context import InContext
from detector.console.http.problems import problems
from detector.console.patterns.model import Patterns, patterns
from detector.console.patterns.view import PatternsPage
from detector.console.shell.rendering import render

router = APIRouter()


@router.get("/v1/patterns", operation_id="patterns", tags=["signals"], responses=problems(401, 403))
def get_patterns(context: InContext, _: Reads) -> Patterns:
    """Every pattern: its rule, frequency, precision and time to detect."""
    return patterns(context)


@router.get("/patterns", include_in_schema=False)
def patterns_page(request: Request, context: InContext, principal: Reads) -> Response:
    """Every pattern: its rule, frequency, precision and time to detect."""
    leads = principal.may("approve")
    may_change = leads and context.pipeline is not None
    page = PatternsPage(patterns(context), leads, may_change, context.settings.four_eyes)
    return render(request, "patterns/page.html", page)
