"""The web application: its routes and middleware."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.middleware.gzip import GZipMiddleware
from fastapi.openapi.utils import get_openapi

from detector.console.access import permissions
from detector.console.admin import routes as admin
from detector.console.api import intake, live, operations, questions
from detector.console.audit import routes as audit
from detector.console.case import actions, smr
from detector.console.case import routes as case
from detector.console.closed import routes as closed
from detector.console.context import Context
from detector.console.explain import routes as explain
from detector.console.http import problems
from detector.console.http.limits import BodyLimit
from detector.console.http.one_state import OneState
from detector.console.lists import routes as lists
from detector.console.overview import routes as overview
from detector.console.party import routes as party
from detector.console.patterns import routes as patterns
from detector.console.patterns import versions
from detector.console.queue import routes as queue
from detector.console.queue import saved
from detector.console.search import routes as search
from detector.console.shell import assets
from detector.console.shell.rendering import error_page
from detector.console.signals import routes as signals
from detector.console.signin import routes as signin
from detector.console.signin import single_sign_on
from detector.console.snoozes import routes as snoozes
from detector.console.team import report
from detector.console.team import routes as team
from detector.console.tour import routes as tour
from detector.core.data import JsonObject

# Tried in this order, decisions first: they have the tightest deadline. Of two matching paths the
# first wins: /v1/cases/actions is not a case.
ROUTERS = [
    intake.router,
    assets.router,
    signin.router,
    single_sign_on.router,
    actions.router,
    overview.router,
    queue.router,
    saved.router,
    closed.router,
    case.router,
    smr.router,
    party.router,
    signals.router,
    explain.router,
    patterns.router,
    versions.router,
    team.router,
    report.router,
    tour.router,
    search.router,
    snoozes.router,
    lists.router,
    audit.router,
    admin.router,
    live.router,
    questions.router,
    operations.router,
]
MOST_BYTES = 1 << 20


def build_app(context: Context) -> FastAPI:
    """Assemble the console; nothing listens yet."""

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
    app.add_middleware(OneState, hold=context.reader.hold)
    app.add_middleware(GZipMiddleware, minimum_size=1000, compresslevel=4)
    permissions.install(app, context.sessions, context.settings)
    for router in ROUTERS:
        app.include_router(router)
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]
    return app


def _openapi(app: FastAPI) -> JsonObject:
    if app.openapi_schema is None:
        document = get_openapi(title=app.title, version=app.version, routes=app.routes)
        components = document.setdefault("components", {})
        components["securitySchemes"] = permissions.schemes()
        components.setdefault("schemas", {}).update(problems.schemas() | intake.schemas())
        # Any scheme will do, except where an operation needs none.
        document["security"] = [{name: []} for name in permissions.schemes()]
        app.openapi_schema = document
    return app.openapi_schema
