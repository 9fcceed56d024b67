"""Named lists of values, such as known bad devices, that conditions ask about.

An entry holds for the events in [since, until) of its own time. So one that is added after an event
says nothing of it, and a history gives the same answers whenever it is judged.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, field_validator, model_validator

MENTION = re.compile(r"(?i)\b([a-z_]+)\s+(not\s+)?in\s+list\(\s*'([a-z0-9_]+)'\s*\)")
"""A column and a list in a condition in SQL; the macro `with_lists` has the same expression."""

Value = Annotated[str, Field(min_length=1, max_length=200)]


class _Block(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Entry(_Block):
    """A value of a list, from `since` until before `until`; without them always.

    `added_by` is empty for the entries of the rules' file.
    """

    value: Value
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
    added_by: str | None = None

    @model_validator(mode="after")
    def _holds_at_some_time(self) -> "Entry":
        if self.since is not None and self.until is not None and self.since >= self.until:
            raise ValueError(f"the entry {self.value!r} ends before it begins")
        return self


class NamedList(_Block):
    """A list of values of some columns; of a `supervised` one, only supervisors change entries."""

    title: str
    of: Annotated[list[str], Field(min_length=1)]
    supervised: bool = False
    entries: list[Entry] = []

    @field_validator("entries", mode="before")
    @classmethod
    def _may_be_values(cls, entries: Any) -> Any:
        """A value alone is an entry that always holds."""
        if not isinstance(entries, list):
            return entries
        return [{"value": entry} if isinstance(entry, str) else entry for entry in entries]

    @cached_property
    def _periods(self) -> dict[str, list[tuple[datetime | None, datetime | None]]]:
        periods: dict[str, list[tuple[datetime | None, datetime | None]]] = {}
        for entry in self.entries:
            periods.setdefault(entry.value, []).append((entry.since, entry.until))
        return periods

    def holds(self, value: str, at: datetime) -> bool:
        """Whether the value is listed for an event of that time."""
        return any(
            (since is None or since <= at) and (until is None or at < until)
            for since, until in self._periods.get(value, ())
        )

    def sql(self, column: str, time: str) -> str:
        """The same in SQL, null where the column is; `listed` writes it for the models."""
        if not self.entries:
            return f"(case when {column} is not null then false end)"
        values = ", ".join(map(_literal, self._periods))
        branches = " ".join(
            f"when {_literal(value)} then {' or '.join(_within(p, time) for p in periods)}"
            for value, periods in self._periods.items()
        )
        return (
            f"(case when {column} in ({values}) then case {column} {branches} end "
            f"when {column} is not null then false end)"
        )


def mentioned(text: str) -> set[str]:
    """The names of the lists that a condition asks about."""
    return {name for _, _, name in MENTION.findall(text)}


def given(lists: Mapping[str, NamedList]) -> dict[str, list[str]]:
    """The entries of each list that are in the rules' file, as text.

    What is known of keys is built again when they change. The others hold only for events that
    came after them.
    """
    return {
        name: [entry.model_dump_json() for entry in lists[name].entries if entry.added_by is None]
        for name in sorted(lists)
    }


def _within(period: tuple[datetime | None, datetime | None], time: str) -> str:
    tests = [
        f"{time} {sign} cast('{moment.isoformat()}' as timestamptz)"
        for sign, moment in zip((">=", "<"), period, strict=True)
        if moment is not None
    ]
    return f"({' and '.join(tests) or 'true'})"


def _literal(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
