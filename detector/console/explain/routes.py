"""Why a signal fired, a case opened or an event raised nothing: a page, also as JSON."""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response

from detector.adapters.duckdb.store import DuckDBStore
from detector.analysis.explain import explain, heading
from detector.console.access.permissions import Reads
from detector.console.context import Context, InContext
from detector.console.http.problems import ProblemError, problems
from detector.console.shell.rendering import render
from detector.core.data import JsonObject
from detector.core.errors import InputError

router = APIRouter()
Id = Annotated[str, Path(max_length=200, description="Of a signal, a case or an event.")]


@dataclass(frozen=True, slots=True)
class ExplainPage:
    """Everything explain/page.html may use."""

    id: str
    found: JsonObject
    nav: str = ""
    title: str = "Why"

    @property
    def heading(self) -> str:
        """What is explained, in a line."""
        return heading(self.found)


@router.get(
    "/v1/explanations/{name:path}",
    operation_id="explain",
    tags=["signals"],
    responses=problems(401, 403, 404, 422, 503),
)
def get_explanation(context: InContext, _: Reads, name: Id) -> dict[str, Any]:
    """What led to a signal or a case, or how far each pattern was from firing at an event.

    As `fraud explain --json` prints it.
    """
    return _explained(context, name)


@router.get("/explain/{name:path}", include_in_schema=False)
def explain_page(request: Request, context: InContext, _: Reads, name: Id) -> Response:
    """The same as a page."""
    page = ExplainPage(name, _explained(context, name))
    return render(request, "explain/page.html", page)


def _explained(context: Context, name: str) -> JsonObject:
    if not isinstance(context.reader, DuckDBStore):
        raise ProblemError(503, "This console shows a cluster, which keeps no state to explain by.")
    try:
        with context.reader.cursor() as db:
            return explain(db, context.rules, name)
    except InputError as error:
        raise ProblemError(404, str(error)) from error
