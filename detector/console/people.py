"""Who may come in: users and API keys, kept by administrators."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel, ConfigDict, Field

from detector.adapters.staff import ApiKey, User
from detector.cases.people import KeyRole
from detector.console.casework import refusals
from detector.console.context import Context, InContext
from detector.console.passwords import hashed, one_time_password
from detector.console.problems import ProblemError, problems
from detector.console.security import Person, require
from detector.console.texts import USERNAME, Short, Username

router = APIRouter(tags=["people"])
Administers = Annotated[Person, Depends(require("users"))]
HumanRole = Literal["viewer", "analyst", "supervisor", "admin"]
_Name = Annotated[str, Path(pattern=USERNAME, examples=["kim"])]
_KeyId = Annotated[str, Path(pattern=r"^[0-9a-f]{12}$", examples=["0123456789ab"])]


class UserAnswer(BaseModel):
    """Somebody who may sign in, unless disabled."""

    username: str
    role: HumanRole
    disabled: bool
    must_change_password: bool
    created_at: datetime


class NewUser(BaseModel):
    """Somebody to let in."""

    model_config = ConfigDict(extra="forbid")

    username: Username = Field(examples=["kim"])
    role: HumanRole = Field(examples=["analyst"])


class UserChange(BaseModel):
    """What to change; what is left out stays. Every change ends the user's sessions."""

    model_config = ConfigDict(extra="forbid")

    role: HumanRole | None = None
    disabled: bool | None = None
    reset_password: Literal[True] | None = Field(
        None, description="Make a one-time password in place of the user's own."
    )


class WithPassword(BaseModel):
    """A user and, said this once, the one-time password to hand over if one was made."""

    user: UserAnswer
    one_time_password: str | None


class KeyAnswer(BaseModel):
    """A machine's key, without its secret."""

    key_id: str
    name: str
    role: KeyRole
    created_by: str
    created_at: datetime
    revoked_at: datetime | None


class NewKey(BaseModel):
    """A machine to let in."""

    model_config = ConfigDict(extra="forbid")

    name: Short = Field(examples=["payment-gateway"])
    role: KeyRole = Field(
        "machine",
        description="A machine sends events and asks for scores; a viewer reads, as people do.",
    )


class WithSecret(BaseModel):
    """A key and, said this once, all of it."""

    key: KeyAnswer
    secret: str = Field(description="Send it as Authorization: Bearer …", examples=["fk_…"])


class Users(BaseModel):
    """Everybody, by name."""

    users: list[UserAnswer]


class Keys(BaseModel):
    """All keys, oldest first; also those that were revoked."""

    keys: list[KeyAnswer]


@router.get("/v1/users", operation_id="list_users", responses=problems(401, 403))
def list_users(context: InContext, person: Administers) -> Users:
    """Everybody who may, or might once, sign in."""
    return Users(users=[_user(user) for user in context.desk.staff.users()])


@router.post(
    "/v1/users",
    operation_id="add_user",
    status_code=201,
    responses=problems(400, 401, 403, 409, 413, 422),
)
def add_user(context: InContext, person: Administers, body: NewUser) -> WithPassword:
    """Let somebody in, with a one-time password that they change at first sign-in."""
    password = one_time_password()
    with refusals():
        user = context.desk.staff.add_user(
            person, body.username, body.role, hashed(password), must_change=True
        )
    return WithPassword(user=_user(user), one_time_password=password)


@router.patch(
    "/v1/users/{name}",
    operation_id="change_user",
    responses=problems(400, 401, 403, 404, 409, 413, 422),
)
def change_user(
    context: InContext, person: Administers, name: _Name, body: UserChange
) -> WithPassword:
    """Change somebody's role, shut or open their way in, or give them a one-time password."""
    user, password = _known(context, name), None
    with refusals():
        if body.role is not None or body.disabled is not None:
            user = context.desk.staff.change_user(person, name, body.role, body.disabled)
        if body.reset_password:
            password = one_time_password()
            user = context.desk.staff.set_password(person, name, hashed(password), True)
    return WithPassword(user=_user(user), one_time_password=password)


@router.get("/v1/keys", operation_id="list_keys", responses=problems(401, 403))
def list_keys(context: InContext, person: Administers) -> Keys:
    """The keys of machines."""
    return Keys(keys=[_key(key) for key in context.desk.staff.api_keys()])


@router.post(
    "/v1/keys",
    operation_id="add_key",
    status_code=201,
    responses=problems(400, 401, 403, 413, 422),
)
def add_key(context: InContext, person: Administers, body: NewKey) -> WithSecret:
    """Let a machine in, to feed the system or to read from it."""
    key, secret = context.desk.staff.add_key(person, body.name, body.role)
    return WithSecret(key=_key(key), secret=secret)


@router.delete(
    "/v1/keys/{key_id}",
    operation_id="revoke_key",
    status_code=204,
    responses=problems(401, 403, 404, 409, 422),
)
def revoke_key(context: InContext, person: Administers, key_id: _KeyId) -> None:
    """Shut a machine out, from this moment on."""
    if context.desk.staff.key(key_id) is None:
        raise ProblemError(404, f"There is no key {key_id}.")
    with refusals():
        context.desk.staff.revoke_key(person, key_id)


def _known(context: Context, name: str) -> User:
    user = context.desk.staff.user(name)
    if user is None:
        raise ProblemError(404, f"There is no user {name}.")
    return user


def _user(user: User) -> UserAnswer:
    return UserAnswer.model_validate(
        {
            "username": user.username,
            "role": user.role,
            "disabled": user.disabled,
            "must_change_password": user.must_change,
            "created_at": user.created_at,
        }
    )


def _key(key: ApiKey) -> KeyAnswer:
    return KeyAnswer(
        key_id=key.key_id,
        name=key.name,
        role=key.role,
        created_by=key.created_by,
        created_at=key.created_at,
        revoked_at=key.revoked_at,
    )
