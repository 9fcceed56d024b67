"""Queries a running console over HTTP."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
from pydantic import BaseModel

from detector.adapters.database import console_file
from detector.adapters.questions import QUESTIONS, QuestionName
from detector.cli.targets import without_secrets
from detector.console.access.sessions import owner_key, session_key_file, signing_key
from detector.core.data import JsonObject
from detector.core.errors import InputError, StoreInUse

KEY = "FRAUD_API_KEY"
PATIENCE_S = 30
_ASK_FOR_A_KEY = (
    f"Put the key of a viewer into the environment variable {KEY}; an administrator makes one on "
    "the console's page Admin, or `fraud keys add NAME --role viewer` while it does not run."
)


class ConsoleClient:
    """A running console: `url` and what authenticates with it.

    That is the key in FRAUD_API_KEY; without one, the key of the store's owner, which follows from
    its signing key.
    """

    def __init__(self, url: str, store: Path) -> None:
        self._url = url.rstrip("/")
        self.place = without_secrets(url)
        key = os.environ.get(KEY, "").strip()
        if not key and session_key_file(store).exists():
            key = owner_key(signing_key(session_key_file(store)))
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}

    def get(self, path: str, asked: Mapping[str, str | int]) -> Any:
        """The JSON at a path; raises `InputError` with what to do."""
        return self._call("GET", path, asked)

    def post(self, path: str, body: JsonObject | None = None) -> Any:
        """The JSON that a request is answered with."""
        return self._call("POST", path, {}, body)

    def _call(
        self, method: str, path: str, asked: Mapping[str, str | int], body: JsonObject | None = None
    ) -> Any:
        try:
            # A proxy from the environment must not see the key.
            with httpx.Client(timeout=PATIENCE_S, trust_env=False) as client:
                answer = client.request(
                    method, f"{self._url}{path}", params=asked, json=body, headers=self._headers
                )
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
            raise InputError(
                f"No console answers at {self.place}: {error}. Is `fraud run` or `fraud console` "
                "running there, and is that its address?"
            ) from error
        if not answer.is_success:
            raise InputError(_refusal(self.place, answer))
        try:
            return answer.json()
        except ValueError as error:
            raise InputError(_stranger(self.place)) from error


def running_console(store: Path) -> ConsoleClient | None:
    """The console of the process that has the store, on this machine; None if it has none."""
    try:
        return ConsoleClient(console_file(store).read_text("utf-8"), store)
    except OSError:
        return None


def console_of(store: Path, error: StoreInUse) -> ConsoleClient:
    """The console of the process because of which a store could not be opened, or that error."""
    console = running_console(store)
    if console is None:
        raise error
    return console


def ask_console(client: ConsoleClient, name: QuestionName, limit: int | None) -> list[BaseModel]:
    """The rows that a console answers with; raises `InputError` with what to do."""
    answer = client.get(f"/v1/questions/{name}", {} if limit is None else {"limit": limit})
    try:
        return [QUESTIONS[name].row.model_validate(row) for row in answer["rows"]]
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(_stranger(client.place)) from error


def _refusal(place: str, answer: httpx.Response) -> str:
    if answer.headers.get("content-type") != "application/problem+json":
        return _stranger(place)
    detail = f"The console at {place} refuses: {answer.json()['detail']}"
    return f"{detail} {_ASK_FOR_A_KEY}" if answer.status_code in (401, 403) else detail


def _stranger(place: str) -> str:
    return (
        f"What answers at {place} is no console of this version. Give the address that "
        "`fraud run` prints."
    )
