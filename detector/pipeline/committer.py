"""Commits work on its own thread, in the order of evaluation."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future

from detector.core.errors import CommitRefused
from detector.pipeline.ports import Sink, Store
from detector.pipeline.work import Work, merged

GROUP_RECORDS = 20_000
FEW_RECORDS = 1_000
LONGEST_REST_S = 0.05
RETRY_AFTER_S = (0.1, 0.5, 1, 2, 5, 10, *[30] * 10)

logger = logging.getLogger(__name__)

Ticket = tuple[Work, "Future[None]"]


class Committer:
    """Commits work in order; each submission gets a future that is done once it is committed.

    Pending submissions are merged into one transaction, so a thousand small ones a second cost as
    much as a few dozen. After a commit of a few submissions the thread rests for as long as it
    took, so that it uses at most half a core; batches from the source come at their own pace.

    Two batches from the source are never merged: an acknowledged position is always one whole
    commit. A commit that the store refuses for a reason that may pass is retried for some minutes;
    `trouble` says why. After any other failure nothing more is committed, because in-memory state
    and store no longer agree.
    """

    def __init__(
        self, store: Store, sinks: Callable[[], Sequence[Sink]], acknowledge: Callable[[str], None]
    ) -> None:
        self._store = store
        self._sinks = sinks
        self._acknowledge = acknowledge
        self._waiting: deque[Ticket] = deque()
        self._changed = threading.Condition()
        self._busy = False
        self._hurry = 0
        self._closed = False
        self._failure: BaseException | None = None
        self.trouble: str | None = None
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)

    def start(self) -> None:
        """Start the thread; call once."""
        self._thread.start()

    def submit(self, work: Work) -> "Future[None]":
        """Queue work; raises the error of an earlier commit."""
        ticket: Future[None] = Future()
        with self._changed:
            self.check()
            self._waiting.append((work, ticket))
            self._changed.notify_all()
        return ticket

    def settle(self) -> None:
        """Wait until everything submitted is committed; raises the error of a failed commit."""
        with self._changed:
            self._hurry += 1
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._failure or not (self._waiting or self._busy))
            self._hurry -= 1
            self.check()

    @property
    def backlog(self) -> int:
        """Number of pending submissions."""
        return len(self._waiting)

    def close(self) -> None:
        """Commit what is pending, then stop; submitters have already received any error."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join()

    def check(self) -> None:
        """Raise the error of a failed commit."""
        if self._failure is not None:
            raise self._failure

    def _run(self) -> None:
        while group := self._next_group():
            started = time.monotonic()
            try:
                self._commit([work for work, _ in group])
            except BaseException as error:
                self._fail(group, error)
                return
            for _, ticket in group:
                ticket.set_result(None)
            self._store.catch_up()
            with self._changed:
                self._busy = False
                self._changed.notify_all()
            small = sum(work.size for work, _ in group) < FEW_RECORDS
            if small and not any(work.source for work, _ in group):
                self._rest(min(LONGEST_REST_S, time.monotonic() - started))

    def _rest(self, seconds: float) -> None:
        """Let submissions accumulate, unless something waits for the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._hurry, timeout=seconds)

    def _next_group(self) -> list[Ticket]:
        """The next submissions to commit in one transaction; empty at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed)
            group: list[Ticket] = []
            records, has_batch = 0, False
            while self._waiting:
                work, _ = self._waiting[0]
                if group and (records >= GROUP_RECORDS or (has_batch and work.source)):
                    break
                group.append(self._waiting.popleft())
                records += work.size
                has_batch = has_batch or bool(work.source)
            self._busy = bool(group)
            return group

    def _commit(self, works: list[Work]) -> None:
        began = time.monotonic()
        self._store_patiently(merged(works))
        now = time.monotonic()
        works[0].commit_s = now - began
        for work in works:
            work.committed_at = now
            for sink in self._sinks():
                sink.publish(work)
            if work.source:
                self._acknowledge(work.position)

    def _store_patiently(self, work: Work) -> None:
        began = time.monotonic()
        for pause_s in (*RETRY_AFTER_S, None):
            try:
                self._store.commit(work)
            except CommitRefused as error:
                if pause_s is None or self._closed:
                    raise
                if self.trouble is None:
                    logger.warning("%s; retrying", error)
                self.trouble = str(error)
                with self._changed:
                    self._changed.wait_for(lambda: self._closed, timeout=pause_s)
            else:
                break
        if self.trouble is not None:
            logger.warning("committing again after %.0f s", time.monotonic() - began)
            self.trouble = None

    def _fail(self, group: list[Ticket], error: BaseException) -> None:
        with self._changed:
            self._failure = error
            self._busy = False
            group += self._waiting
            self._waiting.clear()
            self._changed.notify_all()
        for _, ticket in group:
            ticket.set_exception(error)
