"""The pages beside the cases: the audit log, people and keys, and snoozes."""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request, Response

from detector.cases import review
from detector.console.context import InContext
from detector.console.people import KeyAnswer, UserAnswer, list_keys, list_users
from detector.console.rendering import render
from detector.console.security import Person, require
from detector.console.snoozes import SnoozeAnswer, list_snoozes
from detector.console.trail import AuditEntry, AuditPage, Verdict, audit_page, verify_audit
from detector.console.words import label, moment

router = APIRouter(include_in_schema=False)
ROLES = {
    "viewer": "sees everything but reports and the audit log",
    "analyst": "works cases",
    "supervisor": "works and approves cases, drafts reports, sees the audit log",
    "admin": "lets people and machines in, sees the audit log",
}
KEY_ROLES = {
    "machine": "sends events and asks for scores",
    "viewer": "reads what a viewer sees",
}
ACTIONS = (
    *review.ACTIONS,
    *("undo", "snooze", "end_snooze", "read_smr", "save_smr", "sign_in", "sign_out"),
    *("add_user", "change_user", "set_password", "add_key", "revoke_key"),
)
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+\+00:00$")
_STATE = ("status", "owner", "disposition")
SUBJECTS = {"case": "/cases/", "smr": "/cases/"}


@dataclass(frozen=True, slots=True)
class AuditLogPage:
    """Everything audit.html may use."""

    log: AuditPage
    verdict: Verdict | None
    asked: dict[str, str] = field(default_factory=dict)
    first: bool = True
    title: str = "Audit log"
    nav: str = "audit"
    actions: tuple[str, ...] = ACTIONS

    def href(self, **changed: str | int | None) -> str:
        """This page with some of the questions put differently."""
        asked = {**self.asked, **changed}
        return f"/audit?{urlencode({k: v for k, v in asked.items() if v})}"

    def changes(self, entry: AuditEntry) -> list[tuple[str, str, str]]:
        """What an action changed in the state of its case: name, before, after."""
        before, after = (entry.detail.get(name) or {} for name in ("before", "after"))
        names = [n for n in _STATE if before.get(n) != after.get(n)]
        return [(name, _said(before.get(name)), _said(after.get(name))) for name in names]

    def facts(self, entry: AuditEntry) -> dict[str, str]:
        """What else an entry says."""
        told = {"case", "before", "after", *(name for name, _, _ in self.changes(entry))}
        return {
            name: _said(value)
            for name, value in entry.detail.items()
            if name not in told and value not in (None, "")
        }

    def subject_href(self, kind: str, subject: str) -> str | None:
        """Where what an entry is about can be seen."""
        return f"{SUBJECTS[kind]}{subject}" if kind in SUBJECTS else None


@dataclass(frozen=True, slots=True)
class AdminPage:
    """Everything admin.html may use."""

    users: list[UserAnswer]
    keys: list[KeyAnswer]
    me: str
    title: str = "Administration"
    nav: str = "admin"
    roles: dict[str, str] = field(default_factory=lambda: ROLES)
    key_roles: dict[str, str] = field(default_factory=lambda: KEY_ROLES)


@dataclass(frozen=True, slots=True)
class SnoozesPage:
    """Everything snoozes.html may use."""

    snoozes: list[SnoozeAnswer]
    at: datetime
    may_end: bool
    title: str = "Snoozes"
    nav: str = ""

    def is_active(self, snooze: SnoozeAnswer) -> bool:
        """Whether it silences anything now."""
        return snooze.ended_at is None and snooze.until > self.at


@router.get("/audit")
def audit(
    request: Request,
    context: InContext,
    person: Annotated[Person, Depends(require("audit"))],
    before: Annotated[int | None, Query(ge=1, le=2**53)] = None,
    actor: str = "",
    subject: str = "",
    action: str = "",
    verify: bool = False,
) -> Response:
    """What people did."""
    asked = {"actor": actor.strip(), "subject": subject.strip(), "action": action.strip()}
    found = audit_page(
        context, person, before, 100, **{name: text or None for name, text in asked.items()}
    )
    verdict = verify_audit(context, person) if verify else None
    page = AuditLogPage(found, verdict, asked, before is None)
    return render(request, "audit.html", page)


@router.get("/admin")
def admin(
    request: Request, context: InContext, person: Annotated[Person, Depends(require("users"))]
) -> Response:
    """Who may come in."""
    users, keys = list_users(context, person).users, list_keys(context, person).keys
    return render(request, "admin.html", AdminPage(users, keys, person.name))


@router.get("/snoozes")
def snoozes(
    request: Request, context: InContext, person: Annotated[Person, Depends(require("read"))]
) -> Response:
    """What nobody wants to hear of for a while."""
    found = list_snoozes(context, person, active=False).snoozes
    page = SnoozesPage(found, datetime.now(UTC), person.may("act"))
    return render(request, "snoozes.html", page)


def _said(value: Any) -> str:
    """A value of an entry as people read it."""
    if isinstance(value, str) and _INSTANT.match(value):
        return f"{moment(datetime.fromisoformat(value))} UTC"
    if isinstance(value, str) and value.isupper():
        return label(value)
    return "none" if value is None else str(value)
