"""From records to work: decode, deduplicate, find signals, score, open cases."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice

from detector.cases.book import CaseBook, CustomerSignals
from detector.core.events import (
    STREAM_OF,
    STREAMS,
    Event,
    Identity,
    KycProfile,
    Record,
    Transaction,
    customer_of,
    decode,
    is_plain,
    share_texts,
)
from detector.pipeline.braking import Braking
from detector.pipeline.decision import decide
from detector.pipeline.effects import Effects
from detector.pipeline.knowledge import KnownKeys, chunks
from detector.pipeline.ports import Memory
from detector.pipeline.watermark import Watermarks
from detector.pipeline.work import Batch, DeadLetter, Decision, IngestStatus, Work
from detector.risk.attribution import Attribution
from detector.risk.score import RiskBook
from detector.signals.brake import Brake, Braked
from detector.signals.engine import SignalEngine
from detector.signals.pattern import Pattern
from detector.signals.remembering import Remembering
from detector.signals.rules import Rules
from detector.state.knowledge import DEFAULT_BUDGET
from detector.state.recent_events import RecentEvents
from producers.card_numbers import without_card_numbers

KnownEvents = Callable[[list[Identity]], set[Identity]]
Clock = Callable[[], datetime]


API_LANE = "api"
RECORDS_PER_STEP = 50
"""A batch forgets in one step, and one more for each so many records."""
LOOKED_AT_TOGETHER = 64
"""Records that are searched in one piece for what only few have: several times faster."""
_DAWN = datetime(1900, 1, 1, tzinfo=UTC)
_OTHER_CONTENT = "its event_id came before with other content; the first is kept"


def utc_now() -> datetime:
    """The current time."""
    return datetime.now(UTC)


class Detector:
    """All of detection, in memory: turns batches into work, and holds no files or connections.

    `known_events` is queried only for events older than the in-memory window of recent ids.
    """

    def __init__(
        self,
        rules: Rules,
        known_events: KnownEvents,
        clock: Clock = utc_now,
        memory_bytes: int = DEFAULT_BUDGET,
        brake: bool = False,
    ) -> None:
        self.rules = rules
        self.watermarks = Watermarks(rules.lateness)
        self.signals = SignalEngine(rules)
        self.attribution = Attribution()
        self.risk = RiskBook(rules)
        self.cases = CaseBook(rules)
        self.known = KnownKeys(self.signals, self.attribution, self.cases, memory_bytes)
        self._effects = Effects(self.attribution, self.risk, self.cases, self.known)
        self._braking = Braking(self.signals, Brake(rules) if brake else None)
        self._in_base = rules.currencies.in_base
        self._known_events = known_events
        self._clock = clock
        self._recent = {stream: RecentEvents() for stream in STREAMS}
        self._forgotten_until = _DAWN
        self._forget_at: datetime | None = None
        self._forgetting: Iterator[None] = iter(())

    def resume(self, memory: Memory) -> None:
        """Restore the state of an earlier run; call before the first batch."""
        self.watermarks.resume(memory.final, memory.lanes, time.monotonic())
        if memory.final is not None:
            self._forgotten_until = memory.final - self.rules.lateness
        for (stream, event_id), at in memory.recent_ids.items():
            self._recent[stream].add(event_id, at)
        self.known.resume(memory)
        for braked in memory.braked:
            self._braking.put_in_shadow(braked)
        for chunk in chunks(memory.events):
            self.known.prepare(chunk)
            for event in chunk:
                self.attribution.learn(event)
                self.signals.update(event)
        self.signals.resume(memory.in_shadow)
        self._effects.resume(memory)

    def process(self, source: str, batch: Batch) -> Work:
        """Evaluate a batch; returns everything that must be committed for it."""
        work = Work(source, batch.position, batch.available_at)
        latest = self._clock() + self.rules.clock_skew
        records, events, old = self._read(batch.records, work)
        stored = self._known_events(old) if old else ()
        self.known.prepare(events)
        evaluated: defaultdict[type[Event], list[Event]] = defaultdict(list)
        now, lane = time.monotonic(), source or API_LANE
        if source and not batch.by_origin:
            self.watermarks.expect(source, now)
        for record, event in zip(records, events, strict=True):
            recent, event_id = self._recent[record.stream], event.event_id
            before = recent.get(event_id)
            if before is not None or (stored and (record.stream, event_id) in stored):
                work.duplicates += 1
                if before is not None and type(before) is not datetime and before != event:
                    work.dead_letters.append(_dead_letter(record, _OTHER_CONTENT))
                continue
            recent.add(event_id, event)
            if batch.by_origin:
                lane = record.origin
            ingest_status = self._ingest_status(event, latest, lane, now)
            if ingest_status == "evaluated":
                evaluated[type(event)].append(event)
                self._evaluate(event, work)
            else:
                work.keep(STREAM_OF[type(event)], [event], ingest_status)
        for kind, group in evaluated.items():
            work.keep(STREAM_OF[kind], group, "evaluated")
        if batch.by_origin:
            self.watermarks.stop_expecting(source)
        self.watermarks.settle(now)
        if events:
            self._braking.check(events, self.watermarks.at, work)
        self._mark(work)
        self._forget(len(batch.records))
        work.known, work.settled_until = self.known.advance(len(batch.records))
        return work

    def decide(self, event: Event, ingest_status: IngestStatus) -> Decision:
        """Decide on a transaction that has just been evaluated, from the current state."""
        assert isinstance(event, Transaction)
        evaluated = ingest_status == "evaluated"
        return decide(
            event,
            ingest_status,
            self.signals.readings(event) if evaluated else [],
            self.risk.score(event.account_id, event.occurred_at),
            self.rules.risk.decisions,
            self._clock(),
        )

    def read(self, record: Record, plain: bool = False) -> Event:
        """Decode a record; `ValueError` names the field that breaks the contract."""
        event = decode(record, plain)
        if type(event) is Transaction:
            event.base_amount = self._in_base(event.amount, event.currency)
            share_texts(event)
        return event

    def review(self, customer: CustomerSignals) -> Work:
        """Recompute the cases of a customer after a case was closed or reopened."""
        work = Work("", "", time.monotonic())
        self._mark(work)
        self.known.prepare_customer(customer.customer_id)
        work.cases = {case.case_id: case for case in self.cases.rebuild(customer)}
        return work

    def _read(
        self, records: list[Record], work: Work
    ) -> tuple[list[Record], list[Event], list[Identity]]:
        """The records that can be decoded, their events, and those older than the recent ids."""
        good: list[Record] = []
        events: list[Event] = []
        old: list[Identity] = []
        for first in range(0, len(records), LOOKED_AT_TOGETHER):
            some = records[first : first + LOOKED_AT_TOGETHER]
            plain = is_plain(b"\n".join([record.raw for record in some]))
            for record in some:
                try:
                    event = self.read(record, plain)
                except ValueError as error:
                    work.dead_letters.append(_dead_letter(record, str(error)))
                    continue
                good.append(record)
                events.append(event)
                if event.occurred_at < self._forgotten_until:
                    old.append((record.stream, event.event_id))
        return good, events, old

    def replace(self, pattern: Pattern) -> None:
        """Go on with a version of a pattern that needs the same state, from the next event on."""
        operator = self.signals.replace(pattern)
        if isinstance(operator, Remembering):
            self.known.replace(operator)

    def drop(self, challenger: str) -> None:
        """Evaluate a challenger no longer."""
        self.signals.drop(challenger)

    @property
    def braked(self) -> dict[str, Braked]:
        """The patterns that were put in shadow because they fired on too many customers."""
        return self._braking.braked

    def release(self, pattern: str) -> None:
        """Give a pattern that was put in shadow effect again, from the next event on."""
        self._braking.release(pattern)

    def _mark(self, work: Work) -> None:
        work.watermark, work.final = self.watermarks.at, self.watermarks.final
        work.lanes = self.watermarks.saved()

    def _ingest_status(self, event: Event, latest: datetime, lane: str, now: float) -> IngestStatus:
        """The status of a new event; advances the watermark of its lane."""
        at = event.occurred_at
        if at > latest:
            return "future"
        if type(event) is KycProfile:
            # Reference data, valid from its time on: it is never late, and makes nothing else late.
            return "evaluated"
        accepted = self.watermarks.accept(lane, at, customer_of(event), now)
        return "evaluated" if accepted else "late"

    def _evaluate(self, event: Event, work: Work) -> None:
        learned, changes = self.attribution.learn(event), self.signals.update(event)
        if type(event) is KycProfile and self.watermarks.reached is not None:
            # An old profile may concern finalised events; how many of them are still in memory
            # depends on batches and restarts, so none are re-evaluated.
            edge = self.watermarks.reached - self.rules.lateness
            learned = [pair for pair in learned if pair[1].occurred_at >= edge]
            changes = [change for change in changes if change.signal.occurred_at >= edge]
        for account, signal in learned:
            self._effects.attribute(account, signal, work)
        for change in changes:
            self._effects.apply(change, work)

    def _forget(self, records: int) -> None:
        """Drop expired state, a little with each batch; each once per lateness of event time."""
        steps = 1 + records // RECORDS_PER_STEP
        if len([*islice(self._forgetting, steps)]) == steps:
            return  # the rest is for the next batches
        now = self.watermarks.final
        if now is None:
            return
        if self._forget_at is None:
            self._forget_at = now + self._sweep_every()
        if now >= self._forget_at:
            self._forget_at = now + self._sweep_every()
            self._forgotten_until = now - self.rules.lateness
            self._forgetting = self._forget_before(self._forgotten_until)
            self.known.settle(self._forgotten_until)

    def _forget_before(self, edge: datetime) -> Iterator[None]:
        for recent in self._recent.values():
            yield from recent.forget(edge)
        yield from self.signals.forget(edge)
        yield from self.attribution.forget(edge)
        yield from self.risk.forget(edge)

    def _sweep_every(self) -> timedelta:
        return max(self.rules.lateness, timedelta(seconds=60))


def _dead_letter(record: Record, reason: str) -> DeadLetter:
    return DeadLetter(
        stream=record.stream,
        # A reason may quote the contents of the field.
        reason=without_card_numbers(reason.encode()).decode(),
        origin=record.origin,
        offset=record.offset,
        raw=without_card_numbers(record.raw),
    )
