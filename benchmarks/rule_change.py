"""A rule changes under load: how long detection pauses, and what that does to latency.

    python -m benchmarks.rule_change [--rate 2000] [--seconds 30] [--set threshold=4]

Events are due at a fixed rate, whatever detection does; latency is from due to committed. The
generator is in the same process, so all of it is slower than beside a broker.
"""

import argparse
import json
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import yaml

from benchmarks.endless import EndlessSource
from detector.adapters.duckdb.store import DuckDBStore
from detector.cli.tuning import collect_garbage_rarely
from detector.pipeline.pipeline import Pipeline
from detector.pipeline.work import Batch, Work
from detector.signals.rules import load_rules, with_changes

PATTERN = "velocity"
CUSTOMERS = 10_000
QUANTILES = (0.5, 0.99, 0.999)


class OpenLoop(EndlessSource):
    """Delivers what is due, at most 20,000 at once."""

    def __init__(self, rate: float, seconds: float) -> None:
        super().__init__(CUSTOMERS, rate)
        self._for_s = seconds

    def open(self, position: str | None) -> None:
        """Start the clock."""
        super().open(position)
        self._began = time.monotonic()

    def poll(self) -> Batch | None:
        """The events that are due and not yet delivered."""
        elapsed = time.monotonic() - self._began
        if elapsed > self._for_s:
            return None
        first, self._next = self._next, min(int(elapsed * self._rate), self._next + 20_000)
        if first == self._next:
            time.sleep(0.005)
            return Batch([], str(first), None)
        due = self._began + first / self._rate
        return Batch(list(self._records(first, self._next)), str(self._next), due)


class Latencies:
    """A sink that keeps the latency of each commit and the number of its events."""

    def __init__(self) -> None:
        self.seen: list[tuple[float, int]] = []

    def publish(self, work: Work) -> None:
        """Note one commit."""
        if work.available_at is not None:
            self.seen.append((work.committed_at - work.available_at, work.size))

    def quantiles(self) -> dict[str, float]:
        """In milliseconds, by event."""
        total, found = sum(size for _, size in self.seen), {}
        for quantile in QUANTILES:
            passed = 0
            for latency, size in sorted(self.seen):
                passed += size
                if passed >= quantile * total:
                    found[f"p{quantile * 100:g}"] = round(latency * 1000, 1)
                    break
        return found


def measure(rate: float, seconds: float, changes: dict[str, Any] | None) -> dict[str, Any]:
    """One run; the rule changes in the middle of it, if at all."""
    rules, pause = load_rules(), None
    with tempfile.TemporaryDirectory() as folder:
        store = DuckDBStore(Path(folder) / "s.duckdb", rules)
        latencies = Latencies()
        pipeline = Pipeline(store.rules, OpenLoop(rate, seconds), store, [latencies])
        running = threading.Thread(target=pipeline.run)
        running.start()
        pipeline.ready.wait(60)
        time.sleep(seconds / 2)
        if changes is not None:
            began = time.monotonic()
            pipeline.adopt(with_changes(rules, PATTERN, changes))
            pause = round(1000 * (time.monotonic() - began), 1)
        running.join()
        [(stored, different)] = store.query(
            "SELECT count(*), count(DISTINCT event_id) FROM transactions"
        )
        store.close()
    return {
        "changes": changes,
        "pause_ms": pause,
        "latency_ms": latencies.quantiles(),
        "transactions": stored,
        "doubled": stored - different,
    }


def main() -> None:
    """Print a run without a change, and one with it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rate", type=float, default=2000)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--set", action="append", default=None, help="threshold=4")
    given = parser.parse_args()
    collect_garbage_rarely()
    pairs = (text.partition("=") for text in given.set or ["threshold=4"])
    changes = {key: yaml.safe_load(value) for key, _, value in pairs}
    for change in (None, changes):
        print(json.dumps(measure(given.rate, given.seconds, change)))


if __name__ == "__main__":
    main()
