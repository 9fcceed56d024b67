"""The kinds of text that people may send."""

from typing import Annotated

from fastapi import Path
from pydantic import StringConstraints

from detector.console.passwords import MAX_LENGTH, MIN_LENGTH

_SOMETHING = r"^[^\x00]*[^\s\x00][^\x00]*$"

Text = Annotated[str, StringConstraints(min_length=1, max_length=2000, pattern=_SOMETHING)]
"""What somebody has to say: not blank, and no null character, which no store takes."""

Short = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=_SOMETHING)]
"""An id, a name or a target."""

Username = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9._-]{1,31}$")]
"""A user's name."""

Password = Annotated[str, StringConstraints(min_length=1, max_length=MAX_LENGTH)]
"""A password that somebody claims to have."""

NewPassword = Annotated[str, StringConstraints(min_length=MIN_LENGTH, max_length=MAX_LENGTH)]
"""A password that somebody chooses."""

CASE_ID = r"^case_[0-9a-f]{12}$"
CaseId = Annotated[str, Path(pattern=CASE_ID, examples=["case_0123456789ab"])]
"""The id of a case in a path."""
