"""The audit log, for those who may see what others did."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from detector.cases.audit import Entry, Tampered
from detector.console.context import InContext
from detector.console.problems import problems
from detector.console.security import Person, require
from detector.console.texts import Short

router = APIRouter(tags=["audit"])
Audits = Annotated[Person, Depends(require("audit"))]
RESTRICTED = "smr"
"""The kind of entries that only those may see who may see suspicious matter reports."""


class AuditEntry(BaseModel):
    """Who did what, when, to what. `detail` depends on the action."""

    seq: int
    at: datetime
    actor: str
    role: str
    action: str
    subject_kind: str
    subject: str
    detail: dict[str, Any]
    previous_hash: str
    hash: str


class AuditPage(BaseModel):
    """Entries, newest first; `next` is the `before` of the following page."""

    entries: list[AuditEntry]
    next: int | None


class Verdict(BaseModel):
    """Whether every entry follows from the one before it."""

    sound: bool
    entries: int = Field(description="How many were checked and found sound.")
    head: str = Field(description="Hash of the last entry. Kept elsewhere, it proves the end.")
    detail: str | None = Field(None, description="What is wrong, and at which entry.")
    first_bad: int | None = None


@router.get("/v1/audit", operation_id="read_audit", responses=problems(401, 403, 422))
def read_audit(
    context: InContext,
    person: Audits,
    before: Annotated[int | None, Query(ge=1, le=2**53)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    actor: Annotated[Short | None, Query()] = None,
    subject: Annotated[Short | None, Query()] = None,
    action: Annotated[Short | None, Query()] = None,
) -> AuditPage:
    """What people did, newest first.

    Entries about suspicious matter reports are blanked for those who may not see such reports.
    """
    return audit_page(context, person, before, limit, actor, subject, action)


def audit_page(
    context: InContext,
    person: Person,
    before: int | None = None,
    limit: int = 100,
    actor: str | None = None,
    subject: str | None = None,
    action: str | None = None,
) -> AuditPage:
    """A page of the log as the person may see it."""
    but = None if person.may("smr") else RESTRICTED
    asked = {"actor": actor, "subject": subject, "action": action}
    # Who searches must not learn from a hit what is blanked in it.
    but_kind = but if any(asked.values()) else None
    found = context.desk.entries(limit + 1, before, but_kind=but_kind, **asked)
    shown = found[:limit]
    return AuditPage(
        entries=[_shown(entry, person) for entry in shown],
        next=shown[-1].seq if len(found) > limit else None,
    )


@router.get("/v1/audit/verify", operation_id="verify_audit", responses=problems(401, 403))
def verify_audit(context: InContext, person: Audits) -> Verdict:
    """Recompute the whole chain of hashes."""
    _, head = context.desk.log.head()
    try:
        return Verdict(sound=True, entries=context.desk.verify(), head=head)
    except Tampered as error:
        return Verdict(
            sound=False, entries=error.seq - 1, head=head, detail=str(error), first_bad=error.seq
        )


def _shown(entry: Entry, person: Person) -> AuditEntry:
    shown = {name: getattr(entry, name) for name in AuditEntry.model_fields}
    if entry.subject_kind == RESTRICTED and not person.may("smr"):
        shown |= {"action": "restricted", "subject_kind": "restricted", "subject": "", "detail": {}}
    return AuditEntry.model_validate(shown)
