"""The named lists: what is in them, who asks about them, what of a case could be added."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import datetime

from pydantic import BaseModel, Field

from detector.adapters.people.list_entries import ListEntry
from detector.adapters.people.store import PeopleStore
from detector.cases.principals import Principal
from detector.console.queries.cases import find_case
from detector.console.queries.listable import listable
from detector.pipeline.ports import ConsoleReader
from detector.signals.lists import NamedList
from detector.signals.pattern import Pattern
from detector.signals.predicate import Predicate
from detector.signals.rules import Rules


class ListEntryAnswer(BaseModel):
    """An entry that a person made; it holds for events in [since, until) of their own time.

    Without `until` it holds until someone ends it.
    """

    entry_id: str
    list_name: str
    value: str
    since: datetime
    until: datetime | None
    reason: str
    added_by: str
    added_at: datetime
    ended_by: str | None
    ended_at: datetime | None

    @classmethod
    def of(cls, entry: ListEntry) -> "ListEntryAnswer":
        """The entry as stored."""
        return cls.model_validate(asdict(entry))

    def is_over(self, at: datetime) -> bool:
        """Whether it no longer holds."""
        return self.ended_at is not None or (self.until is not None and self.until <= at)


class ListAnswer(BaseModel):
    """A list: the columns whose values it has, the patterns that ask about it, its entries."""

    name: str
    title: str
    of: list[str]
    supervised: bool = Field(description="Whether only supervisors change its entries.")
    used_by: list[str] = Field(description="Ids of patterns; no entry has an effect without one.")
    from_file: list[str] = Field(description="Values that the rules' file has.")
    entries: list[ListEntryAnswer] = Field(description="The newest first.")


class ListValue(BaseModel):
    """A value of a case's events that a list could have."""

    list_name: str
    list_title: str
    column: str
    value: str
    fired: bool = Field(description="Whether a pattern fired at an event with it; those are first.")


def lists(rules: Rules, people: PeopleStore) -> list[ListAnswer]:
    """All lists of the rules."""
    by_list: dict[str, list[ListEntryAnswer]] = {name: [] for name in rules.lists}
    for entry in people.list_entries.all():
        by_list.setdefault(entry.list_name, []).append(ListEntryAnswer.of(entry))
    return [
        ListAnswer(
            name=name,
            title=found.title,
            of=found.of,
            supervised=found.supervised,
            used_by=list(_users_of(name, rules.patterns)),
            from_file=[entry.value for entry in found.entries if entry.added_by is None],
            entries=by_list[name],
        )
        for name, found in rules.lists.items()
    ]


def may_change(principal: Principal, about: NamedList) -> bool:
    """Whether someone may add entries to a list, and end them."""
    return principal.may("approve" if about.supervised else "act")


def list_values(
    reader: ConsoleReader,
    people: PeopleStore,
    rules: Rules,
    principal: Principal,
    case_id: str,
    now: datetime,
) -> list[ListValue]:
    """What the events of a case have that the principal could list and is not listed already.

    A 404 problem without the case.
    """
    case = find_case(reader, people, case_id)
    own = {n: about for n, about in rules.lists.items() if may_change(principal, about)}
    columns = {column for about in own.values() for column in about.of}
    values = {column: listable(reader, case, column) for column in columns}
    found = [
        ListValue(list_name=name, list_title=about.title, column=column, value=value, fired=fired)
        for name, about in own.items()
        for column in about.of
        for value, fired in values[column].items()
        if not about.holds(value, now)
    ]
    return sorted(found, key=lambda offered: not offered.fired)


def _users_of(name: str, patterns: Mapping[str, Pattern]) -> Iterator[str]:
    for pattern in patterns.values():
        if any(isinstance(test, Predicate) and name in test.asked for test in pattern.where):
            yield pattern.id
