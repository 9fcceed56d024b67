"""Renders pages: a template, a page object with everything it may use, and the shell."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from detector.adapters.duckdb.store import DuckDBStore
from detector.cases.principals import Permission, Principal
from detector.console.access import csrf
from detector.console.access.sessions import DEMO_USERS
from detector.console.context import context_of
from detector.console.http import formatting
from detector.console.http.problems import Problem
from detector.console.shell import assets
from detector.signals.rules import Rules

PATTERN_COLOURS = 10
"""How many pattern colours app.css has; further patterns reuse them from the first."""


class Link(NamedTuple):
    """An entry of the navigation; shown to those with the permission."""

    name: str
    title: str
    href: str
    needs: Permission


NAVIGATION = (
    Link("overview", "Overview", "/", "read"),
    Link("queue", "Queue", "/cases", "read"),
    Link("signals", "Signals", "/signals", "read"),
    Link("patterns", "Patterns", "/patterns", "read"),
    Link("team", "Team", "/team", "approve"),
    Link("audit", "Audit", "/audit", "audit"),
    Link("admin", "Admin", "/admin", "users"),
)


@dataclass(frozen=True, slots=True)
class Shell:
    """What surrounds every page: the signed-in principal, the navigation and the theme."""

    principal: Principal | None
    must_change: bool
    csrf: str
    demo: bool
    theme: str
    path: str
    now: datetime
    zone: str
    explains: bool
    """Whether the pages of explanations exist: not over a cluster."""

    @property
    def inside(self) -> bool:
        """Whether a user is signed in who has changed any one-time password."""
        return self.principal is not None and not self.must_change

    @property
    def other_demo_user(self) -> str | None:
        """The user as whom a visitor of the demo may continue."""
        others = [name for name in DEMO_USERS if self.principal and name != self.principal.name]
        return others[0] if self.demo and others else None

    def links(self) -> list[Link]:
        """The navigation of this principal."""
        return [link for link in NAVIGATION if self.may(link.needs)]

    def may(self, permission: Permission) -> bool:
        """Whether the signed-in principal has the permission."""
        return self.principal is not None and self.inside and self.principal.may(permission)


class Look(NamedTuple):
    """How a pattern is displayed: the same name and colour on every page."""

    id: str
    title: str
    colour: str


def looks(rules: Rules) -> dict[str, Look]:
    """How each pattern is displayed, in the order of the rules; `colour` is a class of app.css."""
    return {
        pattern.id: Look(pattern.id, pattern.title, f"p-{number % PATTERN_COLOURS + 1}")
        for number, pattern in enumerate(rules.patterns.values())
    }


def shell_of(request: Request) -> Shell:
    """The shell for a request, from its `principal`, `session` and `csrf` token."""
    theme = request.cookies.get("theme", "")
    session = getattr(request.state, "session", None)
    return Shell(
        principal=getattr(request.state, "principal", None),
        must_change=session is not None and session.must_change,
        csrf=csrf.masked(getattr(request.state, "csrf", "")),
        demo=context_of(request).settings.demo,
        theme=theme if theme in ("light", "dark") else "auto",
        path=request.url.path,
        now=datetime.now(UTC),
        zone=context_of(request).settings.timezone,
        explains=isinstance(context_of(request).reader, DuckDBStore),
    )


def render(request: Request, template: str, page: Any, status: int = 200) -> HTMLResponse:
    """The page as HTML; templates get `page`, `shell`, `looks` and the filters of `formatting`."""
    shown = looks(context_of(request).rules)
    html = _ENVIRONMENT.get_template(template).render(
        page=page,
        shell=shell_of(request),
        looks=shown,
        looks_list=[look._asdict() for look in shown.values()],
    )
    return HTMLResponse(html, status, headers={"Cache-Control": "no-store"})


@dataclass(frozen=True, slots=True)
class ErrorPage:
    """Everything shell/error.html may use."""

    problem: Problem
    nav: str = ""

    @property
    def title(self) -> str:
        """The title of the problem."""
        return self.problem.title


def error_page(request: Request, problem: Problem) -> HTMLResponse:
    """A problem as a page."""
    return render(request, "shell/error.html", ErrorPage(problem), problem.status)


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("detector.console", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {
        "static": assets.url,
        "spark": formatting.spark,
        "zone": formatting.zone,
    }
    environment.filters.update(formatting.FILTERS)
    return environment


_ENVIRONMENT = _environment()
