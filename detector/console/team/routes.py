"""The team page, also as JSON; for those who approve."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from detector.adapters.people.store import utc_now
from detector.cases.principals import Principal
from detector.console.access.permissions import require
from detector.console.context import InContext
from detector.console.http.problems import problems
from detector.console.shell.rendering import render
from detector.console.team.model import Team, team
from detector.signals.rules import LEVELS, Level

router = APIRouter()
Leads = Annotated[Principal, Depends(require("approve"))]


@dataclass(frozen=True, slots=True)
class TeamView:
    """Everything team/page.html may use."""

    now: Team
    nav: str = "team"
    title: str = "Team"
    levels: tuple[Level, ...] = LEVELS

    @property
    def most(self) -> int:
        """The decisions of the busiest hour, at least one."""
        return max(1, *(hour.decided for hour in self.now.hours))


@router.get("/v1/team", operation_id="team", tags=["cases"], responses=problems(401, 403))
def get_team(context: InContext, _: Leads) -> Team:
    """Ageing of the open cases, decisions of the last 24 hours, precision of the patterns."""
    return team(context.reader, context.people, utc_now())


@router.get("/team", include_in_schema=False)
def team_page(request: Request, context: InContext, principal: Leads) -> Response:
    """The team's work."""
    return render(request, "team/page.html", TeamView(get_team(context, principal)))
