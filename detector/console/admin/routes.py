"""Users and API keys, for administrators: the page and the API."""

from dataclasses import dataclass, field
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from detector.cases.fields import USERNAME
from detector.console.access.passwords import hashed, one_time_password
from detector.console.access.permissions import Administers
from detector.console.admin.model import (
    KeyAnswer,
    Keys,
    NewKey,
    NewUser,
    UserAnswer,
    UserChange,
    Users,
    WithPassword,
    WithSecret,
)
from detector.console.context import InContext
from detector.console.http.problems import ProblemError, problems, refusals
from detector.console.shell.rendering import render

router = APIRouter()
_Username = Annotated[str, Path(pattern=USERNAME, examples=["kim"])]
_KeyId = Annotated[str, Path(pattern=r"^[0-9a-f]{12}$", examples=["0123456789ab"])]
_CHANGE = (400, 401, 403, 404, 409, 413, 422)

ROLES = {
    "viewer": "sees everything except reports and the audit log",
    "analyst": "works cases",
    "supervisor": "works and approves cases, drafts reports, sees the audit log",
    "admin": "manages users and keys, sees the audit log",
}
KEY_ROLES = {
    "machine": "sends events and requests scores",
    "viewer": "reads what a viewer sees",
}


@dataclass(frozen=True, slots=True)
class AdminPage:
    """Everything admin/page.html may use."""

    users: list[UserAnswer]
    keys: list[KeyAnswer]
    me: str
    title: str = "Administration"
    nav: str = "admin"
    roles: dict[str, str] = field(default_factory=lambda: ROLES)
    key_roles: dict[str, str] = field(default_factory=lambda: KEY_ROLES)


@router.get("/v1/users", operation_id="list_users", tags=["people"], responses=problems(401, 403))
def list_users(context: InContext, _: Administers) -> Users:
    """All users, also those who are disabled."""
    return Users(users=[UserAnswer.of(user) for user in context.people.users.all()])


@router.post(
    "/v1/users",
    operation_id="add_user",
    tags=["people"],
    status_code=201,
    responses=problems(400, 401, 403, 409, 413, 422),
)
def add_user(context: InContext, principal: Administers, body: NewUser) -> WithPassword:
    """Add a user with a one-time password, to be changed at the first sign-in."""
    password = one_time_password()
    with refusals():
        user = context.people.users.add(
            principal, body.username, body.role, hashed(password), must_change=True
        )
    return WithPassword(user=UserAnswer.of(user), one_time_password=password)


@router.patch(
    "/v1/users/{name}", operation_id="change_user", tags=["people"], responses=problems(*_CHANGE)
)
def change_user(
    context: InContext, principal: Administers, name: _Username, body: UserChange
) -> WithPassword:
    """Change a user's role, disable or enable them, or reset their password."""
    users = context.people.users
    user, password = users.get(name), None
    if user is None:
        raise ProblemError(404, f"There is no user {name}.")
    with refusals():
        if body.role is not None or body.disabled is not None:
            user = users.change(principal, name, body.role, body.disabled)
        if body.reset_password:
            password = one_time_password()
            user = users.set_password(principal, name, hashed(password), must_change=True)
    return WithPassword(user=UserAnswer.of(user), one_time_password=password)


@router.get("/v1/keys", operation_id="list_keys", tags=["people"], responses=problems(401, 403))
def list_keys(context: InContext, _: Administers) -> Keys:
    """All API keys."""
    return Keys(keys=[KeyAnswer.of(key) for key in context.people.keys.all()])


@router.post(
    "/v1/keys",
    operation_id="add_key",
    tags=["people"],
    status_code=201,
    responses=problems(400, 401, 403, 413, 422),
)
def add_key(context: InContext, principal: Administers, body: NewKey) -> WithSecret:
    """Create a key for a program that sends events or reads."""
    key, secret = context.people.keys.add(principal, body.name, body.role)
    return WithSecret(key=KeyAnswer.of(key), secret=secret)


@router.delete(
    "/v1/keys/{key_id}",
    operation_id="revoke_key",
    tags=["people"],
    status_code=204,
    responses=problems(401, 403, 404, 409, 422),
)
def revoke_key(context: InContext, principal: Administers, key_id: _KeyId) -> None:
    """Revoke a key, effective immediately."""
    if context.people.keys.get(key_id) is None:
        raise ProblemError(404, f"There is no key {key_id}.")
    with refusals():
        context.people.keys.revoke(principal, key_id)


@router.get("/admin", include_in_schema=False)
def admin_page(request: Request, context: InContext, principal: Administers) -> Response:
    """Users and API keys."""
    users, keys = list_users(context, principal).users, list_keys(context, principal).keys
    return render(request, "admin/page.html", AdminPage(users, keys, principal.name))
