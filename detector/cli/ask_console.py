"""Queries a running console over HTTP."""

import os

import httpx
from pydantic import BaseModel

from detector.adapters.questions import QUESTIONS, QuestionName
from detector.cli.targets import without_secrets
from detector.core.errors import InputError

KEY = "FRAUD_API_KEY"
PATIENCE_S = 30
_ASK_FOR_A_KEY = (
    f"Put the key of a viewer into the environment variable {KEY}; an administrator makes one on "
    "the console's page Admin, or `fraud keys add NAME --role viewer` while it does not run."
)


def ask_console(url: str, name: QuestionName, limit: int | None) -> list[BaseModel]:
    """The rows that the console at `url` answers with; raises `InputError` with what to do."""
    place = without_secrets(url)
    key = os.environ.get(KEY, "").strip()
    try:
        # A proxy from the environment must not see the key.
        with httpx.Client(timeout=PATIENCE_S, trust_env=False) as client:
            answer = client.get(
                f"{url.rstrip('/')}/v1/questions/{name}",
                params={} if limit is None else {"limit": limit},
                headers={"Authorization": f"Bearer {key}"} if key else {},
            )
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
        raise InputError(
            f"No console answers at {place}: {error}. Is `fraud run` or `fraud console` running "
            "there, and is that its address?"
        ) from error
    if not answer.is_success:
        raise InputError(_refusal(place, answer))
    try:
        rows = answer.json()["rows"]
        return [QUESTIONS[name].row.model_validate(row) for row in rows]
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(_stranger(place)) from error


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
