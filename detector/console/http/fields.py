"""Field types of requests: texts, ids and pages."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Path, Query
from pydantic import AfterValidator, Field, StringConstraints

from detector.cases.fields import USERNAME
from detector.core.data import JsonObject

MIN_PASSWORD, MAX_PASSWORD = 12, 128

_NOT_BLANK = r"^[^\x00]*[^\s\x00][^\x00]*$"

LongText = Annotated[str, StringConstraints(min_length=1, max_length=20_000, pattern=_NOT_BLANK)]
"""A narrative."""

Short = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=_NOT_BLANK)]
"""An id, a name or a target."""

Password = Annotated[str, StringConstraints(min_length=1, max_length=MAX_PASSWORD)]
"""A password to check."""

NewPassword = Annotated[str, StringConstraints(min_length=MIN_PASSWORD, max_length=MAX_PASSWORD)]
"""A password to set."""

CASE_ID = r"^case_[0-9a-f]{12}$"


def plausible(at: datetime) -> datetime:
    """The time, in UTC unless it has an offset; a `ValueError` outside 1970 to 2099."""
    if not 1970 <= at.year < 2100:
        raise ValueError(f"a time from 1970 to 2099 was expected, {at.year} came")
    return at if at.tzinfo else at.replace(tzinfo=UTC)


Moment = Annotated[datetime, AfterValidator(plausible)]
"""A time in a query."""

CaseId = Annotated[str, Path(pattern=CASE_ID, examples=["case_0123456789ab"])]
"""The id of a case in a path."""


Id = Annotated[str, Path(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f]+$")]
"""The id of an entity in a path."""

Name = Annotated[str, Field(max_length=64, pattern=r"^[^\x00-\x1f\x7f]*$")]
"""A name or an id in a query."""

Cursor = Annotated[str | None, Query(max_length=400, description="`next` of the page before.")]
Limit = Annotated[int, Query(ge=1, le=200, description="Most entries on a page.")]


def without_blanks(query: Mapping[str, Any]) -> JsonObject:
    """A query without the fields that a form sends empty."""
    kept = {
        key: [v for v in value if v != ""] if isinstance(value, list) else value
        for key, value in query.items()
    }
    return {key: value for key, value in kept.items() if value not in ("", None, [])}


def check_username(name: str) -> None:
    """Raise `ValueError` for what cannot be a user name."""
    if not re.fullmatch(USERNAME, name):
        raise ValueError(
            f"{name!r} cannot be a user name; use 2 to 32 of a-z, 0-9, '.', '_' and '-', starting "
            "with a letter."
        )
