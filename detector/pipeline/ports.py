"""What the pipeline needs from outside: a source, a store and sinks; and who reads its views."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from detector.cases.session_window import SessionWindow
from detector.core.events import Event
from detector.pipeline.work import Batch, Decision, Work
from detector.signals.rules import Rules
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
    session_windows: Iterable[SessionWindow] = ()


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
    """Receives committed work; after a crash it may receive the same work again."""

    def publish(self, work: Work) -> None:
        """Publish committed work; must not raise for trouble of its own."""


class Reader(Protocol):
    """Answers SQL over the views: those of the embedded store or of RisingWave.

    Queries stay within what DuckDB and RisingWave both understand; parameters are `?`.
    """

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> list[dict[str, Any]]:
        """The rows of a query, as committed; safe from any thread."""


class ConsoleReader(Reader, Protocol):
    """A reader that the console can serve pages from."""

    open_cases: str
    """Goes after FROM: `mv_open_fraud_cases` without the customers' KYC tier, at its fastest."""
