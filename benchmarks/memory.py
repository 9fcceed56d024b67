"""Memory and time per event by rate and accounts: `python -m benchmarks.memory`.

The engine alone, in a process for each row, over thirteen minutes of event time: the lateness and
two windows are then full.
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.endless import EndlessSource
from detector.cli.progress import EventProgress
from detector.cli.tuning import collect_garbage_rarely
from detector.pipeline.detector import Detector
from detector.signals.loading import load_rules

MINUTES = 13
ROWS = ((500, 10_000), (2_000, 10_000), (2_000, 50_000), (5_000, 50_000))
"""Events a second of event time, and customers."""


def resident() -> int:
    """Bytes that this process has in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def measure(rate: int, customers: int) -> dict[str, float]:
    """One row, in this process."""
    collect_garbage_rarely()
    detector = Detector(load_rules(), lambda _: set())
    source = EndlessSource(customers, rate, events=MINUTES * 60 * rate)
    source.open(None)
    before, spent, events = resident(), 0.0, 0
    for batch in iter(source.poll, None):
        began = time.perf_counter()
        detector.process(source.name, batch)
        spent += time.perf_counter() - began
        events += len(batch.records)
    held = sum(len(seen) for seen in detector._recent.values())
    return {
        "rate": rate,
        "customers": customers,
        "us_per_event": round(spent / events * 1e6, 1),
        "memory_mb": round((resident() - before) / 1e6),
        "held_events": held,
        "bytes_per_held_event": round((resident() - before) / held),
    }


def main() -> None:
    """Print a line of JSON for each row."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("row", nargs="*", type=int, help="rate and customers of one row")
    row: list[int] = parser.parse_args().row
    if row:
        print(json.dumps(measure(*row)))
        return
    with EventProgress("measuring", "rows", len(ROWS)) as progress:
        for rate, customers in ROWS:
            command = [sys.executable, "-m", "benchmarks.memory", str(rate), str(customers)]
            subprocess.run(command, check=True)
            progress.advance(1)


if __name__ == "__main__":
    main()
