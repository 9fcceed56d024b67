"""Everything users do, in one DuckDB database: the embedded store's, or a separate file."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

import duckdb

from detector.adapters.database import connect
from detector.adapters.people.audit_key import AuditKey, audit_key
from detector.adapters.people.audit_log import AuditLog
from detector.adapters.people.closings import Closings
from detector.adapters.people.in_force import Change, in_force
from detector.adapters.people.keys import ApiKeys
from detector.adapters.people.list_entries import ListEntries
from detector.adapters.people.reports import ReportDrafts
from detector.adapters.people.reviews import Reviews
from detector.adapters.people.rule_versions import RuleVersions
from detector.adapters.people.saved_views import SavedViews
from detector.adapters.people.snoozes import Snoozes
from detector.adapters.people.users import Users
from detector.adapters.people.work_done import WorkDone
from detector.signals.rules import Rules

Adopt = Callable[[Callable[[datetime | None], Rules]], None]
"""`Pipeline.adopt`."""


def people_schema() -> str:
    """The statements that create the tables where they are missing."""
    return files("detector.adapters.people").joinpath("schema.sql").read_text("utf-8")


def people_tables() -> set[str]:
    """The names of the tables."""
    return set(re.findall(r"CREATE TABLE IF NOT EXISTS (\w+)", people_schema()))


def key_file(path: Path) -> Path:
    """The file of the audit log's key, beside the database."""
    return path.with_name(path.name + ".audit-key")


def utc_now() -> datetime:
    """The current time."""
    return datetime.now(UTC)


class PeopleStore:
    """Everything users do; a change and its audit entry are one transaction.

    Safe from any thread. It has its own cursor on the connection's database and writes only its own
    tables, so it never conflicts with the pipeline. Create one per database. `four_eyes` says
    whether closing a critical case takes a second person. The audit log's key is in a file beside
    `path`; without a path it is a new one.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        *,
        four_eyes: bool = True,
        clock: Callable[[], datetime] = utc_now,
        path: Path | None = None,
    ) -> None:
        self._own: duckdb.DuckDBPyConnection | None = None
        cursor = connection.cursor()
        cursor.execute(people_schema())
        [(entries,)] = cursor.execute("SELECT count(*) FROM audit_log").fetchall()
        key = audit_key(key_file(path), entries) if path is not None else AuditKey.new(entries)
        self.audit = AuditLog(connection, clock, key)
        self.users = Users(self.audit)
        self.keys = ApiKeys(self.audit)
        self.reviews = Reviews(self.audit, self.users, four_eyes)
        self.closings = Closings(self.audit)
        self.work_done = WorkDone(self.audit)
        self.snoozes = Snoozes(self.audit)
        self.saved_views = SavedViews(self.audit)
        self.rule_versions = RuleVersions(self.audit, four_eyes)
        self.list_entries = ListEntries(self.audit)
        self.reports = ReportDrafts(self.audit)

    @classmethod
    def open(
        cls, path: Path, *, four_eyes: bool = True, clock: Callable[[], datetime] = utc_now
    ) -> "PeopleStore":
        """The people store in a file: an embedded store's, or a separate one that only its owner
        can read.
        """
        connection = connect(path)
        try:
            people = cls(connection, four_eyes=four_eyes, clock=clock, path=path)
        except BaseException:
            connection.close()
            raise
        people._own = connection
        return people

    def follow_rules(self, adopt: Adopt, given: Rules) -> None:
        """From now on, have a running engine adopt what people change of the given rules."""

        def apply(db: duckdb.DuckDBPyConnection, change: Change) -> None:
            def changed(latest: datetime | None) -> Rules:
                change(latest)
                return in_force(db, given)

            adopt(changed)

        self.rule_versions.apply = self.list_entries.apply = apply

    def close(self) -> None:
        """Release the database."""
        self.audit.close()
        if self._own is not None:
            self._own.close()
