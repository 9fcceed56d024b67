"""Measures and draws the pictures of docs/performance.md.

    python -m benchmarks.plots [throughput] [latency] [memory]

Throughput by share of signals, latency by rate, and memory by rate and customers, each with the
benchmark that measures it; several minutes.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

from detector.adapters.duckdb.at_rest import StoreFile
from detector.analysis.plot import draw
from detector.cli.progress import EventProgress

IMAGES = Path("docs/images")
FRAUD_RATES = ("0", "0.01", "0.05", "0.2")
EVENTS = "150000"
Series = dict[str, list[tuple[float, float]]]


def answers(*command: str) -> list[dict[str, Any]]:
    """The lines of JSON that a command prints."""
    done = subprocess.run([sys.executable, *command], stdout=subprocess.PIPE, check=True, text=True)
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def throughput(path: Path) -> None:
    """Events a second on one core, as a share of decoding, by the share that fires."""
    series: Series = {"engine": [], "pipeline": []}
    for rate in FRAUD_RATES:
        with tempfile.TemporaryDirectory() as folder:
            out = str(Path(folder) / "bank")
            asked = ["--events", EVENTS, "--seed", "5", "--fraud-rate", rate]
            answers("-m", "detector.cli", "generate", "--out", out, *asked)
            store = str(Path(folder) / "s.duckdb")
            answers("-m", "detector.cli", "replay", out, "--store", store, "--json")
            with closing(StoreFile(Path(store))) as file:
                [found] = file.rows("SELECT count(*) AS signals FROM fraud_signals")
            [result] = answers("-m", "detector.cli", "bench", "--folder", out, "--json")
        share = 100 * found["signals"] / int(EVENTS)
        for name, line in series.items():
            line.append((round(share, 1), result[f"{name}_to_decode"]))
    draw(path, "Throughput", "signals per 100 events", "share of decoding", series)


def latency(path: Path) -> None:
    """Milliseconds from due to committed, open loop, by rate."""
    rows = answers("-m", "benchmarks.latency", "--rates", "500", "2000", "5000", "10000")
    series = {
        name: [(row["rate"], row["latency_ms"][name]) for row in rows]
        for name in ("p50", "p99", "p99.9")
    }
    draw(path, "Latency, due to committed", "events a second", "ms", series)


def memory(path: Path) -> None:
    """Megabytes of the engine after thirteen minutes of event time, by rate."""
    series: Series = {}
    for row in answers("-m", "benchmarks.memory"):
        line = series.setdefault(f"{row['customers']:,} customers", [])
        line.append((row["rate"], row["memory_mb"]))
    draw(path, "Memory of the engine", "events a second", "MB", series)


def main() -> None:
    """Write the pictures."""
    pictures = {"throughput": throughput, "latency": latency, "memory": memory}
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("picture", nargs="*", help="By default all.")
    asked = parser.parse_args().picture or list(pictures)
    with EventProgress("measuring", "pictures", len(asked)) as progress:
        for name in asked:
            pictures[name](IMAGES / f"performance-{name}.svg")
            progress.advance(1)


if __name__ == "__main__":
    main()
