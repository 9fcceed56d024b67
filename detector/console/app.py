"""The web application: every route in one list, every guard in one place."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from detector.console import (
    actions,
    assets,
    back_office,
    case_pages,
    intake,
    pages,
    party_pages,
    people,
    problems,
    questions,
    reads,
    security,
    signin,
    smr,
    snoozes,
    stream,
    trail,
)
from detector.console.context import Context
from detector.console.limits import BodyLimit
from detector.console.rendering import error_page

# Of two paths that fit, the first counts: /v1/cases/actions is no case.
# In the order in which they are tried: decisions first, they are in a hurry.
ROUTERS = [
    intake.router,
    assets.router,
    signin.router,
    actions.router,
    pages.router,
    back_office.router,
    reads.router,
    questions.router,
    case_pages.router,
    party_pages.router,
    stream.router,
    snoozes.router,
    smr.router,
    trail.router,
    people.router,
]
MOST_BYTES = 1 << 20


def build_app(context: Context) -> FastAPI:
    """Put the console together; nothing listens yet."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with context.hub.running():
            yield

    app = FastAPI(
        title="Fraud Operations Centre",
        version="1",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.context = context
    app.state.routes = [route for router in ROUTERS for route in router.routes]
    problems.install(app, error_page)
    app.add_middleware(BodyLimit, limit=MOST_BYTES, limits={"/v1/events": intake.MOST_BYTES})
    security.install(app, context)
    for router in ROUTERS:
        app.include_router(router)
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]
    return app


def _openapi(app: FastAPI) -> dict[str, Any]:
    if app.openapi_schema is None:
        document = get_openapi(title=app.title, version=app.version, routes=app.routes)
        components = document.setdefault("components", {})
        components["securitySchemes"] = security.schemes()
        components.setdefault("schemas", {}).update(problems.schemas() | intake.schemas())
        # Any of them will do, unless an operation says that it needs none.
        document["security"] = [{name: []} for name in security.schemes()]
        app.openapi_schema = document
    return app.openapi_schema
