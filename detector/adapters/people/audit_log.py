"""The audit log in DuckDB: every change by a user is one transaction with its entry."""

import hmac
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any, NamedTuple

import duckdb

from detector.adapters.people.audit_key import AuditKey
from detector.cases import audit
from detector.cases.audit import AuditEntry
from detector.cases.principals import Principal
from detector.core.data import JsonObject, Row


class Protected(NamedTuple):
    """A table whose rows the audit log protects, its key, and which columns."""

    table: str
    key: str
    columns: str

    @property
    def names(self) -> str:
        """A query for the keys of all rows."""
        return f"SELECT {self.key} AS name FROM {self.table}"

    @property
    def row(self) -> str:
        """A query for one row as text."""
        return f"SELECT [{self.columns}]::VARCHAR FROM {self.table} WHERE {self.key} = ?"


def _texts(columns: str) -> str:
    return ", ".join(f"{name}::VARCHAR" for name in columns.split())


PROTECTED = {
    "user": Protected(
        "users", "username", _texts("username password_hash role must_change disabled epoch")
    ),
    "key": Protected("api_keys", "key_id", _texts("key_id name digest role revoked_at")),
    "case": Protected(
        "case_reviews",
        "case_id",
        _texts("case_id status owner disposition proposed_by version closed_until"),
    ),
    "snooze": Protected(
        "snoozes", "snooze_id", _texts("snooze_id pattern entity_kind entity until ended_at")
    ),
    "list_entry": Protected(
        "list_entries", "entry_id", _texts("entry_id list_name value since until ended_at")
    ),
}
"""By the kind of subject of an entry."""

Listener = Callable[[AuditEntry], None]
_COLUMNS = "seq, acted_at, actor, role, action, subject_kind, subject, detail, previous_hash, hash"


class AuditedTransaction:
    """One transaction, open for writing on `db`; its entries are committed with it."""

    def __init__(
        self, db: duckdb.DuckDBPyConnection, head: tuple[int, str], at: datetime, key: AuditKey
    ) -> None:
        self.db = db
        self._key = key
        self.at = at
        self.head = head
        self.entries: list[AuditEntry] = []
        self.after_commit: list[Callable[[], None]] = []
        """Called once it is committed, before the next transaction starts."""

    def record(
        self, principal: Principal, action: str, kind: str, subject: str, detail: JsonObject
    ) -> AuditEntry:
        """Add an entry, once what it is about is written; stored if the transaction is.

        Its details include a digest of the row that it is about, so that the row is protected, too.
        """
        seq, previous = self.head
        if (state := state_of(self.db, kind, subject, self._key)) is not None:
            detail = {**detail, "state": state}
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
        ).sealed(self._key.key)
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
        self, connection: duckdb.DuckDBPyConnection, clock: Callable[[], datetime], key: AuditKey
    ) -> None:
        self.clock = clock
        self._key = key
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
            transaction = AuditedTransaction(self._db, self._head, self.clock(), self._key)
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

    def exported(
        self, principal: Principal, subject_kind: str, subject: str, detail: JsonObject
    ) -> None:
        """Record that someone took a list out of the system."""
        with self.transaction() as transaction:
            transaction.record(principal, f"export_{subject}", subject_kind, subject, detail)

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
        """Check the log, and that what it protects is as it says; return the log's length.

        Raises `Tampered` at the first bad entry, or at the entry that a row does not match.
        """
        length = audit.verify(self._all(), *self._key)
        for kind in PROTECTED:
            self._verify_rows(kind)
        return length

    def hash_of(self, seq: int) -> str | None:
        """The hash of an entry, to compare with a copy kept elsewhere."""
        found = self.rows("SELECT hash FROM audit_log WHERE seq = ?", [seq])
        return found[0]["hash"] if found else None

    def _verify_rows(self, kind: str) -> None:
        protected = PROTECTED[kind]
        states = {
            row["subject"]: (row["seq"], row["state"])
            for row in self.rows(
                "SELECT subject, max(seq) AS seq, arg_max(detail ->> '$.state', seq) AS state "
                "FROM audit_log WHERE subject_kind = ? AND detail ->> '$.state' IS NOT NULL "
                "GROUP BY subject",
                [kind],
            )
        }
        old = {
            row["subject"]
            for row in self.rows(
                "SELECT DISTINCT subject FROM audit_log WHERE subject_kind = ? AND seq <= ?",
                [kind, self._key.unkeyed_until],
            )
        }
        present = {row["name"] for row in self.rows(protected.names)}
        for subject in sorted(present | states.keys()):
            seq, state = states.get(subject, (0, None))
            if state is None and subject in old:
                continue  # not changed since there is a key
            if state is None or state != state_of(self._db.cursor(), kind, subject, self._key):
                raise audit.Tampered(seq, f"the {kind} {subject} is not as it was left")

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


def state_of(db: duckdb.DuckDBPyConnection, kind: str, subject: str, key: AuditKey) -> str | None:
    """A keyed digest of the row that an entry is about; None where there is none."""
    protected = PROTECTED.get(kind)
    found = protected and db.execute(protected.row, [subject]).fetchone()
    return hmac.new(key.key, found[0].encode(), "sha256").hexdigest()[:32] if found else None


def _entry(row: tuple[Any, ...]) -> AuditEntry:
    values = [_utc(value) for value in row]
    values[7] = json.loads(values[7])
    return AuditEntry(*values)


def _utc(value: Any) -> Any:
    return value.astimezone(UTC) if isinstance(value, datetime) else value
