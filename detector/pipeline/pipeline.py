"""The core loop: poll, detect, commit, publish, acknowledge."""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from datetime import datetime

from detector.core.errors import FraudError
from detector.core.events import Identity, Record
from detector.pipeline.alarms import Alarms
from detector.pipeline.committer import FEW_RECORDS, Committer
from detector.pipeline.detector import Clock, Detector, utc_now
from detector.pipeline.ports import Sink, Source, Store
from detector.pipeline.work import Batch, Decision, Work
from detector.signals.rules import Rules
from detector.state.knowledge import DEFAULT_BUDGET

_ADOPTED = ("patterns", "challengers", "lists")


class Pipeline:
    """Takes batches from a source to a store and its sinks, one commit per batch.

    Killed at any moment and restarted on the same store, it ends with the same store as if it had
    never been killed: a batch's events, results and source position are one transaction.
    """

    def __init__(
        self,
        rules: Rules,
        source: Source,
        store: Store,
        sinks: Sequence[Sink] = (),
        clock: Clock = utc_now,
        memory_bytes: int = DEFAULT_BUDGET,
        brake: bool = False,
    ) -> None:
        self.source = source
        self.store = store
        self.sinks = sinks
        self._rules = rules
        self._clock, self._memory_bytes, self._brake = clock, memory_bytes, brake
        self.detector = self._new_detector()
        self.ready = threading.Event()
        """Set while detection runs: from the restored state to the end of the run."""
        self._stop = threading.Event()
        # The holder of this lock evaluates; work is queued for commit in lock order.
        self._turn = threading.Lock()
        self._set_aside = Alarms()
        self._committer = Committer(
            store, lambda: [self._set_aside, *self.sinks], source.acknowledge
        )
        self._before: Future[None] | None = None
        self._answers: dict[str, Decision] = {}  # submitted, not yet committed

    def run(self) -> None:
        """Continue from the last commit until the source ends or `stop` is called."""
        try:
            self._resume(self.detector)
            self.source.open(self.store.position(self.source.name))
            self._committer.start()
            self.ready.set()
            while not self._stop.is_set() and self.step():
                pass
        finally:
            with self._turn:
                self.ready.clear()
            try:
                self._committer.settle()
            finally:
                self._committer.close()
                self.source.close()

    def step(self) -> bool:
        """Process one batch; False at the end of the source."""
        batch = self.source.poll()
        # Also without new records, a failed commit ends the run.
        self._committer.check()
        if batch is None:
            return False
        if batch.records:
            _, committed = self._evaluate(self.source.name, batch)
            # One batch is committed while the next is evaluated; never more. A small one has little
            # to evaluate: what comes meanwhile is committed sooner if it waits here.
            self._wait_for_last(committed)
            if len(batch.records) < FEW_RECORDS:
                self._wait_for_last(None)
        else:
            self._wait_for_last(None)
        return True

    def submit(self, records: list[Record]) -> "tuple[Work, Future[None]]":
        """Evaluate records from outside the source; the future is done once they are committed.

        Safe from any thread. Raises `Stopped` when the pipeline is not running.
        """
        return self._evaluate("", Batch(records, "", time.monotonic()))

    def score(self, raw: bytes) -> Decision:
        """Evaluate one transaction, a JSON document, and decide on it; it is committed afterwards.

        A repeated event_id gets the first decision again. Safe from any thread. Raises
        `InvalidTransaction` when the document breaks the contract (it is stored as a dead letter)
        and `Stopped` when the pipeline is not running.
        """
        record = Record("transactions", raw, "api", 0)
        with self._turn:
            work = self._process("", Batch([record], "", time.monotonic()))
            for (_, ingest_status), events in work.events.items():
                work.decisions = [self.detector.decide(event, ingest_status) for event in events]
            for decision in work.decisions:
                self._answers[decision.event_id] = decision
            committed = self._committer.submit(work)
        if work.dead_letters:
            raise InvalidTransaction(work.dead_letters[0].reason)
        if work.duplicates:
            return self._answer_again(record)
        [decision] = work.decisions
        committed.add_done_callback(lambda _: self._answers.pop(decision.event_id, None))
        return decision

    def _answer_again(self, record: Record) -> Decision:
        """The decision on a transaction that was received before, from any source."""
        event = self.detector.read(record)
        given = self._answers.get(event.event_id) or self.store.decision(event.event_id)
        if given is not None:
            return given
        with self._turn:
            return self.detector.decide(event, "evaluated")

    def review(self, customer_id: str) -> None:
        """Recompute the cases of a customer after a case was closed or reopened; any thread.

        Does nothing while the pipeline is not running: it reads all closings when it starts.
        """
        with self._turn:
            if self.ready.is_set():
                self._committer.settle()
                customer = self.store.customer_signals(customer_id)
                self._committer.submit(self.detector.review(customer))

    def adopt(self, changed: Callable[[datetime | None], Rules]) -> None:
        """Go on with the patterns, challengers and lists of other rules from the next event on.

        They are asked for when no event is being judged, with the time of the latest one before.
        At once where they need the same state. Otherwise as after a restart with them: detection
        pauses while everything is read back from the store. Everyone who holds the rules of this
        pipeline sees the new ones. Any thread.
        """
        with self._turn:
            before = self._rules.model_copy(
                update={name: dict(getattr(self._rules, name)) for name in _ADOPTED}
            )
            self._take(changed(self.detector.watermarks.newest))
            if self.ready.is_set():
                try:
                    self._follow(before)
                except BaseException:
                    self._take(before)
                    raise

    def _take(self, rules: Rules) -> None:
        for name in _ADOPTED:
            held, given = getattr(self._rules, name), getattr(rules, name)
            for key in held.keys() - given.keys():
                del held[key]
            held.update(given)

    def _follow(self, before: Rules) -> None:
        """Make detection use the rules as they are now."""
        patterns, challengers = self._rules.patterns, self._rules.challengers
        changed = [p for p in patterns.values() if p != before.patterns[p.id]]
        new = challengers.keys() - before.challengers.keys()
        if new or not all(p.same_state(before.patterns[p.id]) for p in changed):
            self._committer.settle()
            detector = self._new_detector()
            self._resume(detector)
            self.detector = detector
            return
        for pattern in changed:
            self.detector.replace(pattern)
        for challenger in before.challengers.keys() - challengers.keys():
            self.detector.drop(challenger)

    def release(self, pattern: str) -> None:
        """Give a pattern that was put in shadow effect again; any thread."""
        with self._turn:
            self.detector.release(pattern)
            self._committer.settle()
            self.store.release(pattern)

    def set_aside_shares(self) -> dict[str, float]:
        """The share of the last minutes' records that were set aside, by why."""
        return self._set_aside.shares()

    def stop(self) -> None:
        """Stop the loop after the current batch; safe from any thread or signal handler."""
        self._stop.set()

    @property
    def trouble(self) -> str | None:
        """Why nothing is committed at present; None if all is well."""
        return self._committer.trouble

    @property
    def alarms(self) -> list[str]:
        """What makes detection blind or stale at present, one sentence each."""
        stuck = [f"Nothing is committed: {self.trouble}."] if self.trouble else []
        braked = [
            f"The pattern {name} is in shadow: it fired on {b.fired:,} of {b.active:,} active "
            "customers within minutes. Roll it back (b) or release it on the patterns page."
            for name, b in self.detector.braked.copy().items()
        ]
        return stuck + braked + self._set_aside.active()

    @property
    def blind(self) -> bool:
        """Whether most of what the source delivers is too late or in the future."""
        return self._set_aside.blind

    @property
    def backlog(self) -> int:
        """Number of submissions that are evaluated and not yet committed."""
        return self._committer.backlog

    def _evaluate(self, source: str, batch: Batch) -> "tuple[Work, Future[None]]":
        with self._turn:
            work = self._process(source, batch)
            return work, self._committer.submit(work)

    def _process(self, source: str, batch: Batch) -> Work:
        if not self.ready.is_set():
            raise Stopped("Detection is not running; try again once /readyz says so.")
        return self.detector.process(source, batch)

    def _new_detector(self) -> Detector:
        return Detector(
            self._rules, self._known_events, self._clock, self._memory_bytes, self._brake
        )

    def _resume(self, detector: Detector) -> None:
        if (memory := self.store.recall(self._rules)) is not None:
            detector.resume(memory)
        detector.watermarks.expect(self.source.name, time.monotonic())

    def _wait_for_last(self, committed: Future[None] | None) -> None:
        before, self._before = self._before, committed
        if before is not None:
            before.result()

    def _known_events(self, ids: list[Identity]) -> set[Identity]:
        self._committer.settle()
        return self.store.known_events(ids)


class InvalidTransaction(FraudError):
    """A transaction to be scored breaks the contract; the message names the field."""


class Stopped(FraudError):
    """Work was submitted to a pipeline that is not running."""
