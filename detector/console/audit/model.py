"""Pages of the audit log, redacted for the principal, and its verification."""

from datetime import datetime

from pydantic import BaseModel, Field

from detector.cases.audit import AuditEntry, Tampered
from detector.cases.principals import Principal
from detector.cases.withheld import sees_decisions, without_decision
from detector.console.context import Context
from detector.core.data import JsonObject

RESTRICTED = "smr"
"""The kind of entries visible only to those who may see suspicious matter reports."""


class AuditEntryAnswer(BaseModel):
    """Who did what, when, to what. `detail` depends on the action."""

    seq: int
    at: datetime
    actor: str
    role: str
    action: str
    subject_kind: str
    subject: str
    detail: JsonObject
    previous_hash: str
    hash: str


class AuditPage(BaseModel):
    """Entries, newest first; `next` is the `before` of the following page."""

    entries: list[AuditEntryAnswer]
    next: int | None


class Verification(BaseModel):
    """Whether every entry's hash follows from the previous entry."""

    valid: bool
    entries: int = Field(description="How many entries were verified.")
    head: str = Field(
        description="Hash of the newest entry. A copy stored elsewhere proves the end."
    )
    detail: str | None = Field(None, description="What is wrong, and at which entry.")
    first_bad: int | None = None


def audit_page(
    context: Context,
    principal: Principal,
    before: int | None = None,
    limit: int = 100,
    actor: str | None = None,
    subject: str | None = None,
    action: str | None = None,
) -> AuditPage:
    """A page of the log as the principal may see it."""
    filters = {"actor": actor, "subject": subject, "action": action}
    # A filter that matched a redacted entry would reveal what is redacted.
    hidden = None if principal.may("smr") or not any(filters.values()) else RESTRICTED
    found = context.people.audit.entries(limit + 1, before, without_kind=hidden, **filters)
    shown = found[:limit]
    return AuditPage(
        entries=[_redacted(entry, principal) for entry in shown],
        next=shown[-1].seq if len(found) > limit else None,
    )


def verification(context: Context) -> Verification:
    """Recompute the whole chain of hashes."""
    audit = context.people.audit
    _, head = audit.head()
    try:
        return Verification(valid=True, entries=audit.verify(), head=head)
    except Tampered as error:
        return Verification(
            valid=False, entries=error.seq - 1, head=head, detail=str(error), first_bad=error.seq
        )


def _redacted(entry: AuditEntry, principal: Principal) -> AuditEntryAnswer:
    shown = {name: getattr(entry, name) for name in AuditEntryAnswer.model_fields}
    if entry.subject_kind == RESTRICTED and not principal.may("smr"):
        shown |= {"action": "restricted", "subject_kind": "restricted", "subject": "", "detail": {}}
    elif entry.subject_kind == "case" and not sees_decisions(principal):
        shown["detail"] = without_decision(entry.action, entry.detail)
    return AuditEntryAnswer.model_validate(shown)
