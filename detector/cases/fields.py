"""Texts and names that people enter."""

from typing import Annotated

from pydantic import StringConstraints

_NOT_BLANK = r"^[^\x00]*[^\s\x00][^\x00]*$"
Text = Annotated[str, StringConstraints(min_length=1, max_length=2000, pattern=_NOT_BLANK)]
"""Text that a user enters: not blank, without null characters, which no store accepts."""

Target = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=_NOT_BLANK)]
"""The id of an entity."""

USERNAME = r"^[a-z][a-z0-9._-]{1,31}$"
Username = Annotated[str, StringConstraints(pattern=USERNAME)]
