"""Authorization: the dependency that every route declares."""

from collections.abc import Awaitable, Callable
from html import escape
from typing import Annotated
from urllib.parse import quote

from fastapi import Depends, FastAPI, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from detector.cases.principals import Permission, Principal
from detector.console.access import csrf
from detector.console.access.middleware import SAFE_METHODS, AccessMiddleware
from detector.console.access.sessions import COOKIE, Session, SessionKeeper
from detector.console.http.problems import ProblemError
from detector.console.settings import ConsoleSettings
from detector.core.data import JsonObject

_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


class Redirect(Exception):
    """Sends the browser to another page first."""

    def __init__(self, page: str) -> None:
        super().__init__(page)
        self.page = page


def require(permission: Permission) -> Callable[[Request], Awaitable[Principal]]:
    """A dependency that returns the principal of the request, if the role has the permission.

    Otherwise a problem: 401 without a valid session or key, 403 without the permission, with a
    missing or foreign CSRF token, or before a one-time password was changed. Pages redirect to
    sign-in instead. Cheap enough for fast routes: everything is in memory.
    """

    async def allowed(request: Request) -> Principal:
        authorization = request.headers.get("authorization")
        if authorization is not None:
            sessions: SessionKeeper = request.app.state.sessions
            principal = sessions.machine(authorization)
            if principal is None:
                raise _unauthenticated("The API key is unknown or revoked.")
        else:
            principal = await signed_in(request)
            session: Session | None = getattr(request.state, "session", None)
            if session is not None and session.must_change:
                if _is_page(request):
                    raise Redirect("/password")
                raise ProblemError(403, "Change your one-time password first, at /password.")
        if not principal.may(permission):
            raise ProblemError(
                403,
                f"{principal.name} has the role {principal.role}, which lacks the permission "
                f"{permission}.",
            )
        return principal

    return allowed


async def signed_in(request: Request) -> Principal:
    """A dependency that returns the principal of the session, whatever its role."""
    principal: Principal | None = getattr(request.state, "principal", None)
    if principal is None:
        if _is_page(request):
            raise Redirect(f"/login?next={quote(_target(request), safe='/')}")
        raise _unauthenticated("Sign in at /login, or send an API key: Authorization: Bearer fk_…")
    if request.method not in SAFE_METHODS:
        await _check_csrf(request)
    return principal


def may_still(request: Request, permission: Permission) -> bool:
    """Whether what authenticated a request when it began is still valid, for long answers."""
    sessions: SessionKeeper = request.app.state.sessions
    authorization = request.headers.get("authorization")
    if authorization is not None:
        principal = sessions.machine(authorization)
    else:
        session = sessions.session(request.state.session.token)
        principal = session.principal if session is not None else None
    return principal is not None and principal.may(permission)


Reads = Annotated[Principal, Depends(require("read"))]
Acts = Annotated[Principal, Depends(require("act"))]
Approves = Annotated[Principal, Depends(require("approve"))]
RollsBack = Annotated[Principal, Depends(require("roll_back"))]
Audits = Annotated[Principal, Depends(require("audit"))]
Administers = Annotated[Principal, Depends(require("users"))]
SignedIn = Annotated[Principal, Depends(signed_in)]


def install(app: FastAPI, sessions: SessionKeeper, settings: ConsoleSettings) -> None:
    """Authenticate every request of the app, and redirect browsers that have to sign in."""
    app.state.sessions = sessions
    app.add_middleware(AccessMiddleware, sessions=sessions, settings=settings)

    @app.exception_handler(Redirect)
    async def _redirect(request: Request, error: Redirect) -> Response:
        if request.headers.get("sec-fetch-site") == "cross-site":
            # A link from another site comes without the strict cookie; a reload from here sends it.
            refresh = f'<meta http-equiv="refresh" content="0;url={escape(_target(request))}">'
            return HTMLResponse(f"<!doctype html>{refresh}")
        return RedirectResponse(error.page, 303)


def schemes() -> JsonObject:
    """The security schemes of the OpenAPI document."""
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
    if not csrf.matches(sent or "", expected):
        raise ProblemError(
            403,
            "The header X-CSRF-Token is missing or of another session; send the token that sign-in "
            "returned, or reload the page.",
        )


def _is_page(request: Request) -> bool:
    return request.method in SAFE_METHODS and not request.url.path.startswith("/v1/")


def _target(request: Request) -> str:
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")


def _unauthenticated(detail: str) -> ProblemError:
    return ProblemError(401, detail, {"WWW-Authenticate": "Bearer"})
