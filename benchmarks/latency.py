"""Latency from due to committed and visible, open loop: `python -m benchmarks.latency`.

    python -m benchmarks.latency [--rates 500 2000 5000 10000] [--customers 50000] [--seconds 30]
        [--hot 0.2]

The generator is another process and never slows down; every event counts as if it had been the
oldest of its commit. Ten times a second a thread counts what it can see, which must be everything
that was committed before it asked. A line of JSON for each rate, in a process of its own.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from statistics import quantiles

from benchmarks.open_loop import Latencies, OpenLoop
from detector.adapters.duckdb.store import DuckDBStore
from detector.cli.progress import EventProgress
from detector.cli.tuning import collect_garbage_rarely, take_short_turns
from detector.core.events import STREAMS
from detector.pipeline.pipeline import Pipeline
from detector.signals.loading import load_rules

CUSTOMERS = 25
"""For each event a second: 50,000 at 2,000/s. So a customer does as much at any rate; where many do
more than they would at a bank, most events raise a signal."""
WARM_UP_S = 5
READ_EVERY_S = 0.1
STORED = "SELECT " + " + ".join(f"(SELECT count(*) FROM stg_{stream})" for stream in STREAMS)


class Onlooker(threading.Thread):
    """Counts the events of a store, and how long that takes."""

    def __init__(self, store: DuckDBStore, latencies: Latencies) -> None:
        super().__init__()
        self._store, self._latencies = store, latencies
        self._over = threading.Event()
        self._took: list[float] = []
        self._unseen = 0

    def run(self) -> None:
        """Count until `end`."""
        while not self._over.wait(READ_EVERY_S):
            committed, began = self._latencies.committed, time.monotonic()
            [(stored,)] = self._store.query(STORED)
            self._took.append(time.monotonic() - began)
            self._unseen += stored < committed

    def end(self) -> dict[str, float]:
        """Milliseconds of a query, and how many did not see everything committed before."""
        self._over.set()
        self.join()
        half, most = quantiles(self._took, n=100)[49::49]
        return {"p50": round(half * 1e3, 1), "p99": round(most * 1e3, 1), "unseen": self._unseen}


def measure(rate: float, customers: int, seconds: float, hot: float) -> dict[str, object]:
    """One run in this process."""
    collect_garbage_rarely()
    take_short_turns()
    with tempfile.TemporaryDirectory() as folder:
        store = DuckDBStore(Path(folder) / "s.duckdb", load_rules())
        source = OpenLoop(customers, rate, seconds + WARM_UP_S, hot)
        latencies = Latencies(WARM_UP_S)
        onlooker = Onlooker(store, latencies)
        onlooker.start()
        began = time.process_time()
        Pipeline(store.rules, source, store, [latencies]).run()
        busy = time.process_time() - began
        queries = onlooker.end()
        [(events,)] = store.query(STORED)
        [(signals,)] = store.query("SELECT count(*) FROM fraud_signals")
        store.close()
    return {
        "rate": rate,
        "customers": customers,
        "hot": hot,
        "latency_ms": latencies.quantiles(),
        "query_ms": queries,
        "commits": len(latencies.seen),
        "events": events,
        "signals": signals,
        "expected": int(rate * (seconds + WARM_UP_S)),
        "cpu_us_per_event": round(busy / events * 1e6, 1),
    }


def main() -> None:
    """Print a line of JSON for each rate."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rates", type=float, nargs="+", default=[500, 2000, 5000, 10_000])
    parser.add_argument("--customers", type=int, help=f"By default {CUSTOMERS} times the rate.")
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--hot", type=float, default=0.0, help="Share of one customer.")
    given = parser.parse_args()
    if len(given.rates) == 1:
        [rate] = given.rates
        customers = given.customers or int(CUSTOMERS * rate)
        print(json.dumps(measure(rate, customers, given.seconds, given.hot)))
        return
    with EventProgress("measuring", "rates", len(given.rates)) as progress:
        for rate in given.rates:
            asked = ["--rates", str(rate), "--seconds", str(given.seconds), "--hot", str(given.hot)]
            if given.customers:
                asked += ["--customers", str(given.customers)]
            subprocess.run([sys.executable, "-m", "benchmarks.latency", *asked], check=True)
            progress.advance(1)


if __name__ == "__main__":
    main()
