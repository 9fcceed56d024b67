"""Flink SQL and `fraud replay` on the same dense file: `python -m benchmarks.flink [--events N]`.

Flink comes from PyPI (a third of a gigabyte, into .cache/flink) and needs Java 17. It does less:
three patterns by `flink_job.py`, without late events, evidence, scores, cases or a store. Whether
both found the same signals is printed beside the figures.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import venv
from pathlib import Path
from typing import Any

import duckdb

from benchmarks.dense import write_dense
from detector.cli.progress import EventProgress

VERSION = "2.3.0"
CACHE = Path(__file__).parents[1] / ".cache" / "flink"
PATTERNS = ("velocity", "cnp_spike", "geo_impossible")
_TICK = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


class Cost:
    """Processor seconds and peak memory of a command with everything it starts."""

    def __init__(self, command: list[str]) -> None:
        began = time.monotonic()
        self._ticks: dict[int, int] = {}
        self.peak_bytes = 0
        with tempfile.TemporaryFile() as log:
            process = subprocess.Popen(
                command, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
            )
            watching = threading.Thread(target=self._watch, args=(process,))
            watching.start()
            code = process.wait()
            watching.join()
            log.seek(0)
            if code:
                raise SystemExit(log.read().decode(errors="replace")[-4000:])
        self.seconds = time.monotonic() - began

    def _watch(self, process: "subprocess.Popen[bytes]") -> None:
        while process.poll() is None:
            memory = 0
            for stat in Path("/proc").glob("[0-9]*/stat"):
                try:
                    fields = stat.read_text().rpartition(")")[2].split()
                except OSError:
                    continue
                if int(fields[3]) == process.pid:  # the session
                    self._ticks[int(stat.parent.name)] = int(fields[11]) + int(fields[12])
                    memory += int(fields[21]) * _PAGE
            self.peak_bytes = max(self.peak_bytes, memory)
            time.sleep(0.1)

    def shown(self, signals: dict[str, int]) -> dict[str, Any]:
        """As figures."""
        return {
            "job_s": round(self.seconds, 1),
            "cpu_s": round(sum(self._ticks.values()) / _TICK, 1),
            "peak_gb": round(self.peak_bytes / 1e9, 2),
            "signals": signals,
        }


def flink_python() -> str:
    """The interpreter of an environment with Flink."""
    python = CACHE / "bin/python"
    if not (CACHE / "done").exists():
        print(f"installing apache-flink {VERSION} into {CACHE}", file=sys.stderr)
        venv.create(CACHE, with_pip=True, clear=True)
        subprocess.run(
            [python, "-m", "pip", "install", "--quiet", f"apache-flink=={VERSION}"], check=True
        )
        (CACHE / "done").touch()
    return str(python)


def by_flink(folder: Path, out: Path) -> dict[str, Any]:
    """Run the job; count the lines that it wrote."""
    job = str(Path(__file__).with_name("flink_job.py"))
    # -P: beside the job there is a module that is named like one of the standard library.
    cost = Cost([flink_python(), "-P", job, str(folder / "transactions.jsonl"), str(out)])
    return cost.shown({name: _lines(out / name) for name in PATTERNS})


def _lines(folder: Path) -> int:
    files = (path for path in folder.rglob("*") if path.is_file())
    return sum(len(path.read_bytes().splitlines()) for path in files)


def by_replay(folder: Path, store: Path) -> dict[str, Any]:
    """Replay into a store; count its signals."""
    command = [sys.executable, "-m", "detector.cli", "replay", str(folder), "--store", str(store)]
    cost = Cost([*command, "--json"])
    with duckdb.connect(str(store), read_only=True) as db:
        rows = db.execute("SELECT pattern, count(*) FROM fraud_signals GROUP BY 1").fetchall()
    return cost.shown(dict(rows))


def main() -> None:
    """Print one line of JSON: both costs, and the ratio per processor second."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--events", type=int, default=1_000_000)
    events: int = parser.parse_args().events
    flink_python()
    with tempfile.TemporaryDirectory() as name, EventProgress("comparing", "steps", 3) as progress:
        folder = Path(name)
        write_dense(folder / "events", events)
        progress.advance(1)
        flink = by_flink(folder / "events", folder / "flink")
        progress.advance(1)
        ours = by_replay(folder / "events", folder / "store.duckdb")
        progress.advance(1)
    same = all(flink["signals"][name] == ours["signals"].get(name) for name in PATTERNS)
    print(
        json.dumps(
            {
                "events": events,
                "flink_sql": flink,
                "fraud_replay": ours,
                "same_signals": same,
                "events_per_cpu_s": {
                    "flink_sql": round(events / flink["cpu_s"]),
                    "fraud_replay": round(events / ours["cpu_s"]),
                },
            }
        )
    )


if __name__ == "__main__":
    main()
