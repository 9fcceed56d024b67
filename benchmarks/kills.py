"""Kills a replay at random moments, and compares what is left with a run that was never killed.

    python -m benchmarks.kills --kills 60

SIGKILL, again and again, until the replay ends; then every table is compared. Prints the events
lost and doubled, and how long a start took until it committed again.
"""

import argparse
import json
import os
import platform
import random
import signal
import subprocess
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from detector.adapters.bank_files import DEFAULT_START, write_bank
from detector.adapters.duckdb.store import DuckDBStore
from detector.signals.loading import load_rules
from detector.signals.rules import Rules
from producers.config import ProducerSettings

_WALL = {"received_at", "committed_at", "lanes"}


def main() -> None:
    """Replay once undisturbed, then with kills; print the difference."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, default=60_000)
    parser.add_argument("--kills", type=int, default=60)
    parser.add_argument("--batch", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    rules = load_rules()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "events"
        bank = ProducerSettings(
            _env_file=None, seed=options.seed, fraud_rate=0.05, customer_pool_size=2_000,
            transaction_rate=5, login_rate=1, card_event_rate=0.1, noise_alert_rate=0.2,
            kyc_rate=0.05,
        )  # fmt: skip
        write_bank(folder, bank, options.events, DEFAULT_START)
        whole, killed = Path(scratch) / "whole.duckdb", Path(scratch) / "killed.duckdb"
        subprocess.run(_command(folder, whole, options.batch), check=True, capture_output=True)
        draw = random.Random(options.seed)
        kills, recoveries = 0, []
        while True:
            began = time.monotonic()
            running = subprocess.Popen(
                _command(folder, killed, options.batch),
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )  # fmt: skip
            if kills >= options.kills:
                running.wait()
                break
            before = _written(killed)
            while running.poll() is None and _written(killed) == before:
                time.sleep(0.005)
            recoveries.append(time.monotonic() - began)
            time.sleep(draw.random() * 0.4)
            if running.poll() is not None:
                break
            running.send_signal(signal.SIGKILL)
            running.wait()
            kills += 1
            if kills % 10 == 0:
                print(f"{kills} kills", file=sys.stderr)
        print(json.dumps(_compare(whole, killed, rules, kills, sorted(recoveries))))


def _command(folder: Path, store: Path, batch: int) -> list[str]:
    command = [sys.executable, "-m", "detector.cli", "replay", str(folder), "--store", str(store)]
    return [*command, "--batch-size", str(batch), "--set-aside", "1", "--keep", "36500"]


def _written(store: Path) -> float:
    """When the store was last written to: its write-ahead log or the file itself."""
    stamps = [0.0]
    for path in (store, store.with_name(store.name + ".wal")):
        if path.exists():
            stamps.append(path.stat().st_mtime)
    return max(stamps)


def _compare(
    whole: Path, killed: Path, rules: Rules, kills: int, recoveries: list[float]
) -> dict[str, Any]:
    one, other = _tables(whole, rules), _tables(killed, rules)
    events = ("transactions", "logins", "card_events", "alerts", "kyc_profiles")
    lost = sum(len(one[t] - other[t]) for t in events)
    doubled = sum(_copies(killed, rules, table) for table in events)
    return {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "kills": kills,
        "events": sum(len(one[t]) for t in events),
        "events_lost": lost,
        "events_doubled": doubled,
        "tables_that_differ": sorted(t for t in one if one[t] != other[t]),
        "seconds_to_commit_again": {
            "p50": round(recoveries[len(recoveries) // 2], 2),
            "p95": round(recoveries[int(0.95 * (len(recoveries) - 1))], 2),
        },
        "lateness_s": rules.lateness / timedelta(seconds=1),
    }


def _tables(path: Path, rules: Rules) -> dict[str, set[str]]:
    store = DuckDBStore(path, rules)
    try:
        found = {}
        for (table,) in store.query("SELECT table_name FROM duckdb_tables()"):
            rows = store.rows(f"SELECT * FROM {table}")
            found[table] = {repr({k: v for k, v in row.items() if k not in _WALL}) for row in rows}
        return found
    finally:
        store.close()


def _copies(path: Path, rules: Rules, table: str) -> int:
    store = DuckDBStore(path, rules)
    try:
        [(count,)] = store.query(f"SELECT count(*) - count(DISTINCT event_id) FROM {table}")
        return int(count)
    finally:
        store.close()


if __name__ == "__main__":
    main()
