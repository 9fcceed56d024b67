"""Disturbs a folder of events as a bad network would: `python -m benchmarks.disorder DIR OUT`.

Every record may arrive late, though within the allowed lateness, and some arrive twice.
"""

import json
import random
import sys
from datetime import datetime
from pathlib import Path

from detector.core.events import STREAMS
from detector.signals.loading import load_rules

TWICE = 0.1


def disturb(folder: Path, out: Path, seed: int) -> None:
    """Write a copy of the folder in which records are out of order and some are repeated."""
    rng = random.Random(seed)
    longest = load_rules().lateness.total_seconds() - 1
    out.mkdir(parents=True)
    for stream in STREAMS:
        path = folder / f"{stream}.jsonl"
        if not path.exists():
            continue
        arrivals = []
        for line in path.read_bytes().splitlines():
            at = datetime.fromisoformat(json.loads(line)["occurred_at"]).timestamp()
            for _ in range(2 if rng.random() < TWICE else 1):
                arrivals.append((at + rng.uniform(0, longest), line))
        arrivals.sort(key=lambda arrival: arrival[0])
        (out / path.name).write_bytes(b"".join(line + b"\n" for _, line in arrivals))


if __name__ == "__main__":
    disturb(Path(sys.argv[1]), Path(sys.argv[2]), seed=1)
