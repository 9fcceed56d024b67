"""What makes detection blind while everything seems to run."""

import threading
import time
from collections import Counter, deque
from collections.abc import Callable

from detector.core.events import STREAMS
from detector.pipeline.work import Work

API = "the API"
WINDOW_S = 300
"""Seconds that are looked back, by the clock."""
MOSTLY = 0.5
"""The share of records set aside from which a source is an alarm."""
ENOUGH = 20
"""Fewer records than this say nothing about a source."""
_SLICE_S = 10

_WHY = {
    "late": "arrive too late to be evaluated. Look for a backlog, or for a source whose clock is "
    "ahead",
    "future": "are dated in the future. Check the clocks of the producer and of this machine",
    "dead": "break the contract. The dead letters say why",
}


class Alarms:
    """A sink that watches which records are set aside, by source and stream; any thread reads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._slices: deque[tuple[float, Counter[tuple[str, str, str]]]] = deque()

    def publish(self, work: Work) -> None:
        """Count committed work."""
        counts: Counter[tuple[str, str, str]] = Counter()
        source = work.source.partition(":")[0] or API
        for (stream, ingest_status), events in work.events.items():
            counts[source, stream, ingest_status] += len(events)
        for letter in work.dead_letters:
            stream = letter.stream if letter.stream in STREAMS else "records of unknown streams"
            counts[source, stream, "dead"] += 1
        if not counts:
            return
        now = self._clock()
        with self._lock:
            if not self._slices or now - self._slices[-1][0] >= _SLICE_S:
                self._slices.append((now, Counter()))
            self._slices[-1][1].update(counts)

    def active(self) -> list[str]:
        """One sentence for each source and stream of which most records are set aside."""
        return [text for _, text in self._found()]

    @property
    def blind(self) -> bool:
        """Whether most records of the polled source are late or in the future.

        The API does not count: its callers are told, and must not decide about readiness.
        """
        return any(
            source != API and status in ("late", "future") for (source, status), _ in self._found()
        )

    def shares(self) -> dict[str, float]:
        """The share of all records that were set aside, by why."""
        totals = self._totals()
        records = totals.total()
        return {
            status: sum(n for (*_, s), n in totals.items() if s == status) / records
            if records
            else 0.0
            for status in _WHY
        }

    def _totals(self) -> Counter[tuple[str, str, str]]:
        totals: Counter[tuple[str, str, str]] = Counter()
        with self._lock:
            while self._slices and self._clock() - self._slices[0][0] > WINDOW_S:
                self._slices.popleft()
            for _, counts in self._slices:
                totals.update(counts)
        return totals

    def _found(self) -> list[tuple[tuple[str, str], str]]:
        totals = self._totals()
        records: Counter[tuple[str, str]] = Counter()
        for (source, stream, _), count in totals.items():
            records[source, stream] += count
        return [
            (
                (source, status),
                f"Most {stream.replace('_', ' ')} of {source} ({count:,} of {whole:,} in the last "
                f"{WINDOW_S // 60} minutes) {_WHY[status]}.",
            )
            for (source, stream, status), count in sorted(totals.items())
            if status in _WHY
            and (whole := records[source, stream]) >= ENOUGH
            and count > MOSTLY * whole
        ]
