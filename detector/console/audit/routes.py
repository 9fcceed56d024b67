"""The audit log for those with the permission, also as JSON."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from detector.console.access.permissions import Audits
from detector.console.audit.model import (
    AuditEntryAnswer,
    AuditPage,
    Verification,
    audit_page,
    verification,
)
from detector.console.audit.view import AuditView
from detector.console.context import InContext
from detector.console.http.fields import Short
from detector.console.http.problems import problems
from detector.console.http.spreadsheet import MOST_EXPORTED, csv_answers, csv_file
from detector.console.shell.rendering import render

router = APIRouter()
Before = Annotated[int | None, Query(ge=1, le=2**53)]


@router.get(
    "/v1/audit", operation_id="read_audit", tags=["audit"], responses=problems(401, 403, 422)
)
def read_audit(
    context: InContext,
    principal: Audits,
    before: Before = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    actor: Annotated[Short | None, Query()] = None,
    subject: Annotated[Short | None, Query()] = None,
    action: Annotated[Short | None, Query()] = None,
) -> AuditPage:
    """The audit log, newest first.

    Entries about suspicious matter reports are redacted for those who may not see such reports.
    """
    return audit_page(context, principal, before, limit, actor, subject, action)


@router.get(
    "/v1/audit.csv",
    operation_id="export_audit",
    tags=["audit"],
    responses=csv_answers(401, 403, 422),
    response_class=Response,
)
def export_audit(
    context: InContext,
    principal: Audits,
    actor: Annotated[Short | None, Query()] = None,
    subject: Annotated[Short | None, Query()] = None,
    action: Annotated[Short | None, Query()] = None,
) -> Response:
    """The audit log as filtered, newest first, as CSV; the export is itself an entry."""
    found = audit_page(context, principal, None, MOST_EXPORTED, actor, subject, action).entries
    asked = {"actor": actor, "subject": subject, "action": action}
    detail = {"entries": len(found), "filters": {k: v for k, v in asked.items() if v}}
    context.people.audit.exported(principal, "audit", "audit", detail)
    return csv_file("audit-log", AuditEntryAnswer, found)


@router.get(
    "/v1/audit/verify", operation_id="verify_audit", tags=["audit"], responses=problems(401, 403)
)
def verify_audit(context: InContext, _: Audits) -> Verification:
    """Recompute the whole chain of hashes."""
    return verification(context)


@router.get("/audit", include_in_schema=False)
def show_audit(
    request: Request,
    context: InContext,
    principal: Audits,
    before: Before = None,
    actor: str = "",
    subject: str = "",
    action: str = "",
    verify: bool = False,
) -> Response:
    """The audit log, newest first."""
    filters = {"actor": actor.strip(), "subject": subject.strip(), "action": action.strip()}
    given = {name: text or None for name, text in filters.items()}
    found = audit_page(context, principal, before, 100, **given)
    result = verification(context) if verify else None
    return render(request, "audit/page.html", AuditView(found, result, filters, before is None))
