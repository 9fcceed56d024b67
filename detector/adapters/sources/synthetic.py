"""The synthetic bank as a live source, in this process."""

import time
from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from detector.core.events import Record
from detector.pipeline.work import Batch
from producers.bank import SyntheticBank, truth
from producers.config import ProducerSettings

TICK_SECONDS = 0.02
BATCH_LIMIT = 1_000
LABELS_KEPT = 20_000


class Label(NamedTuple):
    """The label of a fraudulent event: known to the bank, hidden from detection."""

    event_id: str
    at: datetime
    scenario: str
    instance: str


class SyntheticSource:
    """Returns the bank's events as they become due, encoded as on a topic.

    The bank restarts at every opening, with the same customers; its past is history. At the first
    opening it has been open for `history` already, so that a new store is not empty. `truth` has
    the newest labels, for screens that compare detection with them.
    """

    name = "synthetic"

    def __init__(
        self,
        settings: ProducerSettings,
        seconds: float | None = None,
        history: timedelta = timedelta(0),
    ) -> None:
        self._settings = settings
        self._seconds = seconds
        self._history = history
        self._behind = False  # still returning history
        self._until: datetime | None = None
        self._handed_over = 0
        self.truth: deque[Label] = deque(maxlen=LABELS_KEPT)
        self._events: Iterator[tuple[datetime, Record]] = iter(())
        self._next: tuple[datetime, Record] | None = None

    def open(self, position: str | None) -> None:
        """Start the bank now, or as long ago as its history."""
        now = datetime.now(UTC)
        if self._seconds is not None:
            self._until = now + timedelta(seconds=self._seconds)
        start = now if position is not None else now - self._history
        self._behind = start < now
        self._events = self._records(SyntheticBank(self._settings, start))
        self._next = next(self._events)

    def poll(self) -> Batch | None:
        """The events that are due, after at most one tick; None when the time is over."""
        time.sleep(TICK_SECONDS)
        now = datetime.now(UTC)
        over = self._until is not None and now >= self._until
        deadline = self._until if self._until is not None and over else now
        records: list[Record] = []
        oldest, history = now, self._behind
        while self._next is not None and len(records) < BATCH_LIMIT:
            at, record = self._next
            if at > deadline:
                break
            oldest = min(oldest, at)
            records.append(record)
            self._next = next(self._events)
        if over and not records:
            return None
        self._behind = self._behind and len(records) == BATCH_LIMIT
        self._handed_over += len(records)
        waited = (now - oldest).total_seconds()
        available_at = None if history else time.monotonic() - waited
        return Batch(records, str(self._handed_over), available_at)

    def lag(self) -> dict[str, int]:
        """No partitions."""
        return {}

    def acknowledge(self, position: str) -> None:
        """Nothing to acknowledge."""

    def close(self) -> None:
        """Nothing to close."""

    def _records(self, bank: SyntheticBank) -> Iterator[tuple[datetime, Record]]:
        for number, (topic, event) in enumerate(bank, 1):
            if label := truth(topic, event):
                scenario, instance = label["scenario"] or "", label["instance"] or ""
                self.truth.append(Label(event.event_id, event.occurred_at, scenario, instance))
            stream = topic.removeprefix("banking.")
            yield event.occurred_at, Record(stream, event.to_json(), "synthetic", number)
