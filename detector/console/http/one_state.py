"""One state of the store for all queries of a request."""

from collections.abc import Callable

from starlette.types import ASGIApp, Receive, Scope, Send


class OneState:
    """Calls `hold` before a request that only reads: new commits at every query would cost time."""

    def __init__(self, app: ASGIApp, hold: Callable[[], None]) -> None:
        self._app, self._hold = app, hold

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] == "http" and scope["method"] == "GET":
            self._hold()
        await self._app(scope, receive, send)
