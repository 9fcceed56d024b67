"""Settings of the console, from the environment or `.env`."""

from datetime import date
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

import pytz
from pydantic import AfterValidator, Field, HttpUrl, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from detector.cases.principals import UserRole
from detector.console.http.hosts import is_loopback
from detector.core.errors import InputError


def _zone(name: str) -> str:
    if name not in pytz.all_timezones_set:
        raise ValueError(f"unknown time zone {name!r}; an example is Australia/Sydney")
    return name


class ConsoleSettings(BaseSettings):
    """Address, authentication, webhooks and calendar of the console."""

    model_config = SettingsConfigDict(
        env_prefix="CONSOLE_",
        env_file=".env",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
    )

    host: str = Field("127.0.0.1", description="Address to listen on; loopback by default.")
    port: Annotated[int, Field(ge=0, le=65535)] = Field(
        8000, description="Port; 0 takes any free one."
    )
    hosts: list[str] = Field([], description="Host names that browsers may use besides loopback.")
    demo: bool = Field(False, description="Sign visitors in automatically; loopback only.")
    demo_token: str = Field("", description="If set, only visitors with it in the URL are.")
    four_eyes: bool = Field(True, description="A second person approves closing a critical case.")
    session_minutes: Annotated[int, Field(gt=0)] = Field(
        720, description="Longest duration of a session, in minutes."
    )
    claim_minutes: Annotated[int, Field(ge=0)] = Field(
        60, description="An idle claim returns to the queue after so many minutes; 0: never."
    )
    oidc_issuer: str = Field(
        "", description="The bank's OpenID provider, https://…; empty: passwords only."
    )
    oidc_client_id: str = Field("", description="What this console is called there.")
    oidc_client_secret: SecretStr = Field(SecretStr(""), description="Its secret there, if any.")
    oidc_groups_claim: str = Field("groups", description="Where its token has the groups.")
    oidc_roles: dict[str, UserRole] = Field(
        {}, description='The role of each group, {"fraud-desk": "analyst"}; the first that fits.'
    )
    webhooks: list[HttpUrl] = Field(
        [], description="Addresses that receive instructions and decisions."
    )
    webhook_secret: SecretStr = Field(
        SecretStr(""), description="Signs webhook requests; empty: unsigned."
    )
    timezone: Annotated[str, AfterValidator(_zone)] = Field(
        "Australia/Sydney",
        description="Time zone of the pages, and of the business days of SMR deadlines.",
    )
    holidays: list[date] = Field(
        [], description="Days that are not business days for SMR deadlines."
    )

    @model_validator(mode="after")
    def _provider_is_whole(self) -> Self:
        if self.oidc_issuer:
            if not (self.oidc_client_id and self.oidc_roles):
                raise ValueError("CONSOLE_OIDC_ISSUER needs _CLIENT_ID and _ROLES beside it")
            if not self.oidc_issuer.startswith("https://") and not is_loopback(
                urlsplit(self.oidc_issuer).hostname or ""
            ):
                raise ValueError("CONSOLE_OIDC_ISSUER must be https://…, except on this machine")
        return self

    @model_validator(mode="after")
    def _demo_is_local(self) -> Self:
        if self.demo and not is_loopback(self.host):
            raise ValueError(
                f"the demo signs every visitor in, so it cannot listen on {self.host}; "
                "leave out CONSOLE_DEMO (--demo), or listen on 127.0.0.1"
            )
        return self


def console_settings(**given: Any) -> ConsoleSettings:
    """The console's settings: options first, then the environment and `.env`."""
    chosen = {name: value for name, value in given.items() if value is not None}
    try:
        return ConsoleSettings(**chosen)
    except ValidationError as error:
        raise InputError("\n".join(map(_explained, error.errors()))) from None


def _explained(problem: Any) -> str:
    """A problem in a sentence; the value is shown unless it may be a secret."""
    if not problem["loc"]:
        return f"The console's settings do not fit together: {problem['msg']}."
    name = str(problem["loc"][0])
    came = "" if "secret" in name else f" is {problem['input']!r}"
    return (
        f"CONSOLE_{name.upper()}{came}: {problem['msg']}. Correct it in the environment, in .env "
        f"or in the option --{name.replace('_', '-')}."
    )
