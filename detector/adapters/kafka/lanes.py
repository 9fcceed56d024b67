"""Keeps the partitions of all topics aligned in time while a backlog is read.

A broker delivers partitions in chunks, an hour of logins before a minute of transactions. In that
order the transactions would be too late. Lanes hold records back until no partition can still
deliver an earlier one.
"""

import re
from collections import deque
from collections.abc import Iterable, Iterator
from datetime import datetime
from operator import itemgetter
from typing import NamedTuple

from detector.adapters.kafka.position import Key
from detector.core.events import RECORD_LIMIT, Record

MOST_RECORDS = 100_000
MOST_BYTES = 128 << 20

_OCCURRED_AT = re.compile(rb'"occurred_at"\s*:\s*"([^"]*)"')
_UNKNOWN = float("-inf")


class HeldRecord(NamedTuple):
    """A record with its sort key (seconds since 1970), and the time since which it was readable."""

    at: float
    record: Record
    key: Key
    since: float


class Lane:
    """One partition: records that were read and not yet returned, in the order of their offsets."""

    def __init__(self, key: Key) -> None:
        self.key = key
        self.origin = f"{key[0]}[{key[1]}]"
        self.records: deque[HeldRecord] = deque()
        self.bytes = 0
        self.last_at = _UNKNOWN
        self.read_to: int | None = None
        self.at_end = False
        self.paused = False

    @property
    def blocks(self) -> bool:
        """Whether the others wait for it: nothing buffered, and not known to be at its end."""
        return not self.at_end and not self.records


class Lanes:
    """The assigned partitions.

    Within a partition records keep the order of their offsets. Across partitions the earlier record
    comes first, provided every partition is at its end or has delivered something later.
    """

    def __init__(self) -> None:
        self._lanes: dict[Key, Lane] = {}
        self._ready: deque[HeldRecord] = deque()
        self._held = self._bytes = 0  # ready and not

    def __iter__(self) -> Iterator[Lane]:
        return iter(list(self._lanes.values()))

    def get(self, key: Key) -> Lane | None:
        """The lane of a partition; None if it is not assigned."""
        return self._lanes.get(key)

    def keys(self) -> set[Key]:
        """The assigned partitions."""
        return set(self._lanes)

    def add(self, key: Key) -> None:
        """Add a partition."""
        self._lanes[key] = Lane(key)

    def drop(self, keys: Iterable[Key]) -> None:
        """Drop partitions and their buffered records; the next owner reads those again."""
        gone = set(keys)
        for key in gone:
            self._lanes.pop(key, None)
        self._ready = deque(held for held in self._ready if held.key not in gone)
        kept = [*self._ready, *(held for lane in self for held in lane.records)]
        self._held, self._bytes = len(kept), sum(len(held.record.raw) for held in kept)

    def put(self, lane: Lane, record: Record, timestamp: float | None, now: float) -> None:
        """Add the next record of a lane.

        `timestamp` is the broker's. A record is placed at the earlier of that and its
        `occurred_at`, so that neither a late delivery nor a wrong clock delays the others; without
        either, or with a future one, it follows its predecessor.
        """
        at = _moment(record.raw, timestamp, now, lane.last_at)
        if at > lane.last_at:
            lane.last_at = at
        since = now if timestamp is None or timestamp > now else timestamp
        lane.records.append(HeldRecord(lane.last_at, record, lane.key, since))
        self._held += 1
        self._bytes += len(record.raw)
        lane.bytes += len(record.raw)
        lane.read_to = record.offset + 1
        lane.at_end = False

    def full(self, lane: Lane) -> bool:
        """Whether much is buffered, and the lane has its share of the most or more.

        So a partition that is ahead of the others in time is not read on, and those that all wait
        for are.
        """
        much = self._held >= MOST_RECORDS // 2 or self._bytes >= MOST_BYTES // 2
        return much and self._filled(lane) >= 1

    def roomy(self, lane: Lane) -> bool:
        """Whether a lane has at most half its share."""
        return self._filled(lane) <= 0.5

    def _filled(self, lane: Lane) -> float:
        return len(self._lanes) * max(len(lane.records) / MOST_RECORDS, lane.bytes / MOST_BYTES)

    def blocking(self) -> list[Lane]:
        """The lanes that the others wait for."""
        return [lane for lane in self._lanes.values() if lane.blocks]

    @property
    def ready(self) -> bool:
        """Whether records are ready to be returned."""
        return bool(self._ready)

    def take(self, limit: int) -> list[HeldRecord]:
        """The next records in order, at most `limit`."""
        if len(self._ready) < limit:
            self._advance()
        ready = self._ready
        taken = [ready.popleft() for _ in range(min(limit, len(ready)))]
        self._held -= len(taken)
        self._bytes -= sum(len(held.record.raw) for held in taken)
        return taken

    def _advance(self) -> None:
        """Move the records that no partition can precede from the lanes to the ready ones."""
        lanes = self._lanes.values()
        frontier = min((lane.last_at for lane in lanes if not lane.at_end), default=float("inf"))
        found: list[HeldRecord] = []
        for lane in lanes:
            held = lane.records
            # Times within a lane never decrease, so later records are not before the frontier.
            while held and held[0].at <= frontier:
                found.append(held.popleft())
                lane.bytes -= len(found[-1].record.raw)
        found.sort(key=itemgetter(0))
        self._ready.extend(found)


def _moment(raw: bytes, timestamp: float | None, now: float, otherwise: float) -> float:
    at = now + 1 if timestamp is None else timestamp
    if match := _OCCURRED_AT.search(raw, 0, RECORD_LIMIT):
        try:
            occurred_at = datetime.fromisoformat(match[1].decode())
            if occurred_at.tzinfo is not None:
                at = min(at, occurred_at.timestamp())
        except (ValueError, OverflowError):
            pass
    return otherwise if at > now else at
