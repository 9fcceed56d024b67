"""Lists of names: text in the views (`a, b`), lists everywhere else."""

from typing import Annotated

from pydantic import BeforeValidator

SEPARATOR = ", "


def joined(names: list[str]) -> str:
    """The names as text, as in the views."""
    return SEPARATOR.join(names)


def split(names: str | list[str]) -> list[str]:
    """The names of a text column; a list is returned unchanged."""
    return names if isinstance(names, list) else [name for name in names.split(SEPARATOR) if name]


Names = Annotated[list[str], BeforeValidator(split)]
"""A list field that also accepts the text of a view."""
