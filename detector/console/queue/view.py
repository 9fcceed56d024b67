"""The queue's view: every filter with its count and its link."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, get_args
from urllib.parse import urlencode

from detector.adapters.people.saved_views import SavedView
from detector.cases.actions import ACTIONS
from detector.cases.actions.base import Action
from detector.cases.review import DISPOSITIONS, Disposition
from detector.console.http.formatting import duration
from detector.console.queries.cases import CaseRow
from detector.console.queries.filters import (
    NO_OWNER,
    Column,
    OpenStatus,
    QueueFilters,
    Sort,
)
from detector.console.queue.model import QueuePage
from detector.console.shell.deadline import Due, due
from detector.core.data import JsonObject
from detector.signals.rules import LEVELS, Rules

SORTS: dict[Sort, str] = {
    "rank": "Expected loss",
    "due": "Due first",
    "exposure": "Largest exposure",
    "score": "Highest score",
    "oldest": "Oldest",
    "newest": "Newest",
}
AGES = {15: "15 minutes", 60: "1 hour", 240: "4 hours", 1440: "1 day", 10080: "7 days"}


@dataclass(frozen=True, slots=True)
class Choice:
    """One value of a filter: its title, the number of cases, and its link."""

    id: str
    title: str
    count: int | None
    href: str
    chosen: bool


class QueueRow(NamedTuple):
    """A case, its position in the queue, its deadline and its rank relative to the first."""

    place: int | None
    case: CaseRow
    due: Due | None
    strength: float


@dataclass(frozen=True, slots=True)
class QueueView:
    """Everything queue/page.html may use."""

    filters: QueueFilters
    page: QueuePage
    rows: list[QueueRow]
    views: list[Choice]
    levels: list[Choice]
    patterns: list[Choice]
    statuses: list[Choice]
    owners: list[Choice]
    columns: list[Choice]
    chips: list[Choice]
    hidden: list[tuple[str, str]]
    assignees: list[str]
    saved: list[SavedView]
    next_href: str | None
    first_href: str
    snoozed_href: str
    may_act: bool
    four_eyes: bool
    later: bool
    nav: str = "queue"
    title: str = "Case queue"
    sorts: ClassVar[dict[Sort, str]] = SORTS
    ages: ClassVar[dict[int, str]] = AGES
    dispositions: ClassVar[tuple[Disposition, ...]] = DISPOSITIONS
    bulk: ClassVar[list[type[Action]]] = [action for action in ACTIONS.values() if action.bulk]

    @property
    def export_href(self) -> str:
        """The same list as CSV."""
        return "/v1/cases.csv" + self.first_href.removeprefix("/cases")


def href(filters: QueueFilters, **changes: Any) -> str:
    """The URL of the queue with some filters changed; defaults are left out."""
    wanted = QueueFilters.model_validate({**filters.model_dump(), **changes})
    query = wanted.model_dump(exclude_defaults=True, include=set(QueueFilters.model_fields))
    return "/cases" + (f"?{urlencode(query, doseq=True)}" if query else "")


def queue_view(
    page: QueuePage,
    filters: QueueFilters,
    rules: Rules,
    assignees: list[str],
    may_act: bool,
    four_eyes: bool,
    cursor: str | None,
    saved: list[SavedView],
) -> QueueView:
    """The queue for one user."""
    facets = page.facets
    titles = {pattern.id: pattern.title for pattern in rules.patterns.values()}
    owners = [NO_OWNER, *sorted(owner for owner in facets.owner if owner != NO_OWNER)]
    top = max((case.rank.rank for case in page.cases), default=0) or 1
    here, hidden = href(filters), filters.hide
    return QueueView(
        filters=filters,
        page=page,
        rows=[
            QueueRow(
                None if cursor or filters.sort != "rank" else number,
                case,
                due(case, page.as_of),
                case.rank.rank / top,
            )
            for number, case in enumerate(page.cases, 1)
        ],
        views=_views(filters),
        levels=_facet(filters, "level", LEVELS, facets.level),
        patterns=_facet(filters, "pattern", titles, facets.pattern, titles),
        statuses=_facet(filters, "status", get_args(OpenStatus), facets.status),
        owners=[
            Choice(
                name,
                "No owner" if name == NO_OWNER else name,
                facets.owner.get(name, 0),
                href(filters, owner=None if filters.owner == name else name),
                filters.owner == name,
            )
            for name in owners
        ],
        columns=[
            Choice(name, name.title(), None, _toggled(filters, "hide", name), name not in hidden)
            for name in get_args(Column)
        ],
        chips=_chips(filters, titles),
        hidden=_hidden(filters),
        assignees=assignees,
        saved=saved,
        next_href=f"{here}{'&' if '?' in here else '?'}cursor={page.next}" if page.next else None,
        first_href=here,
        snoozed_href=href(filters, snoozed="only"),
        may_act=may_act,
        four_eyes=four_eyes,
        later=cursor is not None,
    )


def _facet(
    filters: QueueFilters,
    facet: str,
    known: Iterable[str],
    counts: dict[str, int],
    titles: dict[str, str] | None = None,
) -> list[Choice]:
    chosen = getattr(filters, facet)
    # What is selected or counted is shown even if the rules no longer contain it.
    values = dict.fromkeys([*known, *counts, *chosen])
    return [
        Choice(
            value,
            (titles or {}).get(value, value),
            counts.get(value, 0),
            _toggled(filters, facet, value),
            value in chosen,
        )
        for value in values
    ]


def _toggled(filters: QueueFilters, name: str, value: str) -> str:
    """The queue with a value of a list added, or removed if it is there."""
    chosen = getattr(filters, name)
    rest = [v for v in chosen if v != value]
    return href(filters, **{name: rest if value in chosen else [*chosen, value]})


def _views(filters: QueueFilters) -> list[Choice]:
    """The most used filters, one click each; the others stay."""
    views: dict[str, JsonObject] = {
        "All open": {"owner": None, "status": []},
        "Unclaimed": {"owner": NO_OWNER, "status": []},
        "Mine": {"owner": "me", "status": []},
        "Escalated": {"owner": None, "status": ["ESCALATED"]},
        "Awaiting approval": {"owner": None, "status": ["PENDING_APPROVAL"]},
    }
    current = {"owner": filters.owner, "status": filters.status}
    return [
        Choice(title, title, None, href(filters, **wanted), current == wanted)
        for title, wanted in views.items()
    ]


def _chips(filters: QueueFilters, titles: dict[str, str]) -> list[Choice]:
    """The active filters that are not visible elsewhere on the page."""
    chips = []
    if filters.q:
        chips.append(Choice("q", f"“{filters.q}”", None, href(filters, q=None), True))
    for name, words in (("min_age", "Older than"), ("max_age", "Younger than")):
        minutes = getattr(filters, name)
        if minutes is not None:
            text = f"{words} {duration(minutes * 60)}"
            chips.append(Choice(name, text, None, href(filters, **{name: None}), True))
    if filters.snoozed != "hide":
        text = "Snoozed only" if filters.snoozed == "only" else "Including snoozed"
        chips.append(Choice("snoozed", text, None, href(filters, snoozed="hide"), True))
    return chips


def _hidden(filters: QueueFilters) -> list[tuple[str, str]]:
    """The active filters without a field in the form, kept when it is sent."""
    asked = {"q", "min_age", "max_age", "sort"}
    kept = filters.model_dump(exclude_defaults=True, include=set(QueueFilters.model_fields) - asked)
    return [
        (name, item)
        for name, value in kept.items()
        for item in (value if isinstance(value, list) else [value])
    ]
