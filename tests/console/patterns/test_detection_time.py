"""Time to detect, from the first event that counts."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from detector.adapters.duckdb.store import DuckDBStore
from detector.console.patterns.detection_time import DetectionTime, detection_time
from detector.core.events import Event
from tests.build import SHIPPED, login, records, stored

_BRUTE_FORCE = SHIPPED.patterns["brute_force_login"]


@contextmanager
def bank(folder: Path, *events: Event) -> Iterator[DuckDBStore]:
    """A store after these events."""
    stored(folder / "fraud.duckdb", [records(events)])
    with closing(DuckDBStore(folder / "fraud.duckdb", SHIPPED)) as store:
        yield store


def test_only_what_counts_within_the_window_begins_a_burst(tmp_path: Path) -> None:
    """A failure long before, a success just before and a stranger's failure begin nothing."""
    events = [
        login(0),
        login(595, outcome="SUCCESS"),
        login(596, "cust-2"),
        *(login(600 + 10 * n) for n in range(4)),
    ]
    with bank(tmp_path, *events) as store:
        found = detection_time(store, _BRUTE_FORCE)
    assert found == DetectionTime(at_once=False, sample=1, p50_s=20, p95_s=20)


def test_each_burst_is_one_of_the_sample(tmp_path: Path) -> None:
    """Percentiles are values that occurred: of bursts of 2, 4 and 40 s, 4 and 40."""
    events = [
        login(at + gap * n, f"cust-{gap}")
        for at, gap in ((0, 1), (1000, 2), (2000, 20))
        for n in range(3)
    ]
    with bank(tmp_path, *events) as store:
        found = detection_time(store, _BRUTE_FORCE)
    assert found == DetectionTime(at_once=False, sample=3, p50_s=4, p95_s=40)


def test_a_pattern_of_single_events_needs_no_sample(tmp_path: Path) -> None:
    """Impossible travel fires at the first suspicious event; a burst that never was has no time."""
    with bank(tmp_path, login(0)) as store:
        travel = detection_time(store, SHIPPED.patterns["geo_impossible"])
        assert travel == DetectionTime(at_once=True, p50_s=0, p95_s=0)
        assert detection_time(store, _BRUTE_FORCE) == DetectionTime(at_once=False)
