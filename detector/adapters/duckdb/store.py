"""The embedded store: one DuckDB file."""

import shutil
import tempfile
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

import duckdb
import msgspec

from detector.adapters.database import (
    confine,
    connect,
    identifier,
    literal,
    one_select,
    owner_only,
    rows_of,
)
from detector.adapters.duckdb.archive import Archive, archive_folder
from detector.adapters.duckdb.backup import back_up, backup_folder
from detector.adapters.duckdb.migrations import SCHEMA_VERSION, is_as, mark, migrate
from detector.adapters.duckdb.reading import read_signals
from detector.adapters.duckdb.recall import customer_signals, recall
from detector.adapters.duckdb.sizes import sizes_of
from detector.adapters.duckdb.views import OPEN_CASES, view_statements
from detector.adapters.known import KnownFile
from detector.adapters.people.rule_versions import in_force
from detector.adapters.people.store import PeopleStore, people_schema, people_tables
from detector.cases.book import CustomerSignals
from detector.core.data import Row
from detector.core.errors import CommitRefused, StoreError
from detector.core.events import STREAMS, Identity
from detector.core.names import joined
from detector.pipeline.knowledge import fingerprints
from detector.pipeline.ports import Memory
from detector.pipeline.work import DeadLetter, Decision, Work
from detector.signals.rules import Rules
from detector.signals.signal import Signal

# A full disk shows as any of these, depending on which file the row was to go to.
_MAY_PASS = (
    OSError,
    duckdb.IOException,
    duckdb.OutOfMemoryException,
    duckdb.TransactionException,
)
BESIDE = "beside"
_LISTS = ("account_ids", "patterns", "actions")
_UPSERTS = {"fraud_signals", "shadow_signals", "account_signals", "risk_history", "cases"}


class DuckDBStore:
    """Stores events, findings and source positions; every commit is one transaction.

    Rows are written as newline-delimited JSON that DuckDB parses, which is several times faster
    from Python than binding values.
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
        self._folder = self._rows_folder()
        self._archive_folder = archive_folder(path).resolve()
        confine(self._connection, self._folder, self._archive_folder, backup_folder(path).resolve())
        self._encoder = msgspec.json.Encoder(decimal_format="string")
        self._committed_at: datetime | None = None
        self._known = KnownFile(path, fingerprints(rules))
        try:
            self._create()
            self.rules = in_force(self._connection, rules)
        except BaseException:
            self.close()
            raise

    def _rows_folder(self) -> Path:
        """An empty folder for rows on their way into the store; a killed run may have left some."""
        if str(self.path) == ":memory:":
            return Path(tempfile.mkdtemp(prefix="fraud-"))
        folder = self.path.with_name(self.path.name + ".rows").resolve()
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(0o700)
        return folder

    def _create(self) -> None:
        db = self._connection
        tables = {
            name for (name,) in db.execute("SELECT table_name FROM duckdb_tables()").fetchall()
        }
        if tables - people_tables() and "progress" not in tables:
            raise StoreError(
                f"{self.path} is the database of something else, with tables such as "
                f"{min(tables)}. Name another store with --store."
            )
        schema = files("detector.adapters.duckdb").joinpath("schema.sql").read_text("utf-8")
        layout = [schema, people_schema(), *view_statements(self.rules)]
        # Atomic: half a schema would look like a foreign database.
        db.begin()
        if "layout" not in tables or not is_as(db, layout):
            for statement in layout[:2]:
                db.execute(statement)
            if db.execute("SELECT schema_version FROM progress").fetchone() is None:
                db.execute(
                    "INSERT INTO progress VALUES (?, NULL, NULL, '{}', 0, NULL)", [SCHEMA_VERSION]
                )
            migrate(db, str(self.path))
            for statement in layout[2:]:
                db.execute(statement)
            mark(db, layout)
        [(self._committed_at,)] = db.execute("SELECT committed_at FROM progress").fetchall()
        db.commit()
        self._columns: dict[str, dict[str, str]] = {}
        for table, column, kind in db.execute(
            "SELECT table_name, column_name, data_type FROM duckdb_columns() "
            "WHERE NOT internal AND table_name IN (SELECT table_name FROM duckdb_tables()) "
            "ORDER BY table_name, column_index"
        ).fetchall():
            self._columns.setdefault(table, {})[column] = kind

    def commit(self, work: Work) -> None:
        """Write the work and its source position in one transaction."""
        try:
            self._commit(work, mostly_new=True)
        except duckdb.ConstraintException:
            self._commit(work, mostly_new=False)

    def _commit(self, work: Work, mostly_new: bool) -> None:
        """Where rows are `mostly_new`, one that is there already refuses all: replacing costs more
        than twice as much, and is seldom needed.
        """
        replaced = {"cases"} if mostly_new else _UPSERTS
        received_at = self._next_moment()
        db = self._connection
        db.begin()
        try:
            for (stream, ingest_status), events in work.events.items():
                extra = {"ingest_status": ingest_status, "received_at": received_at}
                self._insert(stream, events, extra)
            signals = [s for s in work.signals.values() if s]
            known = {"fraud_signals"} if len(signals) > len(work.new_signals) else set[str]()
            self._insert("fraud_signals", signals, replaced=replaced | known)
            self._delete("fraud_signals", [(n,) for n, s in work.signals.items() if s is None])
            self._insert("shadow_signals", [s for s in work.shadow.values() if s])
            self._delete("shadow_signals", [(n,) for n, s in work.shadow.items() if s is None])
            for braked in work.braked:
                db.execute("INSERT OR REPLACE INTO braked VALUES (?, ?, ?, ?)", [*braked])
            self._write_attributions(work, replaced)
            self._write_risk(work, replaced)
            self._write_cases(work)
            if work.dead_letters:
                rows = [msgspec.structs.astuple(letter) for letter in work.dead_letters]
                db.execute(
                    "INSERT INTO dead_letters SELECT unnest(?::VARCHAR[]), unnest(?::VARCHAR[]), "
                    "unnest(?::VARCHAR[]), unnest(?::BIGINT[]), unnest(?::BLOB[]), ?",
                    [*map(list, zip(*rows, strict=True)), received_at],
                )
            db.execute(
                "UPDATE progress SET watermark = ?, final = ?, lanes = ?, "
                "duplicates = duplicates + ?, committed_at = ?",
                [work.watermark, work.final, work.lanes.decode(), work.duplicates, received_at],
            )
            self._insert("score_decisions", work.decisions)
            if work.source:
                place = [work.position, received_at, work.source]
                [(moved,)] = db.execute(
                    "UPDATE source_positions SET position = ?, committed_at = ? WHERE source = ?",
                    place,
                ).fetchall()
                if not moved:
                    db.execute(
                        "INSERT INTO source_positions (position, committed_at, source) "
                        "VALUES (?, ?, ?)",
                        place,
                    )
            db.commit()
        except BaseException as error:
            # A failed commit has already ended the transaction.
            with suppress(duckdb.Error):
                db.rollback()
            if isinstance(error, _MAY_PASS):
                raise CommitRefused(f"{self.path} cannot be written: {error}") from error
            raise
        self._committed_at = received_at
        self._known.write(work.known, work.settled_until, received_at)

    def _next_moment(self) -> datetime:
        """Now, but always later than the last commit: what is known is compared by that time."""
        now = datetime.now(UTC)
        if self._committed_at is not None and now <= self._committed_at:
            return self._committed_at + timedelta(microseconds=1)
        return now

    def position(self, source: str) -> str | None:
        """The last committed position of a source."""
        query = "SELECT position FROM source_positions WHERE source = ?"
        row = self._connection.execute(query, [source]).fetchone()
        return row[0] if row else None

    def known_events(self, ids: list[Identity]) -> set[Identity]:
        """Which of these events are stored."""
        asked: dict[str, list[str]] = {}
        for stream, event_id in ids:
            asked.setdefault(stream, []).append(event_id)
        found: set[Identity] = set()
        for stream, names in asked.items():
            query = f"SELECT event_id FROM {stream} WHERE event_id IN (SELECT unnest(?))"
            rows = self._connection.execute(query, [names]).fetchall()
            found.update((stream, name) for (name,) in rows)
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
        return Archive(self._connection, self._archive_folder)

    def back_up(self) -> Path:
        """Copy the store into a new folder beside it, while it is in use."""
        return back_up(self._connection, self.path)

    def sizes(self) -> dict[str, int]:
        """Bytes on disk: of the store, of what is known of keys, of the archive."""
        return sizes_of(self.path)

    def recall(self, rules: Rules) -> Memory:
        """Everything needed to continue from the last commit, with these rules from now on."""
        self._known.adopt(fingerprints(rules))
        return recall(self._connection, rules, self._known, self._archive_folder)

    def customer_signals(self, customer_id: str) -> CustomerSignals:
        """A customer's closings, and the signals that open cases can still need."""
        return customer_signals(self._connection.cursor(), customer_id)

    def signals_since(self, at: datetime) -> Iterator[Signal]:
        """The signals at events from that time on."""
        return read_signals(self._connection.cursor(), "occurred_at >= ?", [at])

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
        self._connection.cursor().execute("DELETE FROM braked WHERE pattern = ?", [pattern])

    def query(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """The rows of a query over committed data."""
        return self._connection.cursor().execute(sql, parameters).fetchall()

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
        cursor, own = self._connection.cursor(), identifier(self.catalog)
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
        return self._connection.cursor()

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> list[Row]:
        """As `query`, each row as a mapping of column names; safe from any thread."""
        return rows_of(self._connection.cursor(), sql, parameters)

    def answer(self, sql: str) -> tuple[list[str], list[Any]]:
        """The columns and rows of one read-only query, possibly written by hand."""
        return one_select(self._connection.cursor(), sql)

    def close(self) -> None:
        """Release the file."""
        if self._people is not None:
            self._people.close()
        self._connection.close()
        self._known.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _write_attributions(self, work: Work, replaced: Collection[str]) -> None:
        gone = [key for key, signal in work.attributions.items() if signal is None]
        rows = [
            {"account_id": account, "signal_id": name, "occurred_at": signal.occurred_at}
            for (account, name), signal in work.attributions.items()
            if signal is not None
        ]
        self._insert("account_signals", rows, replaced=replaced)
        self._delete("account_signals", gone)

    def _write_risk(self, work: Work, replaced: Collection[str]) -> None:
        rows = [
            {**msgspec.structs.asdict(point), "patterns": ", ".join(point.patterns)}
            for point in work.risk.values()
            if point is not None
        ]
        self._insert("risk_history", rows, replaced=replaced)
        self._delete("risk_history", [key for key, point in work.risk.items() if point is None])

    def _write_cases(self, work: Work) -> None:
        rows = [
            {
                **msgspec.structs.asdict(case),
                **{name: joined(getattr(case, name)) for name in _LISTS},
            }
            for case in work.cases.values()
        ]
        self._insert("cases", rows)

    def _insert(
        self,
        table: str,
        rows: Sequence[Any],
        constants: Row | None = None,
        replaced: Collection[str] = _UPSERTS,
    ) -> None:
        if rows:
            columns = [c for c in self._columns[table] if c not in (constants or {})]
            self._load(table, columns, rows, constants, replace=table in replaced)

    def _load(
        self,
        table: str,
        columns: Sequence[str],
        rows: Sequence[Any],
        constants: Row | None = None,
        replace: bool = False,
    ) -> None:
        constants = constants or {}
        file = self._folder / "rows.jsonl"
        with open(file, "wb", opener=owner_only) as lines:
            lines.write(self._encoder.encode_lines(rows))
        kinds = ", ".join(f"{c}: '{self._columns[table][c]}'" for c in columns)
        marks = "".join(", ?" for _ in constants)
        self._connection.execute(
            f"INSERT {'OR REPLACE ' if replace else ''}INTO {table} "
            f"({', '.join([*columns, *constants])}) "
            f"SELECT {', '.join(columns)}{marks} FROM read_json({literal(str(file))}, "
            f"format = 'newline_delimited', columns = {{{kinds}}}, "
            f"maximum_object_size = 67108864)",
            list(constants.values()),
        )

    def _delete(self, table: str, keys: Sequence[tuple[Any, ...]]) -> None:
        if keys:
            columns = list(self._columns[table])[: len(keys[0])]
            where = " AND ".join(f"{column} = ?" for column in columns)
            self._connection.executemany(f"DELETE FROM {table} WHERE {where}", keys)
