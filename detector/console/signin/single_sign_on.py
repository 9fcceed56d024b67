"""The way to the bank's identity provider and back."""

from anyio import to_thread
from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from markupsafe import escape

from detector.console.access.oidc import MINUTES, STATE_COOKIE, OidcRefused
from detector.console.context import InContext
from detector.console.http.problems import ProblemError
from detector.console.shell.rendering import render
from detector.console.signin.routes import LoginPage, local, set_cookies

router = APIRouter()


@router.get("/login/oidc", include_in_schema=False)
async def login_elsewhere(request: Request, context: InContext, next: str = "/") -> Response:
    """Go to the bank's identity provider."""
    if context.oidc is None:
        raise ProblemError(404, "No identity provider is set: CONSOLE_OIDC_ISSUER.")
    try:
        url, state = await context.oidc.start(_callback(request), local(next))
    except OidcRefused as error:
        raise ProblemError(502, str(error)) from error
    answer = RedirectResponse(url, 303)
    # Lax, as the way back comes from another site.
    answer.set_cookie(
        STATE_COOKIE,
        state,
        max_age=MINUTES * 60,
        path="/login",
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )
    return answer


@router.get("/login/oidc/callback", include_in_schema=False)
async def back_from_elsewhere(request: Request, context: InContext) -> Response:
    """Take the provider's answer: a session, or the reason why not."""
    if context.oidc is None:
        raise ProblemError(404, "No identity provider is set: CONSOLE_OIDC_ISSUER.")
    state = request.cookies.get(STATE_COOKIE, "")
    try:
        identity, onward = await context.oidc.finish(_callback(request), str(request.url), state)
        session = await to_thread.run_sync(context.sessions.sign_in_as, identity)
    except OidcRefused as error:
        page = LoginPage("/", error=str(error), provider=True)
        return render(request, "signin/login.html", page, 403)
    # Not a redirect: on the way from another site the browser would keep the strict cookie back.
    refresh = f'<meta http-equiv="refresh" content="0;url={escape(local(onward))}">'
    answer = HTMLResponse(f"<!doctype html>{refresh}")
    set_cookies(request, answer, context, session)
    answer.delete_cookie(STATE_COOKIE, path="/login")
    return answer


def _callback(request: Request) -> str:
    """This console's address, as the browser has it, for the way back."""
    return str(request.url.replace(path="/login/oidc/callback", query=""))
