"""The embedded store: a DuckDB file, with its journal and what is known of keys beside it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import msgspec

from detector.adapters.database import (
    confine,
    connect,
    identifier,
    one_select,
    rows_of,
)
from detector.adapters.duckdb.archive import Archive, archive_folder
from detector.adapters.duckdb.backup import back_up, backup_folder
from detector.adapters.duckdb.layout import lay_out
from detector.adapters.duckdb.reading import read_signals
from detector.adapters.duckdb.recall import customer_signals, recall
from detector.adapters.duckdb.sizes import sizes_of
from detector.adapters.duckdb.tables import Tables
from detector.adapters.duckdb.views import OPEN_CASES
from detector.adapters.duckdb.write_behind import WriteBehind
from detector.adapters.known import KnownFile
from detector.adapters.people.in_force import in_force
from detector.adapters.people.store import PeopleStore
from detector.cases.book import CustomerSignals
from detector.core.data import Row
from detector.core.events import STREAMS, Identity
from detector.pipeline.knowledge import fingerprints
from detector.pipeline.ports import Memory
from detector.pipeline.work import DeadLetter, Decision, Work
from detector.signals.rules import Rules
from detector.signals.signal import Signal
from detector.state.knowledge import KnownRow

BESIDE = "beside"


class DuckDBStore:
    """Stores events, findings and source positions; every commit is one transaction.

    What was committed survives a crash, and whatever reads here finds it.
    """

    open_cases = f"({OPEN_CASES}) AS open_cases"
    rules: Rules
    """The rules in force: those given, with the versions approved in this store."""

    def __init__(self, path: Path, rules: Rules) -> None:
        self.path = path
        self.rules = self.rules_given = rules
        self._connection = connect(path)
        self._people: PeopleStore | None = None
        # One core for commits, the other for detection; few checkpoints keep their cost low.
        self._connection.execute("SET threads = 1")
        self._connection.execute("SET checkpoint_threshold = '128MB'")
        self._tables = Tables(self._connection, path)
        self._archive_folder = archive_folder(path).resolve()
        folders = (self._tables.rows.folder, self._archive_folder, backup_folder(path).resolve())
        confine(self._connection, *folders)
        self._committed_at: datetime | None = None
        self._known = KnownFile(path, fingerprints(rules))
        # What is known as of each commit, not yet in that file.
        self._lagging: list[tuple[list[KnownRow], datetime | None, datetime]] = []
        self._behind: WriteBehind | None = None
        try:
            lay_out(self._connection, str(path), rules)
            if str(path) != ":memory:":
                self._behind = WriteBehind(path, self._tables)
                self._behind.recover()
            self._committed_at = self._tables.last_commit()
            self.rules = in_force(self._connection, rules)
        except BaseException:
            self.close()
            raise

    def commit(self, work: Work) -> None:
        """Keep the work and its source position, all or nothing."""
        moment = self._next_moment()
        if self._behind is None:
            self._tables.write(work, moment)
        else:
            self._behind.commit(work, self._committed_at, moment)
        self._committed_at = moment
        self._lagging.append((work.known, work.settled_until, moment))

    def catch_up(self) -> None:
        """Write what is known of keys, as of the commits so far."""
        for known, settled_until, committed_at in self._lagging:
            self._known.write(known, settled_until, committed_at)
        self._lagging.clear()

    def _next_moment(self) -> datetime:
        """Now, but always later than the last commit: what is known is compared by that time."""
        now = datetime.now(UTC)
        if self._committed_at is not None and now <= self._committed_at:
            return self._committed_at + timedelta(microseconds=1)
        return now

    def position(self, source: str) -> str | None:
        """The last committed position of a source."""
        query = "SELECT position FROM source_positions WHERE source = ?"
        found: list[tuple[str]] = self.query(query, [source])
        return found[0][0] if found else None

    def known_events(self, ids: list[Identity]) -> set[Identity]:
        """Which of these events are stored."""
        asked: dict[str, list[str]] = {}
        for stream, event_id in ids:
            asked.setdefault(stream, []).append(event_id)
        found: set[Identity] = set()
        for stream, names in asked.items():
            query = f"SELECT event_id FROM {stream} WHERE event_id IN (SELECT unnest(?))"
            found.update((stream, name) for (name,) in self.query(query, [names]))
        return found

    def decision(self, event_id: str) -> Decision | None:
        """The recorded decision on a transaction; None if it was never scored."""
        names = Decision.__struct_fields__
        query = f"SELECT {', '.join(names)} FROM score_decisions WHERE event_id = ?"
        for row in self.query(query, [event_id]):
            given = dict(zip(names, row, strict=True))
            return Decision(**{**given, "answer": msgspec.Raw(given["answer"].encode())})
        return None

    def archive(self) -> Archive:
        """The archive, beside the store; not of one in memory."""
        return Archive(self._complete(), self._archive_folder)

    def back_up(self) -> Path:
        """Copy the store into a new folder beside it, while it is in use."""
        return back_up(self._complete(), self.path)

    def sizes(self) -> dict[str, int]:
        """Bytes on disk: of the store, of what is known of keys, of the archive."""
        return sizes_of(self.path)

    def recall(self, rules: Rules) -> Memory:
        """Everything needed to continue from the last commit, with these rules from now on."""
        self.catch_up()
        self._known.adopt(fingerprints(rules))
        return recall(self._complete(), rules, self._known, self._archive_folder)

    def customer_signals(self, customer_id: str) -> CustomerSignals:
        """A customer's closings, and the signals that open cases can still need."""
        return customer_signals(self.cursor(), customer_id)

    def signals_since(self, at: datetime) -> Iterator[Signal]:
        """The signals at events from that time on."""
        return read_signals(self.cursor(), "occurred_at >= ?", [at])

    def dead_letters_since(self, at: datetime) -> Iterator[DeadLetter]:
        """The dead letters since then (by the wall clock), in order."""
        rows = self.query(
            'SELECT stream, reason, origin, "offset", raw FROM dead_letters '
            "WHERE received_at >= ? ORDER BY received_at",
            [at],
        )
        names = DeadLetter.__struct_fields__
        return (DeadLetter(**dict(zip(names, row, strict=True))) for row in rows)

    def release(self, pattern: str) -> None:
        """Record that a pattern is no longer in shadow."""
        self.cursor().execute("DELETE FROM braked WHERE pattern = ?", [pattern])

    def query(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """The rows of a query over committed data."""
        return self.cursor().execute(sql, parameters).fetchall()

    @property
    def catalog(self) -> str:
        """Its name among the databases of a connection."""
        [(name,)] = self.query("SELECT current_database()")
        return str(name)

    @contextmanager
    def beside(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A cursor in a database in memory that has nothing but this one's staging views.

        One at a time.
        """
        cursor, own = self.cursor(), identifier(self.catalog)
        cursor.execute(f"ATTACH ':memory:' AS {BESIDE}")
        try:
            cursor.execute(f"USE {BESIDE}")
            for stream in STREAMS:
                cursor.execute(f"CREATE VIEW stg_{stream} AS FROM {own}.main.stg_{stream}")
            yield cursor
        finally:
            cursor.execute(f"USE {own}")
            cursor.execute(f"DETACH {BESIDE}")

    def people(self, four_eyes: bool = True) -> PeopleStore:
        """The people store in the same database; opened by the first call."""
        if self._people is None:
            path = None if str(self.path) == ":memory:" else self.path
            self._people = PeopleStore(self._connection, four_eyes=four_eyes, path=path)
        return self._people

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """Another connection to the same database, to read from; the caller closes it."""
        return self._complete().cursor()

    def _complete(self) -> duckdb.DuckDBPyConnection:
        """The connection, whose tables have every commit so far; take a cursor to use it."""
        if self._behind is not None:
            self._behind.refresh()
        return self._connection

    def hold(self) -> None:
        """What reads in this context (a request, say) need not find what is committed later."""
        if self._behind is not None:
            self._behind.hold()

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> list[Row]:
        """As `query`, each row as a mapping of column names; safe from any thread."""
        return rows_of(self.cursor(), sql, parameters)

    def answer(self, sql: str) -> tuple[list[str], list[Any]]:
        """The columns and rows of one read-only query, possibly written by hand."""
        return one_select(self.cursor(), sql)

    def close(self) -> None:
        """Release the file."""
        if self._people is not None:
            self._people.close()
        self.catch_up()
        try:
            if self._behind is not None:
                self._behind.close()
        finally:
            self._connection.close()
            self._known.close()
            self._tables.close()
