"""The audit log in DuckDB: every change by a user is one transaction with its entry."""

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any

import duckdb

from detector.cases import audit
from detector.cases.audit import AuditEntry
from detector.cases.principals import Principal
from detector.core.data import JsonObject, Row

Listener = Callable[[AuditEntry], None]
_COLUMNS = "seq, acted_at, actor, role, action, subject_kind, subject, detail, previous_hash, hash"


class AuditedTransaction:
    """One transaction, open for writing on `db`; its entries are committed with it."""

    def __init__(self, db: duckdb.DuckDBPyConnection, head: tuple[int, str], at: datetime) -> None:
        self.db = db
        self.at = at
        self.head = head
        self.entries: list[AuditEntry] = []
        self.after_commit: list[Callable[[], None]] = []
        """Called once it is committed, before the next transaction starts."""

    def record(
        self, principal: Principal, action: str, kind: str, subject: str, detail: JsonObject
    ) -> AuditEntry:
        """Add an entry; it is stored if and only if the transaction is."""
        seq, previous = self.head
        entry = AuditEntry(
            seq + 1,
            self.at,
            principal.name,
            principal.role,
            action,
            kind,
            subject,
            detail,
            previous,
        ).sealed()
        self.db.execute(
            f"INSERT INTO audit_log ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                entry.seq, entry.at, entry.actor, entry.role, entry.action, entry.subject_kind,
                entry.subject, json.dumps(entry.detail), entry.previous_hash, entry.hash,
            ],
        )  # fmt: skip
        self.head = (entry.seq, entry.hash)
        self.entries.append(entry)
        return entry


class AuditLog:
    """One writer at a time, any number of readers; safe from any thread.

    Open only one per database, because it caches the newest entry.
    """

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, clock: Callable[[], datetime]
    ) -> None:
        self.clock = clock
        self.listeners: list[Listener] = []
        self._db = connection.cursor()
        self._lock = threading.Lock()
        self._head = self.head()

    @contextmanager
    def transaction(self) -> Iterator[AuditedTransaction]:
        """A transaction: everything written in it is committed, or nothing.

        Listeners are called with its entries after the commit, outside every lock.
        """
        with self._lock:
            self._db.begin()
            transaction = AuditedTransaction(self._db, self._head, self.clock())
            try:
                yield transaction
                self._db.commit()
            except BaseException:
                # A failed commit has already ended the transaction.
                with suppress(duckdb.Error):
                    self._db.rollback()
                raise
            self._head = transaction.head
            for done in transaction.after_commit:
                done()
        for entry in transaction.entries:
            for listener in self.listeners:
                listener(entry)

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> list[Row]:
        """The rows of a query over committed data; times in UTC."""
        cursor = self._db.cursor().execute(sql, parameters)
        names = [column[0] for column in cursor.description or []]
        return [dict(zip(names, map(_utc, row), strict=True)) for row in cursor.fetchall()]

    def head(self) -> tuple[int, str]:
        """Number and hash of the newest entry."""
        found = self.rows("SELECT seq, hash FROM audit_log ORDER BY seq DESC LIMIT 1")
        return (found[0]["seq"], found[0]["hash"]) if found else (0, audit.START)

    def entries(
        self,
        limit: int = 100,
        before_seq: int | None = None,
        actor: str | None = None,
        subject: str | None = None,
        action: str | None = None,
        subject_kind: str | None = None,
        without_kind: str | None = None,
    ) -> list[AuditEntry]:
        """Entries, newest first, that match every given filter."""
        filters = {
            "seq < ?": before_seq,
            "actor = ?": actor,
            "subject = ?": subject,
            "action = ?": action,
            "subject_kind = ?": subject_kind,
            "subject_kind <> ?": without_kind,
        }
        conditions = [c for c, value in filters.items() if value is not None] or ["true"]
        values = [value for value in filters.values() if value is not None]
        return self._read(f"{' AND '.join(conditions)} ORDER BY seq DESC LIMIT ?", [*values, limit])

    def after(self, seq: int, limit: int = 100) -> list[AuditEntry]:
        """The next entries in the order in which they were written."""
        return self._read("seq > ? ORDER BY seq LIMIT ?", [seq, limit])

    def verify(self) -> int:
        """Check the whole log and return its length; raises `Tampered` at the first bad entry."""
        return audit.verify(self._all())

    def position(self, follower: str) -> int | None:
        """The last entry that a follower delivered; None before its first start."""
        found = self.rows("SELECT seq FROM audit_followers WHERE name = ?", [follower])
        return found[0]["seq"] if found else None

    def move(self, follower: str, seq: int) -> None:
        """Store the last entry that a follower delivered."""
        with self.transaction() as transaction:
            transaction.db.execute(
                "INSERT OR REPLACE INTO audit_followers VALUES (?, ?)", [follower, seq]
            )

    def close(self) -> None:
        """Release the database."""
        with self._lock:
            self._db.close()

    def _all(self) -> Iterator[AuditEntry]:
        cursor = self._db.cursor().execute(f"SELECT {_COLUMNS} FROM audit_log ORDER BY seq")
        while rows := cursor.fetchmany(10_000):
            yield from map(_entry, rows)

    def _read(self, where: str, values: list[Any]) -> list[AuditEntry]:
        query = f"SELECT {_COLUMNS} FROM audit_log WHERE {where}"
        return [_entry(row) for row in self._db.cursor().execute(query, values).fetchall()]


def _entry(row: tuple[Any, ...]) -> AuditEntry:
    values = [_utc(value) for value in row]
    values[7] = json.loads(values[7])
    return AuditEntry(*values)


def _utc(value: Any) -> Any:
    return value.astimezone(UTC) if isinstance(value, datetime) else value
