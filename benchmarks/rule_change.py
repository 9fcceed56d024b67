"""A rule or a list changes under load: how long detection pauses, and what that does to latency.

    python -m benchmarks.rule_change [--rate 2000] [--set threshold=4] [--entries 1000]

The first run changes nothing, the second a rule, the third adds a value to a list of so many.
Events are due at a fixed rate, whatever detection does, from another process; latency is from due
to committed.
"""

import argparse
import gc
import json
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from benchmarks.open_loop import Latencies, OpenLoop
from detector.adapters.duckdb.store import DuckDBStore
from detector.adapters.people.store import PeopleStore
from detector.cases.principals import Principal
from detector.cli.tuning import collect_garbage_rarely
from detector.pipeline.pipeline import Pipeline
from detector.signals.changes import with_changes, with_entries
from detector.signals.lists import Entry
from detector.signals.loading import load_rules
from detector.signals.rules import Rules

PATTERN = "velocity"
LIST = "trusted_payees"
CUSTOMERS = 10_000
KIM = Principal("kim", "supervisor")
Change = Callable[[Pipeline, PeopleStore], object]


def measure(
    rate: float, seconds: float, name: str, rules: Rules, change: Change | None = None
) -> dict[str, Any]:
    """One run; the change comes in the middle of it, if at all."""
    pause = None
    with tempfile.TemporaryDirectory() as folder:
        store = DuckDBStore(Path(folder) / "s.duckdb", rules)
        latencies = Latencies()
        pipeline = Pipeline(store.rules, OpenLoop(CUSTOMERS, rate, seconds), store, [latencies])
        people = store.people()
        people.follow_rules(pipeline.adopt, store.rules_given)
        running = threading.Thread(target=pipeline.run)
        running.start()
        pipeline.ready.wait(60)
        time.sleep(seconds / 2)
        if change is not None:
            began = time.monotonic()
            change(pipeline, people)
            pause = round(1000 * (time.monotonic() - began), 1)
        running.join()
        [(stored, different)] = store.query(
            "SELECT count(*), count(DISTINCT event_id) FROM transactions"
        )
        store.close()
    del pipeline
    gc.collect()  # else what this run leaves is collected in the middle of the next
    return {
        "change": name,
        "pause_ms": pause,
        "latency_ms": latencies.quantiles(),
        "transactions": stored,
        "doubled": stored - different,
    }


def main() -> None:
    """Print a line for each run."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rate", type=float, default=2000)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--set", action="append", default=None, help="threshold=4")
    parser.add_argument("--entries", type=int, default=1_000)
    given = parser.parse_args()
    collect_garbage_rarely()
    pairs = (text.partition("=") for text in given.set or ["threshold=4"])
    changes = {key: yaml.safe_load(value) for key, _, value in pairs}
    rules = load_rules()
    listed = [Entry(value=f"payee-{n}") for n in range(given.entries)]
    runs: list[tuple[str, Rules, Change | None]] = [
        ("none", rules, None),
        (
            ", ".join(f"{PATTERN}.{key} {value}" for key, value in changes.items()),
            rules,
            lambda pipeline, _: pipeline.adopt(lambda _: with_changes(rules, PATTERN, changes)),
        ),
        (
            f"one more in a list of {given.entries:,}",
            with_entries(rules, {LIST: listed}),
            lambda _, people: people.list_entries.add(KIM, LIST, "one-more", "Measured.", None),
        ),
    ]
    for name, used, change in runs:
        print(json.dumps(measure(given.rate, given.seconds, name, used, change)))


if __name__ == "__main__":
    main()
