"""A soak at full speed with retention on: does memory stay flat, and the store bounded?

    python -m benchmarks.soak --minutes 30

Event time advances so fast that days pass: events older than --keep days move to the archive while
the run goes on. Prints a line a minute, and a summary (--json: only that).
"""

import argparse
import json
import logging
import platform
import tempfile
import threading
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from benchmarks.endless import EndlessSource
from detector.adapters.duckdb import archive
from detector.adapters.duckdb.archive import Archiver
from detector.adapters.duckdb.store import DuckDBStore
from detector.cli.tuning import collect_garbage_rarely
from detector.pipeline.gauges import resident_bytes
from detector.pipeline.pipeline import Pipeline
from detector.pipeline.tally import Tally
from detector.signals.loading import load_rules


def main() -> None:
    """Run the soak."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--customers", type=int, default=200_000)
    parser.add_argument("--rate", type=float, default=20, help="events a second of event time")
    parser.add_argument("--keep", type=float, default=2, help="days of events in the store")
    parser.add_argument("--memory", type=int, default=300, help="MB for what is known of keys")
    parser.add_argument("--every", type=float, default=60, help="seconds between samples")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    collect_garbage_rarely()
    logging.basicConfig(level=logging.WARNING)
    archive.EVERY_S = 10.0
    with tempfile.TemporaryDirectory() as folder:
        report = soak(options, Path(folder) / "soak.duckdb")
    print(json.dumps(report))


def soak(options: argparse.Namespace, path: Path) -> dict[str, Any]:
    """What was measured."""
    rules = load_rules()
    store = DuckDBStore(path, rules)
    tally = Tally(rules)
    source = EndlessSource(options.customers, options.rate, seconds=60 * options.minutes)
    pipeline = Pipeline(rules, source, store, [tally], memory_bytes=options.memory << 20)
    samples: list[dict[str, float]] = []
    over = threading.Event()

    def watch() -> None:
        before = 0
        while not over.wait(options.every):
            events = sum(tally.events.values())
            sizes = store.sizes()
            sample = {
                "minute": round(len(samples) * options.every / 60 + options.every / 60, 2),
                "events": events,
                "events_per_s": round((events - before) / options.every),
                "memory_mb": round(resident_bytes() / 1e6),
                "keys_in_memory": len(pipeline.detector.known),
                **{f"{part}_mb": round(size / 1e6) for part, size in sizes.items()},
            }
            before = events
            samples.append(sample)
            if not options.json:
                print(sample, flush=True)

    watcher = threading.Thread(target=watch)
    watcher.start()
    began = time.monotonic()
    with Archiver(store.archive(), timedelta(days=options.keep)):
        pipeline.run()
    seconds = time.monotonic() - began
    over.set()
    watcher.join()
    kept = {
        stream: store.query(f"SELECT count(*) FROM {stream}")[0][0]
        for stream in ("transactions", "logins")
    }
    [(archived,)] = store.query("SELECT coalesce(sum(events), 0)::BIGINT FROM archived")
    store.close()
    events = sum(tally.events.values())
    half = [s["memory_mb"] for s in samples[len(samples) // 2 :]]
    return {
        "machine": f"{platform.machine()}, Python {platform.python_version()}",
        "minutes": round(seconds / 60, 1),
        "events": events,
        "events_per_s": round(events / seconds),
        "days_of_event_time": round(events / options.rate / 86400, 1),
        "in_store": sum(kept.values()),
        "archived": archived,
        "lost_or_doubled": events - sum(kept.values()) - archived,
        "latency_ms": tally.latency_ms(),
        "memory_mb_second_half": {"least": min(half), "most": max(half)} if half else None,
        "last": samples[-1] if samples else None,
    }


if __name__ == "__main__":
    main()
