"""A rule changes under load: how long detection pauses, and what that does to latency.

    python -m benchmarks.rule_change [--rate 2000] [--seconds 30] [--set threshold=4]

Events are due at a fixed rate, whatever detection does, from another process; latency is from due
to committed.
"""

import argparse
import json
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import yaml

from benchmarks.open_loop import Latencies, OpenLoop
from detector.adapters.duckdb.store import DuckDBStore
from detector.cli.tuning import collect_garbage_rarely
from detector.pipeline.pipeline import Pipeline
from detector.signals.rules import load_rules, with_changes

PATTERN = "velocity"
CUSTOMERS = 10_000


def measure(rate: float, seconds: float, changes: dict[str, Any] | None) -> dict[str, Any]:
    """One run; the rule changes in the middle of it, if at all."""
    rules, pause = load_rules(), None
    with tempfile.TemporaryDirectory() as folder:
        store = DuckDBStore(Path(folder) / "s.duckdb", rules)
        latencies = Latencies()
        pipeline = Pipeline(store.rules, OpenLoop(CUSTOMERS, rate, seconds), store, [latencies])
        running = threading.Thread(target=pipeline.run)
        running.start()
        pipeline.ready.wait(60)
        time.sleep(seconds / 2)
        if changes is not None:
            began = time.monotonic()
            pipeline.adopt(lambda _: with_changes(rules, PATTERN, changes))
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
