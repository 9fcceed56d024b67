"""Time per event by the length of a window: `python -m benchmarks.windows`.

The engine alone with velocity alone, once its windows are full. No account reaches the threshold,
so that only the windows differ.
"""

import json
import time

from benchmarks.endless import EndlessSource
from detector.cli.progress import EventProgress
from detector.cli.tuning import collect_garbage_rarely
from detector.pipeline.detector import Detector
from detector.signals.loading import load_rules

WINDOWS_S = (60, 600, 3_600)
CUSTOMERS = 500
RATE = 100
MEASURED_S = 3_600
"""Event time that is measured, after two windows and the lateness have passed."""


def measure(window_seconds: int) -> dict[str, float]:
    """The time per event with velocity over this window."""
    rules = load_rules()
    changed = {"window_seconds": window_seconds, "threshold": 1e6}
    velocity = rules.patterns["velocity"].model_copy(update=changed)
    rules = rules.model_copy(update={"patterns": {"velocity": velocity}})
    detector = Detector(rules, lambda _: set())
    full = (2 * window_seconds + rules.allowed_lateness_seconds) * RATE
    source = EndlessSource(CUSTOMERS, RATE, events=full + MEASURED_S * RATE)
    source.open(None)
    seen = measured = 0
    spent = 0.0
    for batch in iter(source.poll, None):
        began = time.perf_counter()
        detector.process(source.name, batch)
        if seen >= full:
            spent += time.perf_counter() - began
            measured += len(batch.records)
        seen += len(batch.records)
    return {
        "window_seconds": window_seconds,
        "events_in_a_window": round(0.9 * window_seconds * RATE / CUSTOMERS),
        "us_per_event": round(spent / measured * 1e6, 1),
    }


def main() -> None:
    """Print a line of JSON for each window."""
    collect_garbage_rarely()
    with EventProgress("measuring", "windows", len(WINDOWS_S)) as progress:
        for window_seconds in WINDOWS_S:
            print(json.dumps(measure(window_seconds)), flush=True)
            progress.advance(1)


if __name__ == "__main__":
    main()
