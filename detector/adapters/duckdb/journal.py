"""Commits that are not in the tables yet: an SQLite file beside the store."""

import sqlite3
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from types import GenericAlias
from typing import Any

import msgspec
from msgspec import Raw, msgpack

from detector.core.errors import CommitRefused, StoreError
from detector.core.events import STREAMS, Event
from detector.core.micros import micros_of
from detector.pipeline.work import Decision, IngestStatus, Work

_VERSION = 1
"""Of what is in the file; raise it with the fields of events, signals or cases."""

_DECODERS: dict[str, msgpack.Decoder[list[Event]]] = {
    stream: msgpack.Decoder(GenericAlias(list, kind)) for stream, kind in STREAMS.items()
}


class Entry(msgspec.Struct, array_like=True):
    """A commit, and the time of the one before it."""

    after: datetime | None
    committed_at: datetime
    events: list[tuple[str, IngestStatus, Raw]]
    work: Work
    """Without its events and what no table keeps."""


def journal_file(store: Path) -> Path:
    """The file of a store's journal."""
    return store.with_name(store.name + ".journal")


class Journal:
    """Keeps commits, also over a power failure, until they are forgotten."""

    def __init__(self, store: Path) -> None:
        self.path = journal_file(store)
        self.path.touch(0o600)
        try:
            self._db = sqlite3.connect(self.path, check_same_thread=False, isolation_level=None)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            self._db.execute("CREATE TABLE IF NOT EXISTS entries (at INTEGER PRIMARY KEY, body)")
            if not self._any():
                self._db.execute(f"PRAGMA user_version = {_VERSION}")
        except sqlite3.Error as error:
            raise StoreError(f"{self.path} cannot be opened as a journal: {error}") from error

    def append(self, entry: Entry) -> None:
        """Keep a commit; raises `CommitRefused` when the file cannot be written."""
        row = (micros_of(entry.committed_at), msgpack.encode(entry))
        try:
            self._db.execute("INSERT INTO entries VALUES (?, ?)", row)
        except sqlite3.Error as error:
            raise CommitRefused(f"{self.path} cannot be written: {error}") from error

    def entries(self) -> list[Entry]:
        """The commits that are kept, in order.

        Raises `StoreError` for those of another release.
        """
        [(version,)] = self._db.execute("PRAGMA user_version").fetchall()
        if self._any() and version != _VERSION:
            raise StoreError(
                f"{self.path} has commits that another release has not brought into its store "
                "(it was killed). Start and stop that release once, then this one."
            )
        rows = self._db.execute("SELECT body FROM entries ORDER BY at").fetchall()
        return [msgpack.decode(body, type=Entry) for (body,) in rows]

    def forget(self, until: datetime) -> None:
        """Keep no commit up to this time any longer."""
        # What stays is recognised by its time later.
        with suppress(sqlite3.Error):
            self._db.execute("DELETE FROM entries WHERE at <= ?", [micros_of(until)])

    def close(self) -> None:
        """Release the file; without commits it is removed, so one that is there has some."""
        empty = not self._any()
        self._db.close()
        if empty:
            self.path.unlink(missing_ok=True)

    def _any(self) -> bool:
        return bool(self._db.execute("SELECT 1 FROM entries LIMIT 1").fetchall())


def packed(work: Work, after: datetime | None, committed_at: datetime) -> Entry:
    """A commit as an entry."""
    events = [
        (stream, status, Raw(msgpack.encode(found)))
        for (stream, status), found in work.events.items()
    ]
    # Their answers are JSON already, which is not MessagePack.
    decisions = [_with(d, Raw(msgpack.encode(bytes(d.answer)))) for d in work.decisions]
    left_out: dict[str, Any] = {
        "events": {}, "known": [], "new_signals": [], "new_shadow": [], "withdrawn_signals": [],
    }  # fmt: skip
    return Entry(after, committed_at, events, replace(work, decisions=decisions, **left_out))


def unpacked(entry: Entry) -> Work:
    """The commit of an entry, with all that the tables keep of it."""
    work = entry.work
    work.decisions = [_with(d, Raw(msgpack.decode(d.answer))) for d in work.decisions]
    for stream, ingest_status, body in entry.events:
        work.keep(stream, _DECODERS[stream].decode(body), ingest_status)
    return work


def _with(decision: Decision, answer: Raw) -> Decision:
    return msgspec.structs.replace(decision, answer=answer)
