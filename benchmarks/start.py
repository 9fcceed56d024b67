"""How long a command takes to start: `python -m benchmarks.start`.

Seconds of `fraud --help`, and of `fraud run` on a new store until its first events are committed,
with its console and without one.
"""

import json
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

FRAUD = [sys.executable, "-m", "detector.cli"]
RUNS = 5
SCHEMA_BYTES = {".wal": 100_000, ".journal-wal": 20_000}
"""The store's log and its journal are shorter than this before events are in them."""


def of_help() -> float:
    """Seconds until the help is printed."""
    began = time.monotonic()
    subprocess.run([*FRAUD, "--help"], check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - began


def of_run(*options: str) -> float:
    """Seconds until the store has events."""
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "s.duckdb"
        command = [*FRAUD, "run", "--store", str(store), "--rate", "200", *options]
        began = time.monotonic()
        run = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            while not _has_events(store):
                if run.poll() is not None or time.monotonic() - began > 60:
                    raise SystemExit("fraud run committed nothing")
                time.sleep(0.005)
            return time.monotonic() - began
        finally:
            run.terminate()
            run.wait()


def _has_events(store: Path) -> bool:
    logs = {store.with_name(store.name + end): empty for end, empty in SCHEMA_BYTES.items()}
    return any(log.exists() and log.stat().st_size > empty for log, empty in logs.items())


def main() -> None:
    """Print the seconds of each run, in order of size."""
    for name, measure in (
        ("fraud --help", of_help),
        ("fraud run", partial(of_run, "--port", "0")),
        ("fraud run --no-console", partial(of_run, "--no-console")),
    ):
        print(json.dumps({name: sorted(round(measure(), 2) for _ in range(RUNS))}))


if __name__ == "__main__":
    main()
