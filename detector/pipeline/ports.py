"""What the pipeline needs from the outside: a source, a store and sinks."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from detector.cases.session import Session
from detector.core.events import Event
from detector.core.rules import Rules
from detector.pipeline.work import Batch, Decision, Work
from detector.signals.signal import Signal


class Source(Protocol):
    """Where records come from, in an order that a position can be taken up in again."""

    name: str

    def open(self, position: str | None) -> None:
        """Start after `position`, or at the beginning when None."""

    def poll(self) -> Batch | None:
        """The next records, none if there are none yet (after a short wait), None at the end."""

    def acknowledge(self, position: str) -> None:
        """Everything up to `position` is committed; called once per committed batch, in order."""

    def close(self) -> None:
        """Let go of files and connections; called once, also after an error."""


@dataclass(slots=True)
class Memory:
    """What a store gives back so that detection goes on as if it had never stopped."""

    watermark: datetime | None = None
    events: Iterable[Event] = ()
    recent_ids: dict[str, datetime] = field(default_factory=dict)
    holdings: Iterable[tuple[str, str, datetime]] = ()
    attributed: Iterable[tuple[str, Signal]] = ()
    customer_signals: Iterable[Signal] = ()
    sessions: Iterable[Session] = ()


class Store(Protocol):
    """Where work is kept; a commit is seen whole or not at all, also after a crash."""

    def commit(self, work: Work) -> None:
        """Write the work and its source position in one transaction."""

    def position(self, source: str) -> str | None:
        """The last committed position of a source."""

    def known_events(self, ids: list[str]) -> set[str]:
        """Which of these event ids are already stored."""

    def decision(self, event_id: str) -> Decision | None:
        """What was decided about a transaction, None if nobody asked."""

    def recall(self, rules: Rules) -> Memory:
        """What is needed to go on from the last commit."""

    def close(self) -> None:
        """Release the store."""


class Sink(Protocol):
    """Who hears of committed work. May see the same work again after a crash."""

    def publish(self, work: Work) -> None:
        """Tell of committed work; must not raise for trouble of its own."""
