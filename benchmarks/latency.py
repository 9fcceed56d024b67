"""Latency from due to committed and visible, open loop: `python -m benchmarks.latency`.

    python -m benchmarks.latency [--rates 500 2000 5000 10000] [--seconds 30] [--hot 0.2]

The generator is another process and never slows down; every event counts as if it had been the
oldest of its commit. A line of JSON for each rate, in a process of its own.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.open_loop import Latencies, OpenLoop
from detector.adapters.duckdb.store import DuckDBStore
from detector.cli.progress import EventProgress
from detector.cli.tuning import collect_garbage_rarely, take_short_turns
from detector.pipeline.pipeline import Pipeline
from detector.signals.loading import load_rules

CUSTOMERS = 50_000
WARM_UP_S = 5


def measure(rate: float, seconds: float, hot: float) -> dict[str, object]:
    """One run in this process."""
    collect_garbage_rarely()
    take_short_turns()
    with tempfile.TemporaryDirectory() as folder:
        store = DuckDBStore(Path(folder) / "s.duckdb", load_rules())
        source = OpenLoop(CUSTOMERS, rate, seconds + WARM_UP_S, hot)
        latencies = Latencies(WARM_UP_S)
        began = time.process_time()
        Pipeline(store.rules, source, store, [latencies]).run()
        busy = time.process_time() - began
        [(stored,)] = store.query("SELECT count(*) FROM stg_transactions")
        [(logins,)] = store.query("SELECT count(*) FROM stg_logins")
        store.close()
    events = stored + logins
    return {
        "rate": rate,
        "hot": hot,
        "latency_ms": latencies.quantiles(),
        "commits": len(latencies.seen),
        "events": events,
        "expected": int(rate * (seconds + WARM_UP_S)),
        "cpu_us_per_event": round(busy / events * 1e6, 1),
    }


def main() -> None:
    """Print a line of JSON for each rate."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rates", type=float, nargs="+", default=[500, 2000, 5000, 10_000])
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--hot", type=float, default=0.0, help="Share of one customer.")
    given = parser.parse_args()
    if len(given.rates) == 1:
        print(json.dumps(measure(given.rates[0], given.seconds, given.hot)))
        return
    with EventProgress("measuring", "rates", len(given.rates)) as progress:
        for rate in given.rates:
            asked = ["--rates", str(rate), "--seconds", str(given.seconds), "--hot", str(given.hot)]
            subprocess.run([sys.executable, "-m", "benchmarks.latency", *asked], check=True)
            progress.advance(1)


if __name__ == "__main__":
    main()
