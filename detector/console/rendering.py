"""Pages: a template, a page object that says all the template may use, and the shell around it."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from detector.console import assets, words, worldmap
from detector.console.context import context_of
from detector.console.problems import Problem
from detector.console.security import Permission, Person
from detector.core.rules import Rules

PATTERN_COLOURS = 10
"""How many pattern colours app.css has; further patterns take the colours round again."""


class Link(NamedTuple):
    """A place in the navigation; shown to those who may go there."""

    name: str
    title: str
    href: str
    needs: Permission


NAVIGATION = (
    Link("overview", "Overview", "/", "read"),
    Link("queue", "Queue", "/cases", "read"),
    Link("signals", "Signals", "/signals", "read"),
    Link("patterns", "Patterns", "/patterns", "read"),
    Link("audit", "Audit", "/audit", "audit"),
    Link("admin", "Admin", "/admin", "users"),
)


@dataclass(frozen=True, slots=True)
class Shell:
    """What surrounds every page: who looks at it, where they may go and how it should look."""

    person: Person | None
    must_change: bool
    csrf: str
    demo: bool
    theme: str
    path: str
    now: datetime

    @property
    def inside(self) -> bool:
        """Whether someone is signed in, and not with a one-time password still."""
        return self.person is not None and not self.must_change

    def links(self) -> list[Link]:
        """The places that this person may go to."""
        return [link for link in NAVIGATION if self.may(link.needs)]

    def may(self, permission: Permission) -> bool:
        """Whether who is signed in may do this now; nobody may do anything."""
        return self.person is not None and self.inside and self.person.may(permission)


class Look(NamedTuple):
    """How a pattern is shown: the same name and colour on every page."""

    id: str
    title: str
    colour: str


def looks(rules: Rules) -> dict[str, Look]:
    """How each pattern is shown, in the order of the rules; `colour` is a class of app.css."""
    return {
        pattern.id: Look(pattern.id, pattern.title, f"p-{number % PATTERN_COLOURS + 1}")
        for number, pattern in enumerate(rules.patterns.values())
    }


def shell_of(request: Request) -> Shell:
    """The shell for a request; `request.state` carries the `person` and the `csrf` token."""
    theme = request.cookies.get("theme", "")
    session = getattr(request.state, "session", None)
    return Shell(
        person=getattr(request.state, "person", None),
        must_change=session is not None and session.must_change,
        csrf=getattr(request.state, "csrf", ""),
        demo=context_of(request).settings.demo,
        theme=theme if theme in ("light", "dark") else "auto",
        path=request.url.path,
        now=datetime.now(UTC),
    )


def render(request: Request, template: str, page: Any, status: int = 200) -> HTMLResponse:
    """The page as HTML; templates may use `page`, `shell`, `looks` and the words of `words.py`."""
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
    """Everything error.html may use."""

    problem: Problem
    nav: str = ""

    @property
    def title(self) -> str:
        """What went wrong, in two words."""
        return self.problem.title


def error_page(request: Request, problem: Problem) -> HTMLResponse:
    """A problem as a page for people."""
    return render(request, "error.html", ErrorPage(problem), problem.status)


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("detector.console"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {"static": assets.url, "arc": worldmap.arc, "spark": words.spark}
    environment.filters.update(words.FILTERS)
    return environment


_ENVIRONMENT = _environment()
