"""Events that are due at a fixed rate, whatever detection does, from a process of their own."""

import multiprocessing
import time
from multiprocessing.connection import Connection

from benchmarks.endless import EndlessSource
from detector.core.events import Record
from detector.pipeline.work import Batch, Work

TICK_S = 0.002
QUANTILES = (0.5, 0.99, 0.999)


def generate(pipe: Connection, customers: int, rate: float, seconds: float, hot: float) -> None:
    """Send what is due every few milliseconds: when it was due, and the records."""
    bank = EndlessSource(customers, rate, hot=hot)
    pipe.recv()
    began, sent = time.monotonic(), 0
    while (elapsed := time.monotonic() - began) < seconds:
        due = int(elapsed * rate)
        if due > sent:
            # The oldest of them was due then; monotonic time is that of all processes.
            found = [(record.stream, record.raw) for record in bank.records(sent, due)]
            pipe.send((began + sent / rate, found))
            sent = due
        time.sleep(TICK_S)
    pipe.send(None)


class OpenLoop:
    """A source that delivers what the generator has sent since the last poll."""

    name = "open-loop"

    def __init__(self, customers: int, rate: float, seconds: float, hot: float = 0.0) -> None:
        processes = multiprocessing.get_context("spawn")
        self._pipe, theirs = processes.Pipe()
        self._generator = processes.Process(
            target=generate, args=(theirs, customers, rate, seconds, hot), daemon=True
        )
        self._delivered, self._over = 0, False

    def open(self, position: str | None) -> None:
        """Start the clock."""
        self._generator.start()
        self._pipe.send("go")

    def poll(self) -> Batch | None:
        """The events that are due and not yet delivered; None at the end."""
        records: list[Record] = []
        due: float | None = None
        while not self._over and self._pipe.poll(0 if records else 0.05):
            sent = self._pipe.recv()
            if sent is None:
                self._over = True
                break
            due = sent[0] if due is None else due
            for stream, raw in sent[1]:
                records.append(Record(stream, raw, self.name, self._delivered))
                self._delivered += 1
            if len(records) >= 20_000:
                break
        return None if self._over and not records else Batch(records, str(self._delivered), due)

    def lag(self) -> dict[str, int]:
        """No partitions."""
        return {}

    def acknowledge(self, position: str) -> None:
        """Nothing to acknowledge."""

    def close(self) -> None:
        """End the generator."""
        self._generator.join(5)


class Latencies:
    """A sink that keeps, of each commit, its time since the oldest event was due, and its size."""

    def __init__(self, warm_up_s: float = 0.0) -> None:
        self.seen: list[tuple[float, int]] = []
        self.committed = 0
        self._from = time.monotonic() + warm_up_s

    def publish(self, work: Work) -> None:
        """Note one commit."""
        self.committed += work.size
        if work.available_at is not None and work.available_at >= self._from:
            self.seen.append((work.committed_at - work.available_at, work.size))

    def quantiles(self) -> dict[str, float]:
        """In milliseconds, by event; every event counts as if it were the oldest of its commit."""
        total, found = sum(size for _, size in self.seen), {}
        for quantile in QUANTILES:
            passed = 0
            for latency, size in sorted(self.seen):
                passed += size
                if passed >= quantile * total:
                    found[f"p{quantile * 100:g}"] = round(latency * 1000, 1)
                    break
        return found
