"""What moves through the pipeline: a batch comes in, a piece of work is committed."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, NamedTuple

import msgspec

from detector.cases.case import Case
from detector.core.events import Event, Record
from detector.risk.score import RiskPoint
from detector.signals.signal import Signal

Disposition = Literal["evaluated", "late", "future"]


class Batch(NamedTuple):
    """Records in arrival order, and the source's position after the last of them.

    `available_at` is when the oldest of them could first have been read (seconds of
    `time.monotonic`), so that latency counts waiting too.
    """

    records: list[Record]
    position: str
    available_at: float


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """A record that broke the contract: why, where it stood, and its bytes.

    Card numbers in the bytes are masked. Lines beyond the size limit keep their first part.
    """

    stream: str
    reason: str
    origin: str
    offset: int
    raw: bytes


@dataclass(slots=True)
class Work:
    """Everything one batch changes; it is committed as a whole or not at all."""

    source: str
    position: str
    available_at: float
    watermark: datetime | None = None
    events: dict[tuple[str, Disposition], list[Event]] = field(default_factory=dict)
    dead_letters: list[DeadLetter] = field(default_factory=list)
    duplicates: int = 0
    signals: dict[str, Signal | None] = field(default_factory=dict)
    new_signals: list[Signal] = field(default_factory=list)
    withdrawn_signals: list[Signal] = field(default_factory=list)
    attributions: dict[tuple[str, str], Signal | None] = field(default_factory=dict)
    risk: dict[tuple[str, datetime], RiskPoint | None] = field(default_factory=dict)
    cases: dict[str, Case] = field(default_factory=dict)
    committed_at: float = 0.0

    def keep(self, stream: str, events: list[Event], disposition: Disposition) -> None:
        """Note events to be stored."""
        self.events.setdefault((stream, disposition), []).extend(events)

    def count(self, disposition: Disposition) -> int:
        """How many events of a disposition the work holds."""
        return sum(len(group) for (_, kind), group in self.events.items() if kind == disposition)
