"""The kinds of text that people may send."""

import re
from typing import Annotated

from fastapi import Path
from pydantic import StringConstraints

from detector.console.passwords import MAX_LENGTH, MIN_LENGTH

_SOMETHING = r"^[^\x00]*[^\s\x00][^\x00]*$"

Text = Annotated[str, StringConstraints(min_length=1, max_length=2000, pattern=_SOMETHING)]
"""What somebody has to say: not blank, and no null character, which no store takes."""

LongText = Annotated[str, StringConstraints(min_length=1, max_length=20_000, pattern=_SOMETHING)]
"""A narrative."""

Short = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=_SOMETHING)]
"""An id, a name or a target."""

USERNAME = r"^[a-z][a-z0-9._-]{1,31}$"
Username = Annotated[str, StringConstraints(pattern=USERNAME)]
"""A user's name."""

Password = Annotated[str, StringConstraints(min_length=1, max_length=MAX_LENGTH)]
"""A password that somebody claims to have."""

NewPassword = Annotated[str, StringConstraints(min_length=MIN_LENGTH, max_length=MAX_LENGTH)]
"""A password that somebody chooses."""

CASE_ID = r"^case_[0-9a-f]{12}$"
CaseId = Annotated[str, Path(pattern=CASE_ID, examples=["case_0123456789ab"])]
"""The id of a case in a path."""


def check_username(name: str) -> None:
    """Raise `ValueError` for what cannot be a user's name."""
    if not re.fullmatch(USERNAME, name):
        raise ValueError(
            f"{name!r} cannot be a name; use 2 to 32 of a-z, 0-9, '.', '_' and '-', a letter first."
        )
