"""How long the engine keeps events waiting: `python -m benchmarks.pauses [--events 720000]`.

The engine alone, over the dense file in batches of 100 events: six minutes of 2,000 events a
second, and then expired state has to be dropped. Prints the longest batches in milliseconds, each
with the number of events that it ended at.
"""

import argparse
import json
import tempfile
import time
from heapq import nlargest
from pathlib import Path

from benchmarks.dense import write_dense
from detector.adapters.sources.files import FileSource
from detector.cli.progress import EventProgress
from detector.cli.tuning import collect_garbage_rarely
from detector.pipeline.detector import Detector
from detector.signals.loading import load_rules

BATCH = 100
SHOWN = 5


def measure(folder: Path, events: int) -> list[tuple[float, int]]:
    """The longest batches, the longest first: milliseconds, and events so far."""
    source = FileSource(folder, BATCH)
    source.open(None)
    detector = Detector(load_rules(), lambda ids: set())
    took, done = [], 0
    with EventProgress("detecting", "events", events) as progress:
        while (batch := source.poll()) is not None:
            began = time.perf_counter()
            detector.process(source.name, batch)
            done += len(batch.records)
            took.append((round((time.perf_counter() - began) * 1e3, 1), done))
            progress.advance(len(batch.records))
    return nlargest(SHOWN, took)


def main() -> None:
    """Print a line of JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--events", type=int, default=720_000)
    events = parser.parse_args().events
    collect_garbage_rarely()
    with tempfile.TemporaryDirectory() as folder:
        write_dense(Path(folder), events)
        print(json.dumps({"events": events, "longest_ms": measure(Path(folder), events)}))


if __name__ == "__main__":
    main()
