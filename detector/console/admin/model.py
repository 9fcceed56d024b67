"""Users and API keys as administrators see and change them."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from detector.adapters.people.keys import ApiKey
from detector.adapters.people.users import User
from detector.cases.fields import Username
from detector.cases.principals import KeyRole, UserRole
from detector.console.http.fields import Short


class UserAnswer(BaseModel):
    """A user, who may sign in unless disabled."""

    username: str
    role: UserRole
    disabled: bool
    must_change_password: bool
    created_at: datetime

    @classmethod
    def of(cls, user: User) -> "UserAnswer":
        """The user without the password hash."""
        return cls(
            username=user.username,
            role=user.role,
            disabled=user.disabled,
            must_change_password=user.must_change,
            created_at=user.created_at,
        )


class NewUser(BaseModel):
    """A user to add."""

    model_config = ConfigDict(extra="forbid")

    username: Username = Field(examples=["kim"])
    role: UserRole = Field(examples=["analyst"])


class UserChange(BaseModel):
    """What to change; fields left out stay. Every change ends the user's sessions."""

    model_config = ConfigDict(extra="forbid")

    role: UserRole | None = None
    disabled: bool | None = None
    reset_password: Literal[True] | None = Field(
        None, description="Replace the password with a one-time password."
    )


class WithPassword(BaseModel):
    """A user and, shown only this once, the one-time password to hand over."""

    user: UserAnswer
    one_time_password: str | None


class KeyAnswer(BaseModel):
    """An API key, without its secret."""

    key_id: str
    name: str
    role: KeyRole
    created_by: str
    created_at: datetime
    revoked_at: datetime | None

    @classmethod
    def of(cls, key: ApiKey) -> "KeyAnswer":
        """The key without the digest of its secret."""
        return cls(
            key_id=key.key_id,
            name=key.name,
            role=key.role,
            created_by=key.created_by,
            created_at=key.created_at,
            revoked_at=key.revoked_at,
        )


class NewKey(BaseModel):
    """A key to create."""

    model_config = ConfigDict(extra="forbid")

    name: Short = Field(examples=["payment-gateway"])
    role: KeyRole = Field(
        "machine",
        description="A machine sends events and requests scores; a viewer reads, as people do.",
    )


class WithSecret(BaseModel):
    """A key and, shown only this once, its full value."""

    key: KeyAnswer
    secret: str = Field(description="Send it as Authorization: Bearer …", examples=["fk_…"])


class Users(BaseModel):
    """All users, by name."""

    users: list[UserAnswer]


class Keys(BaseModel):
    """All keys, oldest first; also those that were revoked."""

    keys: list[KeyAnswer]
