"""Moves events that are old enough from the store to Parquet files.

A thread does it beside the commits, one stream and one day (or hour, where a day is large) at a
time. Signals, cases and what people do stay in the store (docs/regulatory_context.md).
"""

import itertools
import logging
import os
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb

from detector.adapters.database import literal, owner_only
from detector.core.events import STREAMS

logger = logging.getLogger(__name__)

ARCHIVED = tuple(stream for stream in STREAMS if stream != "kyc_profiles")
"""Profiles stay: they govern events until the next one of their customer."""
LARGE_DAY = 2_000_000
"""Rows of a day from which its hours are moved one by one."""
EVERY_S = 60.0
PROFILES = "kyc_profiles.parquet"
SET_ASIDE = "set_aside"
"""The folder of events that were late or in the future; backtests read only those evaluated."""

_DAY, _HOUR = timedelta(days=1), timedelta(hours=1)


def archive_folder(store: Path) -> Path:
    """Where a store's archive is: beside it."""
    return store.with_name(store.name + ".archive")


class Archive:
    """The archive of one store; every move is either complete or can be repeated."""

    def __init__(self, db: duckdb.DuckDBPyConnection, folder: Path) -> None:
        self._db = db.cursor()
        self.folder = folder
        for path in (folder, folder / SET_ASIDE):
            path.mkdir(0o700, parents=True, exist_ok=True)
        self._remove_incomplete()

    def move_before(self, edge: datetime, stop: threading.Event | None = None) -> int:
        """Move all whole days before a time; return the number of events moved."""
        last = edge.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        moved = 0
        for stream in ARCHIVED:
            for start, end in list(self._periods(stream, last)):
                if stop is not None and stop.is_set():
                    return moved
                moved += self._move(stream, start, end)
        if moved:
            self._copy_profiles()
        return moved

    def final(self) -> datetime | None:
        """How far event time has come for certain."""
        [(final,)] = self._db.execute("SELECT final FROM progress").fetchall()
        return None if final is None else datetime.astimezone(final, UTC)

    def _periods(self, stream: str, last: datetime) -> Iterator[tuple[datetime, datetime]]:
        days = self._db.execute(
            f"SELECT time_bucket(INTERVAL 1 DAY, occurred_at) AS day, count(*) FROM {stream} "
            "WHERE occurred_at < ? GROUP BY day ORDER BY day",
            [last],
        ).fetchall()
        for day, count in days:
            step = _HOUR if count > LARGE_DAY else _DAY
            at = day.astimezone(UTC)
            for start in (at + n * step for n in range(_DAY // step)):
                yield start, start + step

    def _move(self, stream: str, start: datetime, end: datetime) -> int:
        """Copy a period's rows to a file, then delete those and no others, recording the file."""
        db = self._db
        # What is committed meanwhile stays for the next time.
        [(until,)] = db.execute("SELECT committed_at FROM progress").fetchall()
        where = "occurred_at >= ? AND occurred_at < ? AND received_at <= ?"
        values = [start, end, until]
        paths = []
        for condition, folder in (
            ("ingest_status = 'evaluated'", self.folder),
            ("ingest_status <> 'evaluated'", self.folder / SET_ASIDE),
        ):
            [(count,)] = db.execute(
                f"SELECT count(*) FROM {stream} WHERE {where} AND {condition}", values
            ).fetchall()
            if not count:
                continue
            path = self._unused(folder, stream, start, end - start)
            self._copy(
                f"SELECT * FROM {stream} WHERE {where} AND {condition}",
                values,
                path,
            )
            paths.append((path, count))
        if not paths:
            return 0
        db.begin()
        try:
            db.execute(f"DELETE FROM {stream} WHERE {where}", values)
            for path, count in paths:
                name = str(path.relative_to(self.folder))
                db.execute("INSERT INTO archived VALUES (?, ?, ?, ?)", [name, stream, end, count])
            db.commit()
        except BaseException:
            db.rollback()
            raise
        return sum(count for _, count in paths)

    def _copy_profiles(self) -> None:
        """All profiles, so that the archive alone suffices for a backtest."""
        self._copy(
            "SELECT * FROM kyc_profiles WHERE ingest_status = 'evaluated' ORDER BY occurred_at",
            [],
            self.folder / PROFILES,
        )

    def _copy(self, query: str, values: list[datetime], path: Path) -> None:
        """Write the rows of a query to a file, complete from the moment it has its name."""
        partial = path.with_suffix(".partial")
        os.close(owner_only(str(partial), os.O_WRONLY | os.O_CREAT))
        target = f"{literal(str(partial))} (FORMAT parquet, USE_TMP_FILE false)"
        self._db.execute(f"COPY ({query}) TO {target}", values)
        partial.rename(path)

    def _unused(self, folder: Path, stream: str, start: datetime, step: timedelta) -> Path:
        when = start.strftime("%Y-%m-%d" if step == _DAY else "%Y-%m-%dT%H")
        names = (f"{stream}-{when}{f'.{n}' if n else ''}.parquet" for n in itertools.count())
        return next(folder / name for name in names if not (folder / name).exists())

    def _remove_incomplete(self) -> None:
        """Remove the files of moves that were interrupted: their rows are still in the store."""
        known = {name for (name,) in self._db.execute("SELECT file FROM archived").fetchall()}
        known.add(PROFILES)
        for path in [*self.folder.rglob("*.parquet"), *self.folder.rglob("*.partial")]:
            if str(path.relative_to(self.folder)) not in known:
                path.unlink()


class Archiver:
    """Moves events older than `keep` once a minute, on its own thread."""

    def __init__(self, archive: Archive, keep: timedelta) -> None:
        self._archive = archive
        self._keep = keep
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="archiver", daemon=True)

    def __enter__(self) -> "Archiver":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopped.wait(EVERY_S):
            self.step()

    def step(self) -> int:
        """Move what is old enough now; a failure is logged, and tried again."""
        try:
            final = self._archive.final()
            if final is None:
                return 0
            return self._archive.move_before(final - self._keep, self._stopped)
        except (duckdb.Error, OSError) as error:
            logger.warning("the archive cannot be written, trying again: %s", error)
            return 0
