"""Settings of the console, from the environment or `.env`."""

from datetime import date
from typing import Annotated, Any, Self

import pytz
from pydantic import AfterValidator, Field, HttpUrl, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from detector.console.hosts import is_loopback
from detector.core.errors import InputError


def _zone(name: str) -> str:
    if name not in pytz.all_timezones_set:
        raise ValueError(f"there is no time zone {name!r}; Australia/Sydney is one")
    return name


class ConsoleSettings(BaseSettings):
    """How the console is reached and what it allows."""

    model_config = SettingsConfigDict(
        env_prefix="CONSOLE_",
        env_file=".env",
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    host: str = Field("127.0.0.1", description="Address to listen on; loopback unless told.")
    port: Annotated[int, Field(ge=0, le=65535)] = Field(8000, description="Port; 0 takes any.")
    hosts: list[str] = Field([], description="Host names that browsers may use beside loopback.")
    demo: bool = Field(False, description="Sign visitors in by themselves; loopback only.")
    four_eyes: bool = Field(True, description="A second person approves closing a critical case.")
    session_minutes: Annotated[int, Field(gt=0)] = Field(720, description="Longest session.")
    webhooks: list[HttpUrl] = Field([], description="Told of every instruction and disposition.")
    webhook_secret: SecretStr = Field(
        SecretStr(""), description="Signs what webhooks are told; unsigned without."
    )
    timezone: Annotated[str, AfterValidator(_zone)] = Field(
        "Australia/Sydney", description="Where business days begin and end."
    )
    holidays: list[date] = Field([], description="Days that are no business days for SMR clocks.")

    @model_validator(mode="after")
    def _show_it_here_only(self) -> Self:
        if self.demo and not is_loopback(self.host):
            raise ValueError(
                f"the demonstration lets everybody in, so it cannot listen on {self.host}; "
                "leave CONSOLE_DEMO (--demo) out, or listen on 127.0.0.1"
            )
        return self


def console_settings(**given: Any) -> ConsoleSettings:
    """The console's settings: options first, then the environment and `.env`."""
    chosen = {name: value for name, value in given.items() if value is not None}
    try:
        return ConsoleSettings(**chosen)
    except ValidationError as error:
        raise InputError(f"The console's settings cannot be used: {error}") from error
