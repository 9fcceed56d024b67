"""The core loop: poll, detect, commit, publish, acknowledge."""

import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from detector.core.rules import Rules
from detector.pipeline.detector import Clock, Detector, utc_now
from detector.pipeline.ports import Sink, Source, Store
from detector.pipeline.work import Work


class Pipeline:
    """Takes batches from a source to a store and its sinks, one commit a batch.

    Killed at any moment and started again on the same store, it ends with the same store as if
    it had never been killed: a batch's events, findings and source position are one transaction.
    """

    def __init__(
        self,
        rules: Rules,
        source: Source,
        store: Store,
        sinks: Sequence[Sink] = (),
        clock: Clock = utc_now,
    ) -> None:
        self.source = source
        self.store = store
        self.sinks = sinks
        self.detector = Detector(rules, self._known_events, clock)
        self._stop = threading.Event()
        # One batch is committed while the next is evaluated; never more, so order is kept.
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="writer")
        self._pending: Future[None] | None = None

    def run(self) -> None:
        """Go on from the last commit until the source ends or `stop` is called."""
        try:
            self.detector.resume(self.store.recall(self.detector.rules))
            self.source.open(self.store.position(self.source.name))
            while not self._stop.is_set() and self.step():
                pass
            self._settle()
        finally:
            self._writer.shutdown(wait=True)
            self.source.close()

    def step(self) -> bool:
        """Take one batch from source to sinks; False when the source has ended."""
        batch = self.source.poll()
        if batch is None:
            return False
        if batch.records:
            work = self.detector.process(self.source.name, batch)
            self._settle()
            self._pending = self._writer.submit(self._commit, work)
        else:
            self._settle()
        return True

    def stop(self) -> None:
        """Ask the loop to end after the batch at hand; safe from any thread or signal handler."""
        self._stop.set()

    def _commit(self, work: Work) -> None:
        self.store.commit(work)
        work.committed_at = time.monotonic()
        for sink in self.sinks:
            sink.publish(work)
        self.source.acknowledge(work.position)

    def _settle(self) -> None:
        """Wait for the commit under way and raise what went wrong in it."""
        if self._pending is not None:
            pending, self._pending = self._pending, None
            pending.result()

    def _known_events(self, ids: list[str]) -> set[str]:
        self._settle()
        return self.store.known_events(ids)
