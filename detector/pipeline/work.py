"""What moves through the pipeline: batches in, units of committed work out."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, NamedTuple

import msgspec

from detector.cases.case import Case
from detector.core.events import Event, Record
from detector.risk.score import RiskPoint
from detector.signals.brake import Braked
from detector.signals.signal import Signal
from detector.state.knowledge import KnownRow

IngestStatus = Literal["evaluated", "late", "future"]


class Batch(NamedTuple):
    """Records in arrival order, and the source's position after the last of them.

    `available_at` is when the oldest of them could first be read (seconds of `time.monotonic`), so
    that latency includes waiting; None for history, of which it says nothing. `by_origin` says that
    each origin has a clock of its own, such as the partitions of a topic; otherwise the batch is
    merged by time.
    """

    records: list[Record]
    position: str
    available_at: float | None
    by_origin: bool = False


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """A record that broke the contract: the reason, its origin and its bytes.

    Card numbers in the bytes are masked. Records over the size limit are truncated.
    """

    stream: str
    reason: str
    origin: str
    offset: int
    raw: bytes


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """The decision returned for a transaction; `answer` is the JSON document as sent."""

    event_id: str
    account_id: str
    decided_at: datetime
    decision: str
    risk_level: str
    risk_score: float
    answer: msgspec.Raw


@dataclass(slots=True)
class Work:
    """Everything that one batch changes, committed atomically.

    `shadow` are changes of signals of patterns in shadow, `braked` the patterns put there.

    `source` and `position` are empty for records submitted from outside a source. `final` is how
    far event time has come for certain, `lanes` what it follows from. `known` are the changes of
    what is known of keys, which contains all events before `settled_until`.
    """

    source: str
    position: str
    available_at: float | None
    watermark: datetime | None = None
    final: datetime | None = None
    lanes: bytes = b"{}"
    events: dict[tuple[str, IngestStatus], list[Event]] = field(default_factory=dict)
    dead_letters: list[DeadLetter] = field(default_factory=list)
    duplicates: int = 0
    signals: dict[str, Signal | None] = field(default_factory=dict)
    new_signals: list[Signal] = field(default_factory=list)
    withdrawn_signals: list[Signal] = field(default_factory=list)
    shadow: dict[str, Signal | None] = field(default_factory=dict)
    new_shadow: list[Signal] = field(default_factory=list)
    braked: list[Braked] = field(default_factory=list)
    attributions: dict[tuple[str, str], Signal | None] = field(default_factory=dict)
    risk: dict[tuple[str, datetime], RiskPoint | None] = field(default_factory=dict)
    cases: dict[str, Case] = field(default_factory=dict)
    decisions: list[Decision] = field(default_factory=list)
    known: list[KnownRow] = field(default_factory=list)
    settled_until: datetime | None = None
    committed_at: float = 0.0
    commit_s: float | None = None

    @property
    def size(self) -> int:
        """The number of records it stores."""
        return len(self.dead_letters) + sum(map(len, self.events.values()))

    def keep(self, stream: str, events: list[Event], ingest_status: IngestStatus) -> None:
        """Add events to be stored."""
        self.events.setdefault((stream, ingest_status), []).extend(events)

    def count(self, ingest_status: IngestStatus) -> int:
        """How many events have this status."""
        return sum(len(group) for (_, kind), group in self.events.items() if kind == ingest_status)


def merged(works: Sequence[Work]) -> Work:
    """One unit with the combined effect of several in this order, all from at most one source."""
    if len(works) == 1:
        return works[0]
    batch = next((work for work in reversed(works) if work.source), works[-1])
    available = [work.available_at for work in works if work.available_at is not None]
    whole = Work(batch.source, batch.position, min(available, default=None))
    for work in works:
        for (stream, ingest_status), events in work.events.items():
            whole.keep(stream, events, ingest_status)
        whole.dead_letters += work.dead_letters
        whole.duplicates += work.duplicates
        whole.signals |= work.signals
        whole.new_signals += work.new_signals
        whole.withdrawn_signals += work.withdrawn_signals
        whole.shadow |= work.shadow
        whole.new_shadow += work.new_shadow
        whole.braked += work.braked
        whole.attributions |= work.attributions
        whole.risk |= work.risk
        whole.cases |= work.cases
        whole.decisions += work.decisions
        whole.known += work.known
        whole.settled_until = work.settled_until or whole.settled_until
    whole.watermark, whole.final, whole.lanes = (
        works[-1].watermark,
        works[-1].final,
        works[-1].lanes,
    )
    return whole
