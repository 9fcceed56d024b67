"""The queue as queue.html shows it: every choice with its count and where it leads."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, get_args
from urllib.parse import urlencode

from detector.cases.review import DISPOSITIONS
from detector.console.filters import OpenStatus, QueueFilters, Sort
from detector.console.queue import NOBODY, CaseRow, QueuePage
from detector.console.words import duration, left
from detector.core.rules import Rules

SORTS: dict[Sort, str] = {
    "rank": "Most pressing",
    "due": "Due soonest",
    "exposure": "Largest exposure",
    "score": "Highest score",
    "oldest": "Oldest",
    "newest": "Newest",
}
AGES = {15: "15 minutes", 60: "1 hour", 240: "4 hours", 1440: "1 day", 10080: "7 days"}


@dataclass(frozen=True, slots=True)
class Choice:
    """One choice of a filter: what it says, how many cases it shows, where it leads."""

    id: str
    title: str
    count: int | None
    href: str
    chosen: bool


class Due(NamedTuple):
    """How much of the time to decide is used up: a bar from 0 to 1, and its words."""

    used: float
    words: str
    urgency: str


class QueueRow(NamedTuple):
    """A case, its place in the order, and what explains it."""

    place: int | None
    case: CaseRow
    due: Due | None
    strength: float


@dataclass(frozen=True, slots=True)
class QueueView:
    """Everything queue.html may use."""

    filters: QueueFilters
    page: QueuePage
    rows: list[QueueRow]
    views: list[Choice]
    levels: list[Choice]
    patterns: list[Choice]
    statuses: list[Choice]
    owners: list[Choice]
    chips: list[Choice]
    hidden: list[tuple[str, str]]
    people: list[str]
    next_href: str | None
    first_href: str
    may_act: bool
    four_eyes: bool
    later: bool
    nav: str = "queue"
    title: str = "Case queue"
    sorts = SORTS
    ages = AGES
    dispositions = DISPOSITIONS


def href(filters: QueueFilters, **changes: Any) -> str:
    """The address of the queue with some filters changed; unchanged defaults are left out."""
    wanted = QueueFilters.model_validate({**filters.model_dump(), **changes})
    query = wanted.model_dump(exclude_defaults=True, include=set(QueueFilters.model_fields))
    return "/cases" + (f"?{urlencode(query, doseq=True)}" if query else "")


def queue_view(
    page: QueuePage,
    filters: QueueFilters,
    rules: Rules,
    people: list[str],
    may_act: bool,
    four_eyes: bool,
    cursor: str | None,
) -> QueueView:
    """The queue ready to be shown to somebody."""
    facets = page.facets
    titles = {pattern.id: pattern.title for pattern in rules.patterns.values()}
    owners = [NOBODY, *sorted(owner for owner in facets.owner if owner != NOBODY)]
    top = max((case.rank.rank for case in page.cases), default=1)
    here = href(filters)
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
        levels=_facet(filters, "level", ["critical", "high"], facets.level),
        patterns=_facet(filters, "pattern", titles, facets.pattern, titles),
        statuses=_facet(filters, "status", get_args(OpenStatus), facets.status),
        owners=[
            Choice(
                name,
                "Nobody" if name == NOBODY else name,
                facets.owner.get(name, 0),
                href(filters, owner=None if filters.owner == name else name),
                filters.owner == name,
            )
            for name in owners
        ],
        chips=_chips(filters, titles),
        hidden=_hidden(filters),
        people=people,
        next_href=f"{here}{'&' if '?' in here else '?'}cursor={page.next}" if page.next else None,
        first_href=here,
        may_act=may_act,
        four_eyes=four_eyes,
        later=cursor is not None,
    )


def due(case: CaseRow, now: datetime) -> Due | None:
    """How the time to decide a case stands; None where there is no such time."""
    if not case.due_at or not case.opened_at or case.due_at <= case.opened_at:
        return None
    used = (now - case.opened_at) / (case.due_at - case.opened_at)
    urgency = "over" if used > 1 else "soon" if used > 2 / 3 else "fine"
    return Due(min(1.0, max(0.0, used)), left(case.due_at, now), urgency)


def _facet(
    filters: QueueFilters,
    facet: str,
    known: Iterable[str],
    counts: dict[str, int],
    titles: dict[str, str] | None = None,
) -> list[Choice]:
    chosen = getattr(filters, facet)
    # What is chosen or counted is shown even where the rules no longer know it.
    values = dict.fromkeys([*known, *counts, *chosen])
    return [
        Choice(
            value,
            (titles or {}).get(value, value),
            counts.get(value, 0),
            href(
                filters,
                **{
                    facet: [v for v in chosen if v != value]
                    if value in chosen
                    else [*chosen, value]
                },
            ),
            value in chosen,
        )
        for value in values
    ]


def _views(filters: QueueFilters) -> list[Choice]:
    """What people look at most, each one click away; the other filters stay."""
    views: dict[str, dict[str, Any]] = {
        "All open": {"owner": None, "status": []},
        "Unowned": {"owner": NOBODY, "status": []},
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
    """The filters in force that nothing else on the page shows as chosen."""
    chips = []
    if filters.q:
        chips.append(Choice("q", f"“{filters.q}”", None, href(filters, q=None), True))
    for name, words in (("min_age", "Older than"), ("max_age", "Younger than")):
        minutes = getattr(filters, name)
        if minutes is not None:
            text = f"{words} {duration(minutes * 60)}"
            chips.append(Choice(name, text, None, href(filters, **{name: None}), True))
    if filters.snoozed != "hide":
        text = "Snoozed only" if filters.snoozed == "only" else "Snoozed too"
        chips.append(Choice("snoozed", text, None, href(filters, snoozed="hide"), True))
    return chips


def _hidden(filters: QueueFilters) -> list[tuple[str, str]]:
    """The filters that the form on the page does not ask for, to be kept when it is sent."""
    asked = {"q", "min_age", "max_age", "sort"}
    kept = filters.model_dump(exclude_defaults=True, include=set(QueueFilters.model_fields) - asked)
    return [
        (name, item)
        for name, value in kept.items()
        for item in (value if isinstance(value, list) else [value])
    ]
