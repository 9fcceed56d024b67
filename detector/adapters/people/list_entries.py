"""Entries of the named lists: who added which value, why, and until when it holds."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from detector.adapters.people.audit_log import AuditLog
from detector.adapters.people.in_force import Apply, unwatched
from detector.cases.principals import Principal
from detector.cases.review import ActionRefused

_NEXT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class ListEntry:
    """A value of a list; it holds for the events in [since, until) of their own time."""

    entry_id: str
    list_name: str
    value: str
    since: datetime
    until: datetime | None
    reason: str
    added_by: str
    added_at: datetime
    ended_by: str | None
    ended_at: datetime | None


class ListEntries:
    """All entries that people made, in force or over; the file's are not among them."""

    def __init__(self, audit: AuditLog) -> None:
        self._audit = audit
        self.apply: Apply = unwatched

    def all(self) -> list[ListEntry]:
        """The newest first."""
        query = "SELECT * FROM list_entries ORDER BY added_at DESC, entry_id"
        return [ListEntry(**row) for row in self._audit.rows(query)]

    def add(
        self, principal: Principal, name: str, value: str, reason: str, days: int | None
    ) -> ListEntry:
        """List a value, for events later than all that were judged; without `days` until ended."""
        with self._audit.transaction() as transaction:
            entry_id = f"lst_{secrets.token_hex(6)}"
            at = transaction.at

            def write(latest: datetime | None) -> None:
                since = at if latest is None else latest + _NEXT
                until = None if days is None else since + timedelta(days=days)
                if self._listed(name, value, since):
                    raise ActionRefused(f"{value} is in list {name} already.")
                transaction.db.execute(
                    "INSERT INTO list_entries VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL, NULL)",
                    [entry_id, name, value, since, until, reason, principal.name, at],
                )

            self.apply(transaction.db, write)
            detail = {"list": name, "value": value, "reason": reason, "days": days}
            transaction.record(principal, "add_list_entry", "list_entry", entry_id, detail)
        return self.get(entry_id)

    def end(self, principal: Principal, entry_id: str) -> None:
        """End an entry for events later than all that were judged.

        `KeyError` if there is none, `ActionRefused` if it is over.
        """
        with self._audit.transaction() as transaction:
            entry = self.get(entry_id)

            def write(latest: datetime | None) -> None:
                until = transaction.at if latest is None else latest + _NEXT
                if entry.until is not None and entry.until <= until:
                    raise ActionRefused(f"The entry of {entry.value} is over already.")
                transaction.db.execute(
                    "UPDATE list_entries SET until = ?, ended_by = ?, ended_at = ? "
                    "WHERE entry_id = ?",
                    [until, principal.name, transaction.at, entry_id],
                )

            self.apply(transaction.db, write)
            detail = {"list": entry.list_name, "value": entry.value}
            transaction.record(principal, "end_list_entry", "list_entry", entry_id, detail)

    def get(self, entry_id: str) -> ListEntry:
        """An entry; `KeyError` if there is none."""
        found = self._audit.rows("SELECT * FROM list_entries WHERE entry_id = ?", [entry_id])
        if not found:
            raise KeyError(entry_id)
        return ListEntry(**found[0])

    def _listed(self, name: str, value: str, at: datetime) -> bool:
        query = (
            "SELECT 1 FROM list_entries WHERE list_name = ? AND value = ? "
            "AND (until IS NULL OR until > ?)"
        )
        return bool(self._audit.rows(query, [name, value, at]))
