"""The interfaces of the pipeline: source, store, sinks, and readers of the views."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from detector.cases.book import CustomerSignals
from detector.core.data import Row
from detector.core.events import Event, Identity
from detector.pipeline.work import Batch, Decision, Work
from detector.signals.brake import Braked
from detector.signals.rules import Rules
from detector.signals.signal import Signal
from detector.state.knowledge import KnowledgeStore, KnownRow


class Source(Protocol):
    """Where records come from; reading can resume at a position."""

    name: str

    def open(self, position: str | None) -> None:
        """Start after `position`, or at the beginning when None."""

    def poll(self) -> Batch | None:
        """The next records; empty if there are none after a short wait; None at the end."""

    def lag(self) -> dict[str, int]:
        """The records of each partition that were not read yet; empty without partitions."""

    def acknowledge(self, position: str) -> None:
        """Everything up to `position` is committed; called once per commit, in order."""

    def close(self) -> None:
        """Release files and connections; called once, also after an error."""


class History(Protocol):
    """Everything that was ever evaluated, to build parts of what is known of keys again."""

    outdated: frozenset[str]
    """The parts to build."""

    def events(self, part: str, stream: str, key: Sequence[str]) -> Iterable[Event]:
        """What an operator's part needs from before `settled_until`, by key and time."""

    def holdings(self) -> Iterable[tuple[str, str, datetime]]:
        """Every customer's accounts, and since when."""

    def customers(self) -> Iterable[CustomerSignals]:
        """The customers whose cases can still change."""

    def write(self, rows: Sequence[KnownRow]) -> None:
        """Write a share of what was built."""

    def built(self) -> None:
        """All parts are complete."""


@dataclass(slots=True)
class Memory:
    """What a store restores, so that detection continues as if it had never stopped."""

    knowledge: KnowledgeStore
    history: History
    settled_until: datetime
    """What is known of keys contains the events before this time."""
    final: datetime | None
    lanes: str
    events: Iterable[Event]
    """In order of time, what operators need to continue, apart from what is known of keys."""
    recent_ids: dict[Identity, datetime]
    attributed: Iterable[tuple[str, Signal]]
    braked: Iterable[Braked]
    in_shadow: set[str]
    customer_signals: Iterable[Signal]
    case_signals: Iterable[Signal]
    """Those that cases may not contain yet."""
    closings: dict[str, list[datetime]]
    reviewed: Iterable[CustomerSignals]
    """The customers whose closings may have changed since the last commit."""


class Store(Protocol):
    """Persists work; a commit is atomic, also across a crash."""

    def commit(self, work: Work) -> None:
        """Keep the work and its source position, all or nothing."""

    def catch_up(self) -> None:
        """Write what may lag behind the commits, as a restart makes it again; never raises."""

    def position(self, source: str) -> str | None:
        """The last committed position of a source."""

    def known_events(self, ids: list[Identity]) -> set[Identity]:
        """Which of these events are already stored."""

    def decision(self, event_id: str) -> Decision | None:
        """The recorded decision on a transaction; None if it was never scored."""

    def recall(self, rules: Rules) -> Memory | None:
        """Everything needed to continue from the last commit; None where nothing is kept."""

    def customer_signals(self, customer_id: str) -> CustomerSignals:
        """A customer's closings, and the signals that open cases can still need."""

    def release(self, pattern: str) -> None:
        """Record that a pattern is no longer in shadow."""

    def sizes(self) -> dict[str, int]:
        """Bytes on disk, by part."""

    def back_up(self) -> Path:
        """Copy the store, as of one moment, into a new folder; any thread."""

    def close(self) -> None:
        """Release the store."""


class Sink(Protocol):
    """Receives committed work; after a crash it may receive the same work again."""

    def publish(self, work: Work) -> None:
        """Publish committed work; must not raise its own failures."""


class Reader(Protocol):
    """Answers SQL over the views of the embedded store or of RisingWave.

    Queries use only what DuckDB and RisingWave both understand; parameters are `?`.
    """

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> list[Row]:
        """The rows of a query over committed data; safe from any thread."""


class ConsoleReader(Reader, Protocol):
    """A reader that can serve the console."""

    def hold(self) -> None:
        """What reads in this context (a request, say) need not find what is committed later."""

    def answer(self, sql: str) -> tuple[list[str], list[Any]]:
        """The columns and rows of one read-only query, possibly written by hand."""

    open_cases: str
    """For use after FROM: `mv_open_fraud_cases` without the customers' KYC tier, which is faster.
    """
