"""Errors as RFC 9457 problem details, for programs and as pages."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.routing import Match, Route

from detector.cases.review import ActionForbidden, ActionRefused
from detector.core.data import JsonObject

MEDIA_TYPE = "application/problem+json"


class Problem(BaseModel):
    """An error: `detail` says what came, what was expected and what to do."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    errors: list[JsonObject] | None = None


class ProblemError(Exception):
    """Raised in a route; becomes a problem document."""

    def __init__(self, status: int, detail: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = headers


@contextmanager
def refusals() -> Iterator[None]:
    """Turn refused actions into problems: 403 for the principal, 409 for the state."""
    try:
        yield
    except ActionForbidden as error:
        raise ProblemError(403, str(error)) from error
    except ActionRefused as error:
        raise ProblemError(409, str(error)) from error


def problems(*statuses: int) -> dict[int | str, JsonObject]:
    """The documented errors of a route, for its `responses`."""
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status in statuses
    }


def answer(
    status: int,
    detail: str,
    errors: list[JsonObject] | None = None,
    headers: dict[str, str] | None = None,
) -> JSONResponse:
    """A problem document as a response."""
    return respond(problem_of(status, detail, errors), headers)


def problem_of(status: int, detail: str, errors: list[JsonObject] | None = None) -> Problem:
    """A problem with the standard title of its status."""
    return Problem(title=HTTPStatus(status).phrase, status=status, detail=detail, errors=errors)


def respond(problem: Problem, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """A problem document as a response."""
    content = problem.model_dump(exclude_none=True)
    return JSONResponse(content, problem.status, headers, MEDIA_TYPE)


def schemas() -> JsonObject:
    """The component that `problems` refers to."""
    return {"Problem": Problem.model_json_schema()}


ErrorPage = Callable[[Request, Problem], Response]


def install(app: FastAPI, page: ErrorPage) -> None:
    """Answer every error of the app with a problem; browsers that accept HTML get `page`."""

    def say(request: Request, problem: Problem, headers: Mapping[str, str] | None) -> Response:
        if not wants_page(request):
            return respond(problem, headers)
        response = page(request, problem)
        response.headers.update(headers or {})
        return response

    @app.exception_handler(ProblemError)
    async def _problem(request: Request, error: ProblemError) -> Response:
        return say(request, problem_of(error.status, error.detail), error.headers)

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> Response:
        detail = str(error.detail)
        if error.status_code == 404 and detail == HTTPStatus.NOT_FOUND.phrase:
            detail = f"There is nothing at {request.url.path}."
        headers = error.headers
        if error.status_code == 405:
            headers = {"Allow": ", ".join(_methods(request))}
            detail = f"{request.method} is not allowed here; allowed: {headers['Allow']}."
        return say(request, problem_of(error.status_code, detail), headers)

    @app.exception_handler(RequestValidationError)
    async def _invalid(request: Request, error: RequestValidationError) -> Response:
        errors = [
            {"field": ".".join(map(str, e["loc"])), "message": e["msg"]} for e in error.errors()
        ]
        said = "; ".join(f"{e['field']}: {e['message']}" for e in errors)
        return say(request, problem_of(422, f"The request is invalid: {said}", errors), None)

    @app.exception_handler(Exception)
    async def _broken(request: Request, _: Exception) -> Response:
        detail = "An internal error occurred; the server's log has the details. Try again."
        return say(request, problem_of(500, detail), None)


def wants_page(request: Request) -> bool:
    """Whether a browser requests a page, rather than a program data."""
    accepts = request.headers.get("accept", "")
    return "text/html" in accepts and not request.url.path.startswith(("/v1/", "/static/"))


def _methods(request: Request) -> list[str]:
    """The allowed methods of the path; the framework gives only those of its first route."""
    routes: list[Route] = request.app.state.routes
    found = [route for route in routes if route.matches(request.scope)[0] is not Match.NONE]
    return sorted({m for r in found if r.path == found[0].path for m in r.methods or ()})
