"""Sign-in, sign-out and changing one's own password, for browsers and for programs."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, TypeVar

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, ConfigDict, Field

from detector.cases.fields import Username
from detector.cases.principals import Principal, Role
from detector.console.access.middleware import cookie
from detector.console.access.permissions import SignedIn
from detector.console.access.sessions import DEVICE_COOKIE, Caller, Session, TooManyAttempts
from detector.console.context import Context, InContext
from detector.console.http.fields import MIN_PASSWORD, NewPassword, Password
from detector.console.http.hosts import same_origin
from detector.console.http.problems import ProblemError, problems
from detector.console.shell.rendering import render

router = APIRouter(tags=["session"])
# Each hash takes 64 MiB and a core for a moment, so few run, and few wait for their turn.
_hashing = CapacityLimiter(2)
_MOST_WAITING = 8
_WRONG = "Name or password is wrong."
_MAX_FIELD = 256
_A_YEAR_S = 365 * 24 * 3600
T = TypeVar("T")


class Credentials(BaseModel):
    """A user name and password."""

    model_config = ConfigDict(extra="forbid")

    username: Username = Field(examples=["kim"])
    password: Password = Field(examples=["correct horse battery"])


class PasswordChange(BaseModel):
    """The current password and the new one."""

    model_config = ConfigDict(extra="forbid")

    current: Password = Field(examples=["correct horse battery"])
    new: NewPassword = Field(examples=["staple correct horse"])


class WhoAmI(BaseModel):
    """The signed-in user; unsafe requests with the session cookie must also send the token."""

    name: str
    role: Role
    csrf_token: str = Field(description="Send it as X-CSRF-Token.")
    must_change_password: bool


@dataclass(frozen=True, slots=True)
class LoginPage:
    """Everything signin/login.html may use."""

    next: str
    username: str = ""
    error: str = ""
    demo: bool = False
    provider: bool = False
    title: str = "Sign in"
    nav: str = ""


@dataclass(frozen=True, slots=True)
class PasswordPage:
    """Everything signin/password.html may use."""

    must_change: bool
    error: str = ""
    title: str = "Change password"
    nav: str = ""
    min_length: int = MIN_PASSWORD


@router.post(
    "/v1/session",
    operation_id="sign_in",
    responses=problems(400, 401, 403, 422, 429),
    openapi_extra={"security": []},
)
async def sign_in(
    request: Request, response: Response, context: InContext, credentials: Credentials
) -> WhoAmI:
    """Sign in; the answer sets the session cookie."""
    _check_origin(request)
    session = await _sign_in(request, context, credentials.username, credentials.password)
    if session is None:
        raise ProblemError(401, _WRONG)
    set_cookies(request, response, context, session)
    return _who(session)


@router.get("/v1/session", operation_id="who_am_i", responses=problems(401))
async def who_am_i(request: Request, principal: SignedIn) -> WhoAmI:
    """The user of the session cookie."""
    return _who(request.state.session)


@router.delete(
    "/v1/session", operation_id="sign_out", status_code=204, responses=problems(401, 403)
)
def sign_out(context: InContext, principal: SignedIn) -> None:
    """End all sessions of the user."""
    context.sessions.sign_out(principal)


@router.put(
    "/v1/session/password",
    operation_id="change_password",
    responses=problems(400, 401, 403, 409, 422, 429),
)
async def change_password(
    request: Request,
    response: Response,
    context: InContext,
    principal: SignedIn,
    change: PasswordChange,
) -> WhoAmI:
    """Change the password; other sessions end, the answer sets the cookie of a new one."""
    session, error = await _change(request, context, principal, change.current, change.new)
    if session is None:
        raise ProblemError(409, error)
    response.headers["Set-Cookie"] = cookie(session.token, request.url.scheme)
    return _who(session)


@router.get("/login", include_in_schema=False)
def login_page(request: Request, context: InContext, next: str = "/") -> Response:
    """The sign-in form; a signed-in user is redirected to `next`."""
    if getattr(request.state, "principal", None) is not None:
        return RedirectResponse(local(next), 303)
    page = LoginPage(local(next), demo=context.settings.demo, provider=context.oidc is not None)
    return render(request, "signin/login.html", page)


@router.post("/login", include_in_schema=False)
async def login(
    request: Request,
    context: InContext,
    username: Annotated[str, Form(max_length=_MAX_FIELD)] = "",
    password: Annotated[str, Form(max_length=_MAX_FIELD)] = "",
    next: Annotated[str, Form(max_length=2000)] = "/",
) -> Response:
    """Sign in and redirect to `next`."""
    _check_origin(request)
    error, status = _WRONG, 401
    try:
        session = await _sign_in(request, context, username, password)
    except ProblemError as problem:
        session, error, status = None, problem.detail, problem.status
    if session is None:
        page = LoginPage(local(next), username, error, provider=context.oidc is not None)
        return render(request, "signin/login.html", page, status)
    answer = _onward(request, session, "/password" if session.must_change else local(next))
    set_cookies(request, answer, context, session)
    return answer


@router.post("/logout", include_in_schema=False)
def logout(request: Request, context: InContext, principal: SignedIn) -> Response:
    """End all sessions of the user and show the sign-in form."""
    context.sessions.sign_out(principal)
    answer = RedirectResponse("/login", 303)
    answer.headers["Set-Cookie"] = cookie("", request.url.scheme, 0)
    return answer


@router.post("/demo", include_in_schema=False)
def switch_demo_user(
    request: Request,
    context: InContext,
    principal: SignedIn,
    username: Annotated[str, Form(max_length=_MAX_FIELD)] = "",
    next: Annotated[str, Form(max_length=2000)] = "/",
) -> Response:
    """Continue as the other user of the demo."""
    try:
        session = context.sessions.demo_session(username)
    except KeyError as error:
        raise ProblemError(404, f"There is no demo user {username!r}.") from error
    return _onward(request, session, local(next))


@router.get("/password", include_in_schema=False)
def password_page(request: Request, principal: SignedIn) -> Response:
    """The form to change the password."""
    return render(request, "signin/password.html", PasswordPage(_must_change(request)))


@router.post("/password", include_in_schema=False)
async def password(
    request: Request,
    context: InContext,
    principal: SignedIn,
    current: Annotated[str, Form(max_length=_MAX_FIELD)] = "",
    new: Annotated[str, Form(max_length=_MAX_FIELD)] = "",
    repeat: Annotated[str, Form(max_length=_MAX_FIELD)] = "",
) -> Response:
    """Change the password and redirect to the first page."""
    session, status = None, 422
    if new != repeat:
        error = "The two new passwords differ."
    elif len(new) < MIN_PASSWORD:
        error = f"The new password has {len(new)} characters; it needs at least {MIN_PASSWORD}."
    else:
        try:
            session, error = await _change(request, context, principal, current, new)
        except ProblemError as problem:
            error, status = problem.detail, problem.status
    if session is None:
        page = PasswordPage(_must_change(request), error)
        return render(request, "signin/password.html", page, status)
    return _onward(request, session, "/")


def local(path: str) -> str:
    """A path of this console; anything that leads elsewhere becomes the first page."""
    plain = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if plain else "/"


async def _sign_in(
    request: Request, context: Context, username: str, password: str
) -> Session | None:
    return await _hashed(context.sessions.sign_in, username, password, _caller(request))


async def _hashed(work: Callable[..., T], *arguments: object) -> T:
    """Run something that hashes a password, if few others are waiting to."""
    if _hashing.statistics().tasks_waiting >= _MOST_WAITING:
        raise ProblemError(429, "Too many sign-ins at once; try again.", {"Retry-After": "1"})
    try:
        return await to_thread.run_sync(work, *arguments, limiter=_hashing)
    except TooManyAttempts as error:
        raise ProblemError(429, str(error), {"Retry-After": str(error.retry_after)}) from error


def _caller(request: Request) -> Caller:
    address = request.client.host if request.client else ""
    return Caller(address, request.cookies.get(DEVICE_COOKIE))


def set_cookies(request: Request, answer: Response, context: Context, session: Session) -> None:
    """The session's cookie, and one that tells the browser from others who try the same name."""
    scheme, device = request.url.scheme, context.sessions.device(session.principal.name)
    answer.headers["Set-Cookie"] = cookie(session.token, scheme)
    answer.headers.append("Set-Cookie", cookie(device, scheme, _A_YEAR_S, DEVICE_COOKIE))


async def _change(
    request: Request, context: Context, principal: Principal, current: str, new: str
) -> tuple[Session | None, str]:
    """The new session, or the error."""

    def work() -> tuple[Session | None, str]:
        if not context.sessions.password_matches(principal.name, current, _caller(request)):
            return None, "The current password is wrong."
        if new == current:
            return None, "The new password must differ from the current one."
        return context.sessions.change_password(principal.name, new), ""

    return await _hashed(work)


def _check_origin(request: Request) -> None:
    """Refuse sign-in requests from pages of other sites."""
    if not same_origin(request.headers.get("origin"), request.headers.get("host")):
        raise ProblemError(403, "Sign-in is possible only from this console's own pages.")


def _must_change(request: Request) -> bool:
    session: Session | None = getattr(request.state, "session", None)
    return session is not None and session.must_change


def _who(session: Session) -> WhoAmI:
    return WhoAmI(
        name=session.principal.name,
        role=session.principal.role,
        csrf_token=session.csrf,
        must_change_password=session.must_change,
    )


def _onward(request: Request, session: Session, page: str) -> Response:
    answer = RedirectResponse(page, 303)
    answer.headers["Set-Cookie"] = cookie(session.token, request.url.scheme)
    return answer
