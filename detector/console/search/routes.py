"""The search page, also as JSON."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from detector.console.access.permissions import Reads
from detector.console.context import InContext
from detector.console.http.fields import Name
from detector.console.http.problems import problems
from detector.console.search.model import SearchResults, search
from detector.console.shell.rendering import render

router = APIRouter()


@dataclass(frozen=True, slots=True)
class SearchPage:
    """Everything search/page.html may use."""

    found: SearchResults
    nav: str = ""
    title: str = "Search"


@router.get("/v1/search", operation_id="search", tags=["search"], responses=problems(401, 403, 422))
def get_search(
    context: InContext,
    _: Reads,
    q: Annotated[Name, Query(description="An id, or the beginning of a case id.")] = "",
) -> SearchResults:
    """Find what an id belongs to."""
    return search(context.reader, context.people, q)


@router.get("/search", include_in_schema=False)
def search_page(
    request: Request, context: InContext, principal: Reads, q: Annotated[Name, Query()] = ""
) -> Response:
    """The matches of an id; a single match with its own page is opened directly."""
    found = get_search(context, principal, q)
    if len(found.hits) == 1 and found.hits[0].href:
        return RedirectResponse(found.hits[0].href, 303)
    return render(request, "search/page.html", SearchPage(found))
