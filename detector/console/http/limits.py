"""Limits of requests: bodies that are too long or too slow are refused with a problem document.

FastAPI's own limit answers in plain text.
"""

import asyncio
from contextlib import suppress

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from detector.console.http.problems import answer

BODY_WITHIN_S = 30


class BodyLimit:
    """Refuses bodies longer than `limit` bytes, or than `limits` says for a path, with 413.

    Those that take longer than `BODY_WITHIN_S` to arrive are refused with 408.
    """

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
        patience = asyncio.get_running_loop().time() + BODY_WITHIN_S
        complete = False
        refusal: Response | None = None

        async def limited() -> Message:
            nonlocal read, complete, refusal
            if complete:
                return await receive()  # waits for the client to go away
            try:
                async with asyncio.timeout_at(patience):
                    message = await receive()
            except TimeoutError:
                refusal = answer(408, f"The body did not arrive within {BODY_WITHIN_S} s.")
                refusal.headers["Connection"] = "close"
                raise _Refused from None
            complete = not message.get("more_body", False)
            read += len(message.get("body", b""))
            if read > limit:
                refusal = answer(413, _too_long(limit))
                raise _Refused
            return message

        async def answered(message: Message) -> None:
            if refusal is None:
                await send(message)

        # What reads the body may turn the exception into an answer of its own, which is dropped.
        with suppress(_Refused):
            await self._app(scope, limited, answered)
        if refusal is not None:
            await refusal(scope, receive, send)


class _Refused(Exception):
    """The rest of a body is not read."""


def _too_long(limit: int) -> str:
    return f"The body is too large; at most {limit} bytes are read here."
