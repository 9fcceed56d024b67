"""The audit log's view."""

import re
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlencode

from detector.cases.actions import ACTIONS
from detector.console.audit.model import AuditEntryAnswer, AuditPage, Verification
from detector.console.http.formatting import moment, zone
from detector.core.text import label

AUDITED = (
    *ACTIONS,
    *("add_list_entry", "end_list_entry"),
    *("snooze", "end_snooze", "read_smr", "save_smr", "export_closed"),
    *("sign_in", "sign_out"),
    *("add_user", "change_user", "set_password", "add_key", "revoke_key"),
    *("back_up", "release_pattern"),
    *("propose_rule", "shadow_rule", "approve_rule", "reject_rule", "roll_back_rule"),
)
"""The actions in the filter."""

_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+\+00:00$")
_STATE = ("status", "owner", "disposition")
_HREFS = {"case": "/cases/", "smr": "/cases/"}


@dataclass(frozen=True, slots=True)
class AuditView:
    """Everything audit/page.html may use."""

    log: AuditPage
    verification: Verification | None
    filters: dict[str, str] = field(default_factory=dict)
    first: bool = True
    title: str = "Audit log"
    nav: str = "audit"
    actions: tuple[str, ...] = AUDITED

    def href(self, **changed: str | int | None) -> str:
        """The URL of this page with some of the filters changed."""
        query = {**self.filters, **changed}
        return f"/audit?{urlencode({k: v for k, v in query.items() if v})}"

    @property
    def filtered(self) -> bool:
        """Whether a filter is active."""
        return any(self.filters.values())

    def changes(self, entry: AuditEntryAnswer) -> list[tuple[str, str, str]]:
        """What an action changed in the review of its case: name, before, after."""
        before, after = (entry.detail.get(name) or {} for name in ("before", "after"))
        names = [n for n in _STATE if before.get(n) != after.get(n)]
        return [(name, _shown(before.get(name)), _shown(after.get(name))) for name in names]

    def details(self, entry: AuditEntryAnswer) -> dict[str, str]:
        """The other details of an entry."""
        shown = {"case", "before", "after", "state", *(name for name, _, _ in self.changes(entry))}
        return {
            name: _shown(value)
            for name, value in entry.detail.items()
            if name not in shown and value not in (None, "")
        }

    def subject_href(self, entry: AuditEntryAnswer) -> str | None:
        """The page of an entry's subject."""
        prefix = _HREFS.get(entry.subject_kind)
        return f"{prefix}{entry.subject}" if prefix else None


def _shown(value: object) -> str:
    """A value of an entry for display."""
    if isinstance(value, str) and _INSTANT.match(value):
        return f"{moment(datetime.fromisoformat(value))} {zone()}"
    if isinstance(value, str) and value.isupper():
        return label(value)
    return "none" if value is None else str(value)
