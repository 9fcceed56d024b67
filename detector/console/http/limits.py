"""Size limits: longer bodies are refused before they are read, with a problem document.

FastAPI's own limit answers in plain text.
"""

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from detector.console.http.problems import ProblemError, answer


class BodyLimit:
    """Refuses bodies longer than `limit` bytes, or than `limits` says for a path, with 413."""

    def __init__(self, app: ASGIApp, limit: int, limits: dict[str, int]) -> None:
        self._app, self._limit, self._limits = app, limit, limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        limit = self._limits.get(scope["path"], self._limit)
        announced = Headers(scope=scope).get("content-length", "0")
        if announced.isdecimal() and int(announced) > limit:
            refused = answer(413, _too_long(limit))
            return await refused(scope, receive, send)
        read = 0

        async def counted() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > limit:
                raise ProblemError(413, _too_long(limit))
            return message

        await self._app(scope, counted, send)


def _too_long(limit: int) -> str:
    return f"The body is too large; at most {limit} bytes are read here."
