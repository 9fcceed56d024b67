"""The tables of a store: each commit is one transaction in them."""

from contextlib import suppress
from datetime import datetime
from pathlib import Path

import duckdb

from detector.adapters.duckdb.writing import RowWriter
from detector.core.errors import CommitRefused
from detector.pipeline.work import Work

# A full disk shows as any of these, depending on which file the row was to go to.
_MAY_PASS = (
    OSError,
    duckdb.IOException,
    duckdb.OutOfMemoryException,
    duckdb.TransactionException,
)


class Tables:
    """Writes work; one thread at a time."""

    def __init__(self, db: duckdb.DuckDBPyConnection, store: Path) -> None:
        self._db = db
        self._store = store
        self.rows = RowWriter(db, store)

    def last_commit(self) -> datetime | None:
        """The time of the last commit that they contain."""
        query = "SELECT committed_at FROM progress"
        found: list[tuple[datetime | None]] = self._db.execute(query).fetchall()
        return found[0][0]

    def write(self, work: Work, received_at: datetime) -> None:
        """Write a work and its source position, all or nothing.

        Raises `CommitRefused` for a reason that may pass.
        """
        try:
            self._write(work, received_at, mostly_new=True)
        except duckdb.ConstraintException:
            self._write(work, received_at, mostly_new=False)

    def _write(self, work: Work, received_at: datetime, mostly_new: bool) -> None:
        """Where rows are `mostly_new`, one that is there already refuses all: replacing costs more
        than twice as much, and is seldom needed.
        """
        db = self._db
        db.begin()
        try:
            self.rows.write(work, received_at, mostly_new)
            db.execute(
                "UPDATE progress SET watermark = ?, final = ?, lanes = ?, "
                "duplicates = duplicates + ?, committed_at = ?",
                [work.watermark, work.final, work.lanes.decode(), work.duplicates, received_at],
            )
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
                raise CommitRefused(f"{self._store} cannot be written: {error}") from error
            raise

    def close(self) -> None:
        """Remove what lies beside the store for them."""
        self.rows.close()
