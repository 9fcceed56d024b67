"""Small commits, kept at once and brought into the tables soon (decision 62)."""

import logging
import threading
from contextvars import ContextVar
from datetime import datetime
from pathlib import Path

from detector.adapters.duckdb.journal import Journal, packed, unpacked
from detector.adapters.duckdb.tables import Tables
from detector.core.errors import CommitRefused, StoreError
from detector.pipeline.work import Work, merged

SMALL = 5_000
"""A commit of fewer records waits for others: the tables take long for a little."""
EVERY_S = 0.25
"""How often commits are brought into the tables when nothing is read."""
MOST_RECORDS = 20_000
"""More than these do not wait for the tables."""

logger = logging.getLogger(__name__)

_read_until: ContextVar[int | None] = ContextVar("read_until", default=None)


class WriteBehind:
    """Commits that a journal keeps and the tables do not have yet; safe from any thread."""

    def __init__(self, store: Path, tables: Tables) -> None:
        self._journal = Journal(store)
        self._tables = tables
        self._waiting: list[tuple[Work, datetime]] = []
        self._kept = self._written = 0
        self._records = 0
        self._source = ""
        self._counting = threading.Lock()
        # Who holds it writes to the tables.
        self._writing = threading.Lock()
        self._closed = threading.Event()
        self._some = threading.Event()
        self._refused = False
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="tables", daemon=True)

    def recover(self) -> None:
        """Bring into the tables what a killed run has left."""
        last = self._tables.last_commit()
        left = [e for e in self._journal.entries() if last is None or e.committed_at > last]
        if left and left[0].after != last:
            raise StoreError(
                f"{self._journal.path} belongs to another copy of this store, such as before a "
                "restore. Move it away to go on without its commits."
            )
        for entry in left:
            self._tables.write(unpacked(entry), entry.committed_at)
            self._journal.forget(entry.committed_at)

    def commit(self, work: Work, after: datetime | None, committed_at: datetime) -> None:
        """Keep a commit, which follows one at `after`; a large one goes into the tables at once.

        Raises `CommitRefused` when it, or too many before it, cannot be written.
        """
        if self._failure is not None:
            raise self._failure
        if self._records >= MOST_RECORDS or work.source not in ("", self._source):
            self._flush()
            self._source = work.source
        if work.size < SMALL:
            self._keep(work, after, committed_at)
        else:
            self._flush((work, committed_at))

    def _keep(self, work: Work, after: datetime | None, committed_at: datetime) -> None:
        self._journal.append(packed(work, after, committed_at))
        with self._counting:
            self._waiting.append((work, committed_at))
            self._records += work.size
            self._kept += 1
        if not self._some.is_set():
            self._some.set()
            if self._thread.ident is None:
                self._thread.start()

    def _flush(self, *last: tuple[Work, datetime]) -> None:
        """Bring everything into the tables, and `last` with it, in one transaction."""
        with self._writing:
            with self._counting:
                waiting, until = self._waiting[:], self._kept
            works = [*waiting, *last]
            if not works:
                return
            moment = works[-1][1]
            self._tables.write(merged([work for work, _ in works]), moment)
            self._written = until
            with self._counting:
                del self._waiting[: len(waiting)]
                self._records -= sum(work.size for work, _ in waiting)
            self._journal.forget(moment)

    def hold(self) -> None:
        """In this context, later commits are not read unless they are in the tables."""
        _read_until.set(self._kept)

    def refresh(self) -> None:
        """Bring what was kept so far into the tables, before they are read."""
        until = _read_until.get()
        if self._written < (self._kept if until is None else until):
            self._try_to_flush()

    def close(self) -> None:
        """Bring the rest into the tables; what they refuse is for the next start."""
        if self._closed.is_set():
            return
        self._closed.set()
        self._some.set()
        if self._thread.ident is not None:
            self._thread.join()
        try:
            if self._failure is None:
                self._try_to_flush()
        finally:
            self._journal.close()

    def _try_to_flush(self) -> None:
        try:
            self._flush()
        except CommitRefused as error:  # it may pass
            if not self._refused:
                logger.warning("%s; kept in %s", error, self._journal.path)
            self._refused = True
        except BaseException as error:
            self._failure = error
            raise
        else:
            self._refused = False

    def _run(self) -> None:
        while self._some.wait() and not self._closed.wait(EVERY_S):
            self._some.clear()
            try:
                self._try_to_flush()
            except Exception:
                return  # `commit` tells
