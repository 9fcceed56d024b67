"""A case's view; the template contains no decisions."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from detector.cases.actions import ACTIONS
from detector.cases.actions.base import Action
from detector.cases.principals import Principal
from detector.cases.review import DISPOSITIONS, INSTRUCTIONS, Disposition, Instruction
from detector.console.case.chart import Chart, chart
from detector.console.case.graph import Graph, graph
from detector.console.case.model import CaseActionEntry, CaseFile
from detector.console.case.usual import UsualStrip, usual_strip
from detector.console.http.formatting import number
from detector.console.queries.signals import CaseReason
from detector.console.queries.trips import Trip
from detector.console.settings import ConsoleSettings
from detector.console.shell import worldmap
from detector.console.shell.deadline import Due, due
from detector.console.shell.timeline import TimelineEntry, of_action, of_event
from detector.signals.pattern import Guidance
from detector.signals.rules import Rules


class Bar(NamedTuple):
    """A reason's observed value and its threshold, both as shares of the bar."""

    observed: str
    threshold: str
    fill: float
    limit: float


class Target(NamedTuple):
    """What an instruction or a snooze can apply to."""

    kind: str
    id: str
    title: str


class Map(NamedTuple):
    """Where the card was used, on the section of the map that shows it."""

    view: worldmap.View
    trips: list[tuple[str, tuple[float, float], tuple[float, float], Trip]]
    home: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class CaseView:
    """Everything case/page.html may use."""

    file: CaseFile
    due: Due | None
    reasons: list[tuple[CaseReason, Bar]]
    chart: Chart
    timeline: list[TimelineEntry]
    map: Map | None
    usual: UsualStrip | None
    guidance: list[tuple[str, Guidance]]
    graph: Graph | None
    targets: list[Target]
    recommended: str | None
    instructed: list[str]
    assignees: list[str]
    may_act: bool
    lists: bool
    smr: bool
    four_eyes: bool
    nav: str = "queue"
    dispositions: ClassVar[tuple[Disposition, ...]] = DISPOSITIONS
    instructions: ClassVar[dict[Instruction, str]] = {**INSTRUCTIONS}

    @property
    def title(self) -> str:
        """The title of the page."""
        return self.file.case.case_id

    def action(self, action: str) -> type[Action]:
        """An action: its title and its key."""
        return ACTIONS[action]

    def can(self, action: str) -> bool:
        """Whether the principal may take the action now."""
        return action in self.file.allowed


def case_view(
    file: CaseFile,
    principal: Principal,
    rules: Rules,
    assignees: list[str],
    settings: ConsoleSettings,
    running: bool,
) -> CaseView:
    """The case for one user; `running` says whether detection runs in this process."""
    case = file.case
    instructed = _instructed(file.history)
    recommended = case.recommended_action
    return CaseView(
        file=file,
        due=due(case, file.as_of) if case.status != "CLOSED" else None,
        reasons=[(reason, _bar(reason)) for reason in file.reasons],
        chart=chart(file, rules),
        timeline=_timeline(file, rules),
        guidance=_guidance(file, rules),
        map=_map(file),
        usual=usual_strip(file.usual, settings.timezone),
        graph=graph(file.links),
        targets=_targets(file),
        recommended=recommended if recommended in INSTRUCTIONS else None,
        instructed=instructed,
        assignees=assignees,
        may_act=principal.may("act"),
        lists=running and bool(rules.lists),
        smr=principal.may("smr")
        and ("structuring" in case.patterns or file.disposition == "SUSPICIOUS"),
        four_eyes=settings.four_eyes and case.level == "critical",
    )


def _bar(reason: CaseReason) -> Bar:
    top = max(reason.observed, reason.threshold) * 1.12
    shown = {"count": "{}", "km": "{} km", "money": "${}"}[reason.unit]
    return Bar(
        shown.format(number(reason.observed)),
        shown.format(number(reason.threshold)),
        reason.observed / top,
        reason.threshold / top,
    )


def _guidance(file: CaseFile, rules: Rules) -> list[tuple[str, Guidance]]:
    """The next steps for each pattern.

    Where the customer may not be asked about one, only its steps are given: those of the others
    would lead to the customer.
    """
    found = [
        (reason.pattern, guidance)
        for reason in file.reasons
        if (guidance := rules.patterns[reason.pattern].guidance)
    ]
    silent = [(name, guidance) for name, guidance in found if guidance.say is None]
    return silent or found


def _timeline(file: CaseFile, rules: Rules) -> list[TimelineEntry]:
    case = file.case
    lines = [
        *map(of_event, file.events),
        *(of_action(e.at, e.actor, e.action, e.detail) for e in file.history),
    ]
    if case.opened_at:
        reached = [p.cumulative for p in file.scores if p.at <= case.opened_at]
        title = f"Case opened, {rules.risk.level(reached[-1] if reached else case.score)}"
        lines.append(TimelineEntry(case.opened_at, "case", None, title, None, "fine", [], None))
    # The newest first, and what a signal led to above it.
    return sorted(lines, key=lambda line: (line.at, line.kind == "case"), reverse=True)


def _instructed(history: Iterable[CaseActionEntry]) -> list[str]:
    """The instructions that were sent and not undone."""
    undone = {entry.detail.get("undoes") for entry in history if entry.action == "undo"}
    return [
        str(entry.detail["instruction"])
        for entry in history
        if entry.action == "instruct" and entry.seq not in undone
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
        *(Target("account", name, f"Account {name}") for name in case.account_ids),
        Target("customer", case.customer_id, f"Customer {case.customer_id}"),
    ]


def _map(file: CaseFile) -> Map | None:
    """The impossible trips; None without any."""
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
