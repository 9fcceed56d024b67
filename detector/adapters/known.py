"""What is known of keys, in an SQLite file beside the store.

SQLite, because this is point reads and writes by key: thousands of times faster there than in
DuckDB (decision 48). The file is derived from the store's events and signals: each commit is
written here after it is written there, and a restart feeds again what is missing here.
"""

import json
import logging
import sqlite3
import threading
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from detector.core.errors import StoreError
from detector.core.micros import micros_of, moment_of
from detector.state.knowledge import KnownRow

logger = logging.getLogger(__name__)

_SCHEMA = """
CREATE TABLE IF NOT EXISTS known (
  key TEXT NOT NULL, part TEXT NOT NULL, body BLOB NOT NULL, PRIMARY KEY (key, part)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS parts (part TEXT PRIMARY KEY, fingerprint TEXT NOT NULL);
-- One row: the last commit of the store that is contained, and until when events are.
CREATE TABLE IF NOT EXISTS progress (
  one INTEGER PRIMARY KEY CHECK (one = 1), committed_at INTEGER, settled_until INTEGER
);
INSERT OR IGNORE INTO progress VALUES (1, NULL, NULL);
"""
_VERSION = 2
"""Of the schema above; a file with another one is built again."""
_CACHE_KIB = 64 * 1024
_OF_KEYS = """
SELECT part, known.key, body FROM json_each(?) AS wanted
CROSS JOIN known ON known.key = wanted.value"""


class KnownFile:
    """A key-value table per part; safe from any thread, and a reader does not wait for a writer."""

    def __init__(self, store: Path, fingerprints: Mapping[str, str]) -> None:
        in_memory = str(store) == ":memory:"
        self.path = store if in_memory else store.with_name(store.name + ".known")
        self._writing, self._reading = threading.Lock(), threading.Lock()
        self._staging = threading.Lock()
        self.adopt(fingerprints)
        self._waiting: list[KnownRow] = []
        if not in_memory:
            self.path.touch(0o600)
        try:
            self._db = sqlite3.connect(self.path, check_same_thread=False, isolation_level=None)
            self._db.execute("PRAGMA journal_mode = WAL")
            # A power failure may lose the last commits, which the store then repeats.
            self._db.execute("PRAGMA synchronous = NORMAL")
            self._db.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
            [(version,)] = self._db.execute("PRAGMA user_version").fetchall()
            if version != _VERSION:
                self._db.executescript("DROP TABLE IF EXISTS known; DROP TABLE IF EXISTS parts;")
                self._db.execute(f"PRAGMA user_version = {_VERSION}")
            self._db.executescript(_SCHEMA)
        except sqlite3.Error as error:
            raise StoreError(
                f"{self.path} cannot be opened: {error}. It is derived from {store}: delete it, "
                "and it is built again."
            ) from error

    def adopt(self, fingerprints: Mapping[str, str]) -> None:
        """Hold these parts from now on; nothing may be staged."""
        self._fingerprints = fingerprints
        # By part, then key: a pair of them would be one more object for each row.
        self._staged: dict[str, dict[str, bytes | None]] = {part: {} for part in fingerprints}

    def outdated(self, everything: bool) -> frozenset[str]:
        """The parts that are missing or were built by other rules; what they hold is deleted."""
        with self._writing:
            found = dict(self._db.execute("SELECT part, fingerprint FROM parts").fetchall())
            wanted = self._fingerprints
            outdated = {
                part for part, mark in wanted.items() if everything or found.get(part) != mark
            }
            self._db.execute("BEGIN")
            for part in outdated | (found.keys() - wanted.keys()):
                self._db.execute("DELETE FROM known WHERE part = ?", [part])
                self._db.execute("DELETE FROM parts WHERE part = ?", [part])
            self._db.execute("COMMIT")
        return frozenset(outdated)

    def built(self) -> None:
        """Record that all parts are complete."""
        with self._writing:
            self._db.execute("BEGIN")
            self._db.executemany(
                "INSERT OR REPLACE INTO parts VALUES (?, ?)", self._fingerprints.items()
            )
            self._db.execute("COMMIT")

    def progress(self) -> tuple[datetime | None, datetime | None]:
        """The store's last commit that is contained, and until when events are."""
        with self._writing:
            [(committed, settled)] = self._db.execute(
                "SELECT committed_at, settled_until FROM progress"
            ).fetchall()
        return moment_of(committed), moment_of(settled)

    def read(self, parts: Sequence[str], keys: Sequence[str]) -> Iterable[tuple[str, str, bytes]]:
        """What is known of these keys, staged changes included."""
        # What is staged first: what is no longer, because it was written, is then in the table.
        with self._staging:
            changed = {
                (part, key): self._staged[part][key]
                for part in parts
                for key in keys
                if key in self._staged[part]
            }
        # A commit may be half written: its rows are those staged. All keys in one query, as another
        # thread may go first each time that SQLite is called.
        with self._reading:
            rows = self._db.execute(_OF_KEYS, (json.dumps(keys),)).fetchall()
        found = {(part, key): body for part, key, body in rows if part in parts} | changed
        return [(part, key, body) for (part, key), body in found.items() if body is not None]

    def stage(self, rows: Sequence[KnownRow]) -> None:
        """Show changes to readers until the commit that contains them is written."""
        with self._staging:
            for part, key, body in rows:
                self._staged[part][key] = body

    def write(
        self, rows: Sequence[KnownRow], settled_until: datetime | None, committed_at: datetime
    ) -> None:
        """Write the changes of a commit; those that cannot be written are kept for the next."""
        with self._writing:
            self._waiting.extend(rows)
            try:
                self._write(settled_until, committed_at)
            except sqlite3.Error as error:
                # It would end a query that is under way.
                with self._reading:
                    if self._db.in_transaction:
                        self._db.execute("ROLLBACK")
                logger.warning("%s cannot be written, trying again later: %s", self.path, error)
                return
            with self._staging:
                for part, key, body in self._waiting:
                    if self._staged[part].get(key) is body:
                        self._staged[part].pop(key, None)
            self._waiting = []

    def _write(self, settled_until: datetime | None, committed_at: datetime) -> None:
        newest = {(key, part): body for part, key, body in self._waiting}
        kept = sorted((*name, body) for name, body in newest.items() if body is not None)
        self._db.execute("BEGIN")
        self._db.executemany("INSERT OR REPLACE INTO known VALUES (?, ?, ?)", kept)
        self._db.executemany(
            "DELETE FROM known WHERE key = ? AND part = ?",
            [name for name, body in newest.items() if body is None],
        )
        self._db.execute(
            "UPDATE progress SET committed_at = ?, settled_until = coalesce(?, settled_until)",
            [micros_of(committed_at), None if settled_until is None else micros_of(settled_until)],
        )
        self._db.execute("COMMIT")

    def close(self) -> None:
        """Release the file."""
        self._db.close()
