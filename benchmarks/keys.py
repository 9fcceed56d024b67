"""Throughput by the number of active customers: does it hold when they no longer fit into memory?

    python -m benchmarks.keys --events 1000000

The whole pipeline, everything committed. Each number of customers is a new store and a new process;
events are drawn from all of them alike, which is the worst case for a cache.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.endless import EndlessSource
from detector.adapters.duckdb.store import DuckDBStore
from detector.cli.tuning import collect_garbage_rarely
from detector.pipeline.gauges import resident_bytes
from detector.pipeline.pipeline import Pipeline
from detector.signals.loading import load_rules


def main() -> None:
    """Measure each number of customers."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--customers", type=int, nargs="*", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--rate", type=float, default=100, help="events a second of event time")
    parser.add_argument("--memory", type=int, default=1024, help="MB for what is known of keys")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one is not None:
        print(json.dumps(_measure(options.one, options)))
        return
    found = []
    for customers in options.customers:
        command = [sys.executable, "-m", "benchmarks.keys", "--one", str(customers)]
        command += ["--events", str(options.events), "--memory", str(options.memory)]
        command += ["--rate", str(options.rate)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        found.append(json.loads(done.stdout))
        print(found[-1], file=sys.stderr)
    print(
        json.dumps(
            {
                "machine": f"{platform.machine()}, {os.cpu_count()} cores, "
                f"Python {platform.python_version()}",
                "runs": found,
                "last_to_first": round(found[-1]["events_per_s"] / found[0]["events_per_s"], 2),
            }
        )
    )


def _measure(customers: int, options: argparse.Namespace) -> dict[str, float]:
    collect_garbage_rarely()
    rules = load_rules()
    with tempfile.TemporaryDirectory() as folder:
        store = DuckDBStore(Path(folder) / "keys.duckdb", rules)
        source = EndlessSource(customers, options.rate, events=options.events)
        pipeline = Pipeline(rules, source, store, memory_bytes=options.memory << 20)
        began = time.monotonic()
        pipeline.run()
        seconds = time.monotonic() - began
        found = {
            "customers": customers,
            "events_per_s": round(options.events / seconds),
            "keys_in_memory": len(pipeline.detector.known),
            "memory_mb": round(resident_bytes() / 1e6),
        }
        store.close()
        return found


if __name__ == "__main__":
    main()
