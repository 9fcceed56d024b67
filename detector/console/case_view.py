"""A case as case.html shows it: everything is decided here, the template only shows."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from detector.cases.review import DISPOSITIONS, INSTRUCTIONS
from detector.console import worldmap
from detector.console.casefile import CaseFile, Deed
from detector.console.evidence import Reason
from detector.console.graph import Graph, graph
from detector.console.queue_view import Due, due
from detector.console.sayings import Saying, of_deed, of_event
from detector.console.security import Person
from detector.console.strip import Strip, strip
from detector.console.trips import Trip
from detector.console.words import number
from detector.core.rules import Rules

TARGETS = {
    "BLOCK_CARD": "card",
    "HOLD_PAYMENT": "account",
    "STEP_UP": "customer",
    "CONTACT_CUSTOMER": "customer",
    "LOCK_SESSION": "customer",
    "REFER_AML": "account",
}
"""What each instruction is about."""


class Bar(NamedTuple):
    """A reason's observed value against its threshold, both as shares of the bar."""

    observed: str
    threshold: str
    fill: float
    limit: float


class Target(NamedTuple):
    """Something that an instruction or a snooze can be about."""

    kind: str
    id: str
    title: str


class Map(NamedTuple):
    """Where the card was, on the part of the world that shows it."""

    view: worldmap.View
    trips: list[tuple[str, tuple[float, float], tuple[float, float], Trip]]
    home: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class CaseView:
    """Everything case.html may use."""

    file: CaseFile
    due: Due | None
    reasons: list[tuple[Reason, Bar]]
    strip: Strip
    timeline: list[Saying]
    map: Map | None
    graph: Graph | None
    targets: list[Target]
    recommended: str | None
    instructed: list[str]
    people: list[str]
    may_act: bool
    smr: bool
    four_eyes: bool
    nav: str = "queue"
    dispositions = DISPOSITIONS
    instructions = INSTRUCTIONS
    about = TARGETS

    @property
    def title(self) -> str:
        """The title of the page."""
        return self.file.case.case_id

    def can(self, action: str) -> bool:
        """Whether this person may do it to the case as it stands."""
        return action in self.file.allowed


def case_view(
    file: CaseFile, person: Person, rules: Rules, people: list[str], four_eyes: bool
) -> CaseView:
    """The case ready to be shown to somebody."""
    case = file.case
    instructed = _instructed(file.history)
    recommended = case.recommended_action
    return CaseView(
        file=file,
        due=due(case, file.as_of) if case.status != "CLOSED" else None,
        reasons=[(reason, _bar(reason)) for reason in file.reasons],
        strip=strip(file, rules),
        timeline=_timeline(file),
        map=_map(file),
        graph=graph(file.links),
        targets=_targets(file),
        recommended=recommended if recommended in INSTRUCTIONS else None,
        instructed=instructed,
        people=people,
        may_act=person.may("act"),
        smr=person.may("smr")
        and ("structuring" in case.patterns or file.disposition == "SUSPICIOUS"),
        four_eyes=four_eyes and case.level == "critical",
    )


def _bar(reason: Reason) -> Bar:
    top = max(reason.observed, reason.threshold) * 1.12
    shown = {"count": "{}", "km": "{} km", "money": "${}"}[reason.unit]
    return Bar(
        shown.format(number(reason.observed)),
        shown.format(number(reason.threshold)),
        reason.observed / top,
        reason.threshold / top,
    )


def _timeline(file: CaseFile) -> list[Saying]:
    case = file.case
    lines = [*map(of_event, file.events), *map(of_deed, file.history)]
    if case.opened_at:
        title = f"Case opened, {case.level}"
        lines.append(Saying(case.opened_at, "case", None, title, None, "fine", [], None))
    return sorted(lines, key=lambda line: line.at, reverse=True)


def _instructed(history: Iterable[Deed]) -> list[str]:
    """The instructions that stand: given and not taken back."""
    undone = {deed.detail.get("undoes") for deed in history if deed.action == "undo"}
    return [
        str(deed.detail["instruction"])
        for deed in history
        if deed.action == "instruct" and deed.seq not in undone
    ]


def _targets(file: CaseFile) -> list[Target]:
    """The case's own entities; first the cards at which a pattern fired."""
    case = file.case
    watched = {signal.subject for signal in file.signals}
    cards = sorted(file.cards, key=lambda card: card.card_token not in watched)
    return [
        *(
            Target("card", card.card_token, f"Card •{card.card_last4 or '????'} {card.card_token}")
            for card in cards
        ),
        Target("account", case.account_id, f"Account {case.account_id}"),
        Target("customer", case.customer_id, f"Customer {case.customer_id}"),
    ]


def _map(file: CaseFile) -> Map | None:
    """The impossible trips; None for a case without one."""
    if not file.trips:
        return None
    places = [(p.latitude, p.longitude) for trip in file.trips for p in (trip.start, trip.end)]
    near = all(worldmap.AUSTRALIA.shows(*place) for place in places)
    view = worldmap.AUSTRALIA if near else worldmap.WORLD
    trips = []
    for trip in file.trips:
        start = view.point(trip.start.latitude, trip.start.longitude)
        end = view.point(trip.end.latitude, trip.end.longitude)
        trips.append((worldmap.arc(start, end), start, end, trip))
    home = None
    if file.profile and view.shows(file.profile.home_latitude, file.profile.home_longitude):
        home = view.point(file.profile.home_latitude, file.profile.home_longitude)
    return Map(view, trips, home)
