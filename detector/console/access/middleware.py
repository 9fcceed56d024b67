"""Middleware in front of all routes: host names, sessions and security headers."""

import hmac
from contextlib import suppress
from urllib.parse import parse_qs

from starlette.datastructures import MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from detector.console.access.sessions import COOKIE, Session, SessionKeeper
from detector.console.http import problems
from detector.console.http.hosts import host_name, is_address, is_loopback
from detector.console.settings import ConsoleSettings

DEMO_TOKEN = "demo"
"""The parameter of the first URL that signs in to the demo."""
SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_RAW_HEADERS = [(k.lower().encode(), v.encode()) for k, v in _HEADERS.items()]
_FORWARDED = {
    b"forwarded", b"via", b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-proto",
    b"x-real-ip",
}  # fmt: skip
"""Headers of which every proxy sends at least one."""


class AccessMiddleware:
    """Pure ASGI, because some of the requests behind it must be answered in milliseconds.

    Refuses unknown host names, against DNS rebinding. Puts `principal`, `csrf` and `session` into
    the request's state where the session is valid. In the demo, visitors on this machine get a
    session.
    """

    def __init__(self, app: ASGIApp, sessions: SessionKeeper, settings: ConsoleSettings) -> None:
        self._app = app
        self._sessions = sessions
        self._hosts = {"localhost", settings.host.lower(), *map(str.lower, settings.hosts)}
        self._demo = settings.demo and is_loopback(settings.host)
        self._token = settings.demo_token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers: dict[bytes, bytes] = dict(scope["headers"])
        host = host_name(headers.get(b"host", b"").decode("latin-1"))
        given: Session | None = None

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                message.setdefault("headers", [])
                sent = MutableHeaders(scope=message)
                sent.raw.extend(_RAW_HEADERS)
                if "cache-control" not in sent:
                    sent["Cache-Control"] = "no-store"
                if given is not None and "set-cookie" not in sent:
                    sent["Set-Cookie"] = cookie(given.token, scope["scheme"])
            await send(message)

        if host not in self._hosts and not is_address(host):
            refusal = problems.answer(
                421,
                f"This console does not answer to the host name {host!r}. Open it by its address, "
                "or add the name to CONSOLE_HOSTS.",
            )
            await refusal(scope, receive, answer)
            return
        session = self._session(headers)
        if session is None and self._demo and self._may_join_demo(scope, headers, host):
            with suppress(KeyError):
                session = given = self._sessions.demo_session()
        if given is not None and self._token and _wants_page(headers):
            # The token neither stays in the address bar nor in bookmarks.
            redirect = RedirectResponse(scope["path"], 303)
            await redirect(scope, receive, answer)
            return
        state = scope.setdefault("state", {})
        if session is not None:
            state.update(principal=session.principal, csrf=session.csrf, session=session)
        await self._app(scope, receive, answer)

    def _session(self, headers: dict[bytes, bytes]) -> Session | None:
        sent = headers.get(b"cookie")
        if sent is None or COOKIE.encode() not in sent:
            return None
        token = cookie_parser(sent.decode("latin-1")).get(COOKIE)
        return self._sessions.session(token) if token else None

    def _may_join_demo(self, scope: Scope, headers: dict[bytes, bytes], host: str) -> bool:
        """Whether the demo may sign this visitor in: loopback to loopback, without a proxy."""
        client = scope.get("client")
        return (
            scope["method"] in SAFE_METHODS
            and not scope["path"].startswith("/static/")
            and client is not None
            and is_loopback(client[0])
            and is_loopback(host)
            and not _FORWARDED & headers.keys()
            and (not self._token or self._has_token(scope))
        )

    def _has_token(self, scope: Scope) -> bool:
        """Whether the URL has the token that was printed: other users of the machine lack it."""
        given = parse_qs(scope["query_string"].decode("latin-1")).get(DEMO_TOKEN, [""])[0]
        return hmac.compare_digest(given.encode(), self._token.encode())


def _wants_page(headers: dict[bytes, bytes]) -> bool:
    return b"text/html" in headers.get(b"accept", b"")


def cookie(token: str, scheme: str, seconds: int | None = None, name: str = COOKIE) -> str:
    """The Set-Cookie header of a session; without `seconds` a session cookie of the browser."""
    parts = [f"{name}={token}", "Path=/", "HttpOnly", "SameSite=Strict"]
    if scheme == "https":
        parts.append("Secure")
    if seconds is not None:
        parts.append(f"Max-Age={seconds}")
    return "; ".join(parts)
