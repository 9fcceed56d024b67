"""Bursts across the edge of a minute: found here, lost to tumbling windows."""

from benchmarks.tumbling_windows import missed
from tests import build
from tests.dbt.conftest import Bench

VELOCITY = build.REAL.patterns["velocity"]


def test_a_burst_across_a_minutes_edge_is_found(bench: Bench) -> None:
    """Five payments from 9:00:40 to 9:01:20 are a burst, though no clock minute holds five."""
    log = [build.transaction(at) for at in (40, 50, 59, 61, 80)]
    assert bench.compare([log]).equal
    assert bench.rows("SELECT event_id, observed FROM mv_velocity_alerts") == [
        (log[-1].event_id, 5.0)
    ]
    per_minute = bench.rows(
        "SELECT count(*) FROM stg_transactions GROUP BY date_trunc('minute', occurred_at)"
    )
    assert max(per_minute) < (VELOCITY.threshold,)
    assert missed(bench.db, VELOCITY) == (1, 1, None)


def test_a_burst_within_a_minute_is_found_by_both(bench: Bench) -> None:
    """The tumbling window has it too, but only when its minute is over."""
    bench.run_models([build.transaction(at) for at in (10, 20, 30, 40, 50)])
    assert missed(bench.db, VELOCITY) == (1, 0, 10.0)


def test_no_burst_is_no_miss(bench: Bench) -> None:
    """Four payments are none."""
    bench.run_models([build.transaction(at) for at in (10, 20, 30, 40)])
    assert missed(bench.db, VELOCITY) == (0, 0, None)
