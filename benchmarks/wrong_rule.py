"""A rule that fires on every payment: how soon the brake stops it, and what it did until then.

    python -m benchmarks.wrong_rule [--rate 20] [--customers 50000]

The synthetic bank runs live; after ten seconds velocity is changed to fire at the first payment of
a minute, and once it is braked it is rolled back.
"""

import argparse
import json
import tempfile
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from detector.adapters.duckdb.store import DuckDBStore
from detector.adapters.sources.synthetic import SyntheticSource
from detector.cli.tuning import collect_garbage_rarely
from detector.pipeline.pipeline import Pipeline
from detector.signals.changes import with_changes
from detector.signals.loading import load_rules
from producers.config import ProducerSettings

PATTERN = "velocity"
SIGNALS = "SELECT count(*) FROM fraud_signals WHERE pattern = ?"
CASES = "SELECT count(*) FROM cases WHERE patterns LIKE ?"


def waited(until: Callable[[], object], at_most_s: float = 300) -> float:
    """Seconds until something is true."""
    began = time.monotonic()
    while not until():
        if time.monotonic() - began > at_most_s:
            raise SystemExit(f"Nothing happened within {at_most_s:.0f} s.")
        time.sleep(0.05)
    return round(time.monotonic() - began, 1)


def main() -> None:
    """Print one line of JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rate", type=float, default=20)
    parser.add_argument("--customers", type=int, default=50_000)
    given = parser.parse_args()
    collect_garbage_rarely()
    settings = ProducerSettings(
        seed=7, transaction_rate=given.rate, customer_pool_size=given.customers
    )
    rules = load_rules()
    with tempfile.TemporaryDirectory() as folder:
        store = DuckDBStore(Path(folder) / "s.duckdb", rules)
        source = SyntheticSource(settings, history=timedelta(minutes=15))
        pipeline = Pipeline(store.rules, source, store, brake=True)
        thread = threading.Thread(target=pipeline.run)
        thread.start()
        waited(pipeline.ready.is_set)
        time.sleep(10)
        before = store.query(SIGNALS, [PATTERN])[0][0]
        pipeline.adopt(lambda _: with_changes(rules, PATTERN, {"threshold": 1}))
        stopped_s = waited(lambda: PATTERN in pipeline.detector.braked)
        time.sleep(1)
        fired = store.query(SIGNALS, [PATTERN])[0][0] - before
        [(cases,)] = store.query(CASES, [f"%{PATTERN}%"])
        began = time.monotonic()
        pipeline.adopt(lambda _: rules)
        pipeline.release(PATTERN)
        back_ms = round(1000 * (time.monotonic() - began), 1)
        pipeline.stop()
        thread.join()
        store.close()
    found = {"stopped_s": stopped_s, "fired": fired, "cases": cases, "rolled_back_ms": back_ms}
    print(json.dumps({"rate": given.rate, **found}))


if __name__ == "__main__":
    main()
