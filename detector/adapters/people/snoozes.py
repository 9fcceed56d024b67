"""Snoozes: patterns silenced for an account, customer or card until a time."""

import secrets
from dataclasses import dataclass
from datetime import datetime

from detector.adapters.people.audit_log import AuditLog
from detector.cases.principals import Principal
from detector.cases.review import ActionRefused


@dataclass(frozen=True, slots=True)
class Snooze:
    """A pattern silenced for an entity; `entity_kind` is account, customer or card."""

    snooze_id: str
    pattern: str
    entity_kind: str
    entity: str
    until: datetime
    reason: str
    created_by: str
    created_at: datetime
    ended_at: datetime | None


class Snoozes:
    """All snoozes, in force or over."""

    def __init__(self, audit: AuditLog) -> None:
        self._audit = audit

    def all(self, limit: int = 500) -> list[Snooze]:
        """The newest snoozes first."""
        query = "SELECT * FROM snoozes ORDER BY created_at DESC, snooze_id LIMIT ?"
        return [Snooze(**row) for row in self._audit.rows(query, [limit])]

    def active(self, at: datetime) -> list[Snooze]:
        """The snoozes in force at that time, those that end first first."""
        query = "SELECT * FROM snoozes WHERE ended_at IS NULL AND until > ? ORDER BY until"
        return [Snooze(**row) for row in self._audit.rows(query, [at])]

    def add(
        self,
        principal: Principal,
        pattern: str,
        entity_kind: str,
        entity: str,
        until: datetime,
        reason: str,
    ) -> Snooze:
        """Silence a pattern for an entity until then."""
        with self._audit.transaction() as transaction:
            name = f"snz_{secrets.token_hex(6)}"
            at = transaction.at
            snooze = Snooze(
                name, pattern, entity_kind, entity, until, reason, principal.name, at, None
            )
            transaction.db.execute(
                "INSERT INTO snoozes VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL)",
                [name, pattern, entity_kind, entity, until, reason, principal.name, at],
            )
            detail = {
                "pattern": pattern,
                entity_kind: entity,
                "until": until.isoformat(),
                "reason": reason,
            }
            transaction.record(principal, "snooze", "snooze", name, detail)
        return snooze

    def end(self, principal: Principal, snooze_id: str) -> None:
        """End a snooze early; `KeyError` if there is none, `ActionRefused` if it is over."""
        with self._audit.transaction() as transaction:
            found = self._audit.rows("SELECT * FROM snoozes WHERE snooze_id = ?", [snooze_id])
            snooze = Snooze(**found[0]) if found else None
            if snooze is None:
                raise KeyError(snooze_id)
            if snooze.ended_at is not None or snooze.until <= transaction.at:
                raise ActionRefused(f"The snooze {snooze_id} is already over.")
            transaction.db.execute(
                "UPDATE snoozes SET ended_at = ? WHERE snooze_id = ?", [transaction.at, snooze_id]
            )
            detail = {"pattern": snooze.pattern, snooze.entity_kind: snooze.entity}
            transaction.record(principal, "end_snooze", "snooze", snooze_id, detail)
