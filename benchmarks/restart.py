"""How long a start takes with a long history: to the first event that is committed.

    python -m benchmarks.restart --customers 1000000 --events 100000000

The history is written straight into the tables, as a run would have left it: payments of three
months, and what is known of every customer. Each start is a new process; the time includes the
interpreter's.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.endless import EndlessSource
from detector.adapters.duckdb.store import DuckDBStore
from detector.pipeline.gauges import resident_bytes
from detector.pipeline.pipeline import Pipeline
from detector.pipeline.work import Work
from detector.signals.loading import load_rules
from detector.signals.operators.novelty import Known
from detector.signals.operators.outlier import Settled
from detector.signals.rules import Rules
from detector.state.knowledge import KnownRow

END = datetime(2026, 4, 5, tzinfo=UTC)
HISTORY = timedelta(days=90)
CHUNK = 50_000
_encode = msgspec.msgpack.Encoder().encode


def main() -> None:
    """Write the history, start a few times, print the times."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--events", type=int, default=100_000_000)
    parser.add_argument("--starts", type=int, default=5)
    parser.add_argument("--start-on", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.start_on is not None:
        _start(options.start_on, options.customers)
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "history.duckdb"
        began = time.monotonic()
        write_history(path, load_rules(), options.customers, options.events)
        print(f"history written in {time.monotonic() - began:.0f} s", file=sys.stderr)
        sizes = sum(p.stat().st_size for p in path.parent.glob("history.duckdb*") if p.is_file())
        starts = [_timed(path, options.customers) for _ in range(options.starts)]
    ordered = sorted(start["seconds"] for start in starts)
    print(
        json.dumps(
            {
                "machine": f"{platform.machine()}, {os.cpu_count()} cores, "
                f"Python {platform.python_version()}",
                "customers": options.customers,
                "events": options.events,
                "store_gb": round(sizes / 1e9, 2),
                "seconds_to_first_commit": {
                    "p50": ordered[len(ordered) // 2],
                    "p95": ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))],
                },
                "memory_mb": max(start["memory_mb"] for start in starts),
            }
        )
    )


def write_history(path: Path, rules: Rules, customers: int, events: int) -> None:
    """A store after three months of payments."""
    store = DuckDBStore(path, rules)
    try:
        db = store._connection
        span = int(HISTORY.total_seconds() * 1_000_000)
        step = 5_000_000
        for first in range(0, events, step):
            db.execute(
                """
                INSERT INTO transactions
                SELECT 'h' || i, make_timestamptz((? + (i::HUGEINT * ?) // ?)::BIGINT), 't' || i,
                  'acc-' || (hash(i) % ?), 'cust-' || (hash(i) % ?), 'PURCHASE',
                  CASE WHEN i % 5 < 3 THEN 'POS' ELSE 'ECOMMERCE' END, i % 5 < 3,
                  (10 + hash(i + 1) % 20000 / 100)::DECIMAL(18, 2), 'AUD', 'APPROVED',
                  'tok-' || (hash(i) % ?), '411111', '1111', 'mer-' || (i % 5000), '5411', 'AU',
                  'Sydney', -33.87, 151.21,
                  CASE WHEN i % 5 < 3 THEN NULL ELSE 'dev-' || (hash(i) % ?) END, '203.0.113.7',
                  NULL, (10 + hash(i + 1) % 20000 / 100)::DECIMAL(18, 2), 'evaluated', ?
                FROM range(?, ?) AS r(i)
                """,
                [
                    int((END - HISTORY).timestamp() * 1_000_000), span, events,
                    customers, customers, customers, customers, END,
                    first, min(events, first + step),
                ],
            )  # fmt: skip
            print(f"{min(events, first + step):,} of {events:,} events", file=sys.stderr)
        lanes = json.dumps({EndlessSource.name: [END.isoformat(), []]})
        edge = END - rules.lateness
        db.execute(
            "UPDATE progress SET watermark = ?, final = ?, lanes = ?, committed_at = ?",
            [END, END, lanes, END],
        )
        db.execute("CHECKPOINT")
        known = store._known
        for rows in _known(customers):
            known.write(rows, edge, END)
        known.built()
    finally:
        store.close()


def _known(customers: int) -> Iterator[list[KnownRow]]:
    seen = END - HISTORY
    rows: list[KnownRow] = []
    for n in range(customers):
        name = f"cust-{n}"
        devices = {f"dev-{n}": seen, f"dev-{n}-b": seen}
        rows += [
            ("holdings", name, _encode({f"acc-{n}": seen})),
            ("account_takeover", name, _encode(Known(devices, []))),
            ("unusual_amount", name, _encode(Settled(END, [400 + n % 100] * 30))),
        ]
        if len(rows) >= CHUNK:
            yield rows
            rows = []
    yield rows


def _timed(path: Path, customers: int) -> dict[str, Any]:
    began = time.time()
    command = [sys.executable, "-m", "benchmarks.restart", "--start-on", str(path)]
    command += ["--customers", str(customers)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return {"seconds": round(found["at"] - began, 2), "memory_mb": found["memory_mb"]}


class _First:
    """A sink that stops the run at the first commit, and says when that was."""

    def __init__(self) -> None:
        self.at = 0.0
        self.stop: Callable[[], None] = lambda: None

    def publish(self, work: Work) -> None:
        """The first commit is what is measured."""
        self.at = self.at or time.time()
        self.stop()


def _start(path: Path, customers: int) -> None:
    store = DuckDBStore(path, load_rules())
    first = _First()
    start = END + timedelta(seconds=1) + timedelta(seconds=int(time.time()) % 80_000)
    source = EndlessSource(customers, 50, batch=100, start=start)
    pipeline = Pipeline(store.rules, source, store, [first])
    first.stop = pipeline.stop
    pipeline.run()
    memory = resident_bytes()
    store.close()
    print(json.dumps({"at": first.at, "memory_mb": round(memory / 1e6)}))


if __name__ == "__main__":
    main()
