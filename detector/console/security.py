"""Who asks, and what they may do: the dependency that every route names."""

import hmac
from collections.abc import Awaitable, Callable
from html import escape
from typing import Any
from urllib.parse import quote

from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from detector.cases.people import PERMISSIONS, Permission, Person, Role
from detector.console.context import Context, context_of
from detector.console.guard import SAFE_METHODS, Guard
from detector.console.problems import ProblemError
from detector.console.sessions import COOKIE, Session

__all__ = [
    "PERMISSIONS",
    "Permission",
    "Person",
    "Role",
    "install",
    "require",
    "schemes",
    "signed_in",
]

_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


class GoElsewhere(Exception):
    """The browser has to pass another page first."""

    def __init__(self, page: str) -> None:
        super().__init__(page)
        self.page = page


def require(permission: Permission) -> Callable[[Request], Awaitable[Person]]:
    """A dependency that gives the person or machine who asks, if they may do this.

    Otherwise a problem: 401 without a session or good key, 403 without the permission, with a
    missing or foreign CSRF token, or before a one-time password was changed. Pages send the
    browser to sign in instead. Safe in front of fast routes: nothing here leaves memory.
    """

    async def allowed(request: Request) -> Person:
        authorization = request.headers.get("authorization")
        if authorization is not None:
            person = context_of(request).gate.machine(authorization)
            if person is None:
                raise _unknown("The API key is not known, or was revoked.")
        else:
            person = await signed_in(request)
            session: Session | None = getattr(request.state, "session", None)
            if session is not None and session.must_change:
                if _is_page(request):
                    raise GoElsewhere("/password")
                raise ProblemError(403, "Change your one-time password first, at /password.")
        if not person.may(permission):
            raise ProblemError(
                403, f"{person.name} is {_a(person.role)}, who may not do this ({permission})."
            )
        return person

    return allowed


async def signed_in(request: Request) -> Person:
    """A dependency that gives the person of the session, whatever they may do."""
    person: Person | None = getattr(request.state, "person", None)
    if person is None:
        if _is_page(request):
            raise GoElsewhere(f"/login?next={quote(_target(request), safe='/')}")
        raise _unknown("Sign in at /login, or send an API key: Authorization: Bearer fk_…")
    if request.method not in SAFE_METHODS:
        await _check_csrf(request)
    return person


def install(app: FastAPI, context: Context) -> None:
    """Put the guard in front of the app, and pages to pass in front of its pages."""
    app.add_middleware(Guard, gate=context.gate, settings=context.settings)

    @app.exception_handler(GoElsewhere)
    async def _elsewhere(request: Request, error: GoElsewhere) -> Response:
        if request.headers.get("sec-fetch-site") == "cross-site":
            # A link from elsewhere comes without the strict cookie; coming again from here has it.
            refresh = f'<meta http-equiv="refresh" content="0;url={escape(_target(request))}">'
            return HTMLResponse(f"<!doctype html>{refresh}")
        return RedirectResponse(error.page, 303)


def schemes() -> dict[str, Any]:
    """How one comes in, as OpenAPI says it."""
    return {
        "session": {"type": "apiKey", "in": "cookie", "name": COOKIE},
        "key": {"type": "http", "scheme": "bearer", "description": "fk_<id>_<secret>"},
    }


async def _check_csrf(request: Request) -> None:
    sent = request.headers.get("x-csrf-token")
    if sent is None and request.headers.get("content-type", "").startswith(_FORMS):
        field = (await request.form()).get("csrf_token")
        sent = field if isinstance(field, str) else None
    expected: str = getattr(request.state, "csrf", "")
    if not expected or not hmac.compare_digest((sent or "").encode(), expected.encode()):
        raise ProblemError(
            403,
            "The header X-CSRF-Token is missing or of another session; send the token that "
            "signing in answered with, or load the page again.",
        )


def _is_page(request: Request) -> bool:
    return request.method in SAFE_METHODS and not request.url.path.startswith("/v1/")


def _target(request: Request) -> str:
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")


def _unknown(detail: str) -> ProblemError:
    return ProblemError(401, detail, {"WWW-Authenticate": "Bearer"})


def _a(role: Role) -> str:
    return f"an {role}" if role[0] in "a" else f"a {role}"
