"""Drafts of suspicious matter reports. Restricted: every read is in the audit log."""

import json
from datetime import datetime

from detector.adapters.people.audit_log import AuditLog
from detector.cases.principals import Principal
from detector.core.data import JsonObject


class ReportDrafts:
    """One draft per case."""

    def __init__(self, audit: AuditLog) -> None:
        self._audit = audit

    def read(self, principal: Principal, case_id: str) -> JsonObject | None:
        """The stored draft; the read is audited whether or not there is one."""
        with self._audit.transaction() as transaction:
            transaction.record(principal, "read_smr", "smr", case_id, {})
        found = self._audit.rows("SELECT * FROM smr_drafts WHERE case_id = ?", [case_id])
        return {**found[0], "fields": json.loads(found[0]["fields"])} if found else None

    def save(self, principal: Principal, case_id: str, fields: JsonObject) -> datetime:
        """Save the draft and return the time; the audit entry does not contain the draft."""
        with self._audit.transaction() as transaction:
            transaction.db.execute(
                "INSERT OR REPLACE INTO smr_drafts (case_id, fields, updated_by, updated_at) "
                "VALUES (?, ?, ?, ?)",
                [case_id, json.dumps(fields), principal.name, transaction.at],
            )
            transaction.record(principal, "save_smr", "smr", case_id, {})
            return transaction.at
