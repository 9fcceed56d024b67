"""Coming and going: sign-in, sign-out and one's own password, for browsers and for programs."""

from dataclasses import dataclass
from typing import Annotated

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, ConfigDict, Field

from detector.console.context import Context, InContext
from detector.console.guard import cookie
from detector.console.hosts import same_origin
from detector.console.passwords import MIN_LENGTH
from detector.console.problems import ProblemError, problems
from detector.console.rendering import render
from detector.console.security import Person, Role, signed_in
from detector.console.sessions import Session, TooManyAttempts
from detector.console.texts import NewPassword, Password, Username

router = APIRouter(tags=["session"])
SignedIn = Annotated[Person, Depends(signed_in)]
# Each hashing takes 64 MiB and a core for a moment.
_hashing = CapacityLimiter(2)
_WRONG = "This name and password do not fit together."
_MAX_FIELD = 256


class Credentials(BaseModel):
    """Who wants to come in."""

    model_config = ConfigDict(extra="forbid")

    username: Username = Field(examples=["kim"])
    password: Password = Field(examples=["correct horse battery"])


class PasswordChange(BaseModel):
    """One's own password, and the one to replace it."""

    model_config = ConfigDict(extra="forbid")

    current: Password = Field(examples=["correct horse battery"])
    new: NewPassword = Field(examples=["staple correct horse"])


class WhoAmI(BaseModel):
    """Who is signed in; unsafe requests with the session's cookie send the token along."""

    name: str
    role: Role
    csrf_token: str = Field(description="To be sent as X-CSRF-Token.")
    must_change_password: bool


@dataclass(frozen=True, slots=True)
class LoginPage:
    """Everything login.html may use."""

    next: str
    username: str = ""
    error: str = ""
    title: str = "Sign in"
    nav: str = ""


@dataclass(frozen=True, slots=True)
class PasswordPage:
    """Everything password.html may use."""

    must_change: bool
    error: str = ""
    title: str = "Change password"
    nav: str = ""
    min_length: int = MIN_LENGTH


@router.post(
    "/v1/session",
    operation_id="sign_in",
    responses=problems(400, 401, 403, 422, 429),
    openapi_extra={"security": []},
)
async def sign_in(
    request: Request, response: Response, context: InContext, credentials: Credentials
) -> WhoAmI:
    """Sign in; the answer sets the session's cookie."""
    _from_here(request)
    session = await _sign_in(context, credentials.username, credentials.password)
    if session is None:
        raise ProblemError(401, _WRONG)
    response.headers["Set-Cookie"] = cookie(session.token, request.url.scheme)
    return _who(session)


@router.get("/v1/session", operation_id="who_am_i", responses=problems(401))
async def who_am_i(request: Request, person: SignedIn) -> WhoAmI:
    """Who the session's cookie belongs to."""
    return _who(request.state.session)


@router.delete(
    "/v1/session", operation_id="sign_out", status_code=204, responses=problems(401, 403)
)
def sign_out(context: InContext, person: SignedIn) -> None:
    """End all sessions of the person."""
    context.gate.sign_out(person)


@router.put(
    "/v1/session/password",
    operation_id="change_password",
    responses=problems(400, 401, 403, 409, 422, 429),
)
async def change_password(
    request: Request,
    response: Response,
    context: InContext,
    person: SignedIn,
    change: PasswordChange,
) -> WhoAmI:
    """Change one's own password; other sessions end, the answer sets the new one's cookie."""
    session, error = await _change(context, person, change.current, change.new)
    if session is None:
        raise ProblemError(409, error)
    response.headers["Set-Cookie"] = cookie(session.token, request.url.scheme)
    return _who(session)


@router.get("/login", include_in_schema=False)
def login_page(request: Request, next: str = "/") -> Response:
    """The form; whoever is signed in goes on to where they wanted."""
    if getattr(request.state, "person", None) is not None:
        return RedirectResponse(local(next), 303)
    return render(request, "login.html", LoginPage(local(next)))


@router.post("/login", include_in_schema=False)
async def login(
    request: Request,
    context: InContext,
    username: Annotated[str, Form(max_length=_MAX_FIELD)] = "",
    password: Annotated[str, Form(max_length=_MAX_FIELD)] = "",
    next: Annotated[str, Form(max_length=2000)] = "/",
) -> Response:
    """Sign in and go on to where the person wanted."""
    _from_here(request)
    error, status = _WRONG, 401
    try:
        session = await _sign_in(context, username, password)
    except ProblemError as problem:
        session, error, status = None, problem.detail, problem.status
    if session is None:
        return render(request, "login.html", LoginPage(local(next), username, error), status)
    return _onward(request, session, "/password" if session.must_change else local(next))


@router.post("/logout", include_in_schema=False)
def logout(request: Request, context: InContext, person: SignedIn) -> Response:
    """End all sessions of the person and show the form again."""
    context.gate.sign_out(person)
    answer = RedirectResponse("/login", 303)
    answer.headers["Set-Cookie"] = cookie("", request.url.scheme, 0)
    return answer


@router.get("/password", include_in_schema=False)
def password_page(request: Request, person: SignedIn) -> Response:
    """The form for one's own password."""
    return render(request, "password.html", PasswordPage(_must_change(request)))


@router.post("/password", include_in_schema=False)
async def password(
    request: Request,
    context: InContext,
    person: SignedIn,
    current: Annotated[str, Form(max_length=_MAX_FIELD)] = "",
    new: Annotated[str, Form(max_length=_MAX_FIELD)] = "",
    repeat: Annotated[str, Form(max_length=_MAX_FIELD)] = "",
) -> Response:
    """Change one's own password and go to the first page."""
    session, status = None, 422
    if new != repeat:
        error = "The new password and its repetition differ."
    elif len(new) < MIN_LENGTH:
        error = f"The new password has {len(new)} characters; it needs at least {MIN_LENGTH}."
    else:
        try:
            session, error = await _change(context, person, current, new)
        except ProblemError as problem:
            error, status = problem.detail, problem.status
    if session is None:
        page = PasswordPage(_must_change(request), error)
        return render(request, "password.html", page, status)
    return _onward(request, session, "/")


def local(path: str) -> str:
    """A path of this console to go on to; anything that leads elsewhere becomes the first page."""
    plain = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if plain else "/"


async def _sign_in(context: Context, username: str, password: str) -> Session | None:
    try:
        return await to_thread.run_sync(context.gate.sign_in, username, password, limiter=_hashing)
    except TooManyAttempts as error:
        raise _too_many(error) from error


async def _change(
    context: Context, person: Person, current: str, new: str
) -> tuple[Session | None, str]:
    """The new session, or what is wrong."""

    def work() -> tuple[Session | None, str]:
        if not context.gate.password_fits(person.name, current):
            return None, "The current password is not right."
        if new == current:
            return None, "The new password is the current one."
        return context.gate.change_password(person.name, new), ""

    try:
        return await to_thread.run_sync(work, limiter=_hashing)
    except TooManyAttempts as error:
        raise _too_many(error) from error


def _too_many(error: TooManyAttempts) -> ProblemError:
    return ProblemError(429, str(error), {"Retry-After": str(error.retry_after)})


def _from_here(request: Request) -> None:
    """Refuse to sign a browser in for somebody else's page."""
    if not same_origin(request.headers.get("origin"), request.headers.get("host")):
        raise ProblemError(403, "Signing in works from this console's own pages only.")


def _must_change(request: Request) -> bool:
    session: Session | None = getattr(request.state, "session", None)
    return session is not None and session.must_change


def _who(session: Session) -> WhoAmI:
    return WhoAmI(
        name=session.person.name,
        role=session.person.role,
        csrf_token=session.csrf,
        must_change_password=session.must_change,
    )


def _onward(request: Request, session: Session, page: str) -> Response:
    answer = RedirectResponse(page, 303)
    answer.headers["Set-Cookie"] = cookie(session.token, request.url.scheme)
    return answer
