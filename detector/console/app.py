"""The web application: every route in one list, every guard in one place."""

from fastapi import FastAPI

from detector.console import assets, pages, problems, security, signin
from detector.console.context import Context


def build_app(context: Context) -> FastAPI:
    """Put the console together; nothing listens yet."""
    app = FastAPI(
        title="Fraud Operations Centre",
        version="1",
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
    )
    app.state.context = context
    problems.install(app)
    security.install(app, context)
    app.include_router(assets.router)
    app.include_router(pages.router)
    app.include_router(signin.router)
    return app
