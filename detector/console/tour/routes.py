"""The guided tour of the console: what `fraud demo` shows in a terminal."""

from dataclasses import dataclass
from typing import NamedTuple

from fastapi import APIRouter, Request, Response

from detector.analysis.tour import Step, played
from detector.cases.case import Case
from detector.console.access.permissions import Reads
from detector.console.context import InContext
from detector.console.shell.rendering import render
from detector.signals.rules import Rules
from detector.signals.signal import Signal

router = APIRouter(include_in_schema=False)


class Scene(NamedTuple):
    """A step of the story, and what the engine made of its event."""

    step: Step
    milliseconds: float
    signals: list[Signal]
    cases: list[Case]
    ask: list[str]

    @property
    def clock(self) -> str:
        """The minute and second of the story."""
        minutes, seconds = divmod(int(self.step.at), 60)
        return f"{minutes}:{seconds:02d}"


@dataclass(frozen=True, slots=True)
class TourPage:
    """Everything tour/page.html may use."""

    scenes: list[Scene]
    nav: str = ""
    title: str = "Tour"


def scenes(rules: Rules) -> list[Scene]:
    """The story, played through an engine of its own; each question is asked once."""
    found, asked = [], set[str]()
    for step, work, micros in played(rules):
        fresh = [s.pattern for s in work.new_signals if s.pattern not in asked]
        asked.update(fresh)
        guidance = [rules.patterns[name].guidance for name in fresh]
        ask = [g.say for g in guidance if g and g.say]
        found.append(Scene(step, micros / 1000, work.new_signals, list(work.cases.values()), ask))
    return found


@router.get("/tour")
def tour_page(request: Request, context: InContext, _: Reads) -> Response:
    """One account takeover, second by second."""
    return render(request, "tour/page.html", TourPage(scenes(context.rules)))
