"""A rule that fires on nearly everyone loses its effect by itself; the others keep theirs."""

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from detector.adapters.duckdb.store import DuckDBStore
from detector.core.events import Event
from detector.pipeline.detector import Detector
from detector.pipeline.pipeline import Pipeline
from detector.signals import brake as brake_module
from detector.signals.brake import Brake
from detector.signals.rules import Rules
from detector.signals.signal import Signal
from tests import build


def rules(**changes: Any) -> Rules:
    """The real rules with a velocity limit of one payment: it fires on everyone."""
    blocks = build.REAL.model_dump(by_alias=True, exclude_none=True)
    blocks["patterns"]["velocity"] |= {"threshold": 1, **changes}
    blocks["brake"] = {"share": 0.25, "at_least": 20, "window_seconds": 300}
    return Rules.model_validate(blocks)


def payments(start: int, count: int = 60) -> list[Event]:
    """One payment each of many customers, and a storm on one of them."""
    spent = [
        build.transaction(start + n, f"acc-{n}", customer_id=f"cust-{n}") for n in range(count)
    ]
    storm = [build.login(start + n, "cust-1") for n in range(4)]
    return sorted([*spent, *storm], key=lambda event: event.occurred_at)


def test_a_pattern_that_fires_on_everyone_drops_to_shadow(tmp_path: Path) -> None:
    """At once, across a restart, until it is released; what it fires stays visible."""
    store = DuckDBStore(tmp_path / "s.duckdb", rules())

    def started() -> Detector:
        detector = Detector(rules(), store.known_events, lambda: build.NOW, brake=True)
        detector.resume(store.recall(rules()))
        return detector

    detector = started()
    first = detector.process("test", build.batch(payments(0), "1"))
    store.commit(first)
    assert [braked.pattern for braked in first.braked] == ["velocity"]
    # Of the payments of a minute those of its last half.
    assert (first.braked[0].fired, first.braked[0].active) == (31, 31)
    for number in (2, 3):
        work = detector.process("test", build.batch(payments(100 * number), str(number)))
        store.commit(work)
        assert not any(s.pattern == "velocity" for s in work.new_signals)
        assert len(work.new_shadow) == 60 and not work.braked
        assert any(s.pattern == "brute_force_login" for s in work.new_signals)
        assert all("velocity" not in point.patterns for point in work.risk.values() if point)
        detector = started()  # a restart does not release it
    [(shown,)] = store.query("SELECT count(*) FROM mv_velocity_alerts")
    [(effective,)] = store.query("SELECT count(*) FROM mv_fraud_signals WHERE pattern = 'velocity'")
    assert (shown, effective) == (180, 60)
    detector.release("velocity")
    store.release("velocity")
    freed = detector.process("test", build.batch(payments(2000, 10), "4"))
    assert sum(s.pattern == "velocity" for s in freed.new_signals) == 10
    store.close()


def test_a_wave_of_fraud_does_not_trip_it(tmp_path: Path) -> None:
    """One customer in five is hit: that is what detection is for."""
    detector = Detector(build.REAL, lambda ids: set(), lambda: build.NOW, brake=True)
    events: list[Event] = []
    for n in range(300):
        burst = 6 if n % 5 == 0 else 1
        events += [
            build.transaction(n / 10 + k, f"acc-{n}", customer_id=f"cust-{n}") for k in range(burst)
        ]
    work = detector.process("test", build.batch(events, "1"))
    assert sum(s.pattern == "velocity" for s in work.new_signals) >= 60
    assert work.braked == [] and detector.braked == {}


def test_a_backlog_of_hours_in_one_batch_does_not_trip_it() -> None:
    """Each customer is hit once in five hours: never more than a few within the windows."""
    detector = Detector(build.REAL, lambda ids: set(), lambda: build.NOW, brake=True)
    events: list[Event] = []
    for n in range(100):
        account, customer = f"acc-{n}", f"cust-{n}"
        events += [build.transaction(180 * n + k, account, customer_id=customer) for k in range(6)]
    work = detector.process("test", build.batch(events, "1"))
    assert len({s.customer_id for s in work.new_signals if s.pattern == "velocity"}) == 100
    assert work.braked == []


def test_late_events_do_not_hide_who_is_active() -> None:
    """They count as of now, and not before those that came first."""
    brake = Brake(build.SHIPPED)
    for n in range(600):
        brake.saw(f"c-{n}", build.moment(n / 10))
    for n in range(60):
        brake.saw(f"late-{n}", build.moment(-200))
        brake.fired(replace(FIRED, customer_id=f"late-{n}"), build.moment(-200))
    assert brake.check(build.moment(60)) == []


def crowd(firing: int) -> list[str]:
    """Five minutes of a busy bank, then which seconds stopped a pattern that fires on so many of
    the ten customers who are active in each second.
    """
    brake = Brake(build.SHIPPED)
    for n in range(3000):
        brake.saw(f"before-{n}", build.moment(n / 10))
    stopped = []
    for second in range(300, 400):
        at = build.moment(second)
        names = [f"now-{second}-{n}" for n in range(10)]
        for name in names:
            brake.saw(name, at)
        for name in names[:firing]:
            brake.fired(replace(FIRED, customer_id=name), at)
        stopped += [f"{braked.pattern} after {second - 300} s" for braked in brake.check(at)]
    return stopped


FIRED = Signal(
    signal_id="velocity:1", pattern="velocity", rule_id="r", severity="HIGH", weight=0.2,
    customer_id="c", account_id=None, subject="c", event_id="1", occurred_at=build.START,
    window_start=build.START, observed=1, threshold=1, amount=None, reason="", evidence={},
    exposed=[],
)  # fmt: skip


def test_a_rule_that_fires_on_everyone_is_stopped_within_half_a_minute() -> None:
    """Although most customers of the last five minutes were active before it; a wave is not."""
    assert crowd(firing=10)[0] == "velocity after 15 s"
    assert crowd(firing=4) == []


def test_deciding_one_by_one_does_not_count_everyone_each_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A thousand checks within a second cost what one does, however many customers are active."""
    counts = []
    counted = brake_module._since

    def counting(seen: Any, edge: Any) -> int:
        counts.append(counted(seen, edge))
        return counts[-1]

    monkeypatch.setattr(brake_module, "_since", counting)
    brake = Brake(build.SHIPPED)
    for n in range(1000):
        at = build.moment(n / 1000)
        brake.saw(f"c-{n}", at)
        brake.fired(FIRED, at)
        brake.check(at)
    assert len(counts) == 2 * len(build.SHIPPED.patterns)
    brake.check(build.moment(1))
    assert len(counts) == 4 * len(build.SHIPPED.patterns)


def test_shadow_mode_has_no_effect_but_is_seen(tmp_path: Path) -> None:
    """`mode: shadow`: no score, no case; a late event that changes a signal changes it there."""
    store = DuckDBStore(tmp_path / "s.duckdb", rules(mode="shadow", threshold=5))
    source = build.ListSource(
        [
            build.records([build.transaction(n, "acc-1") for n in (0, 1, 3, 4, 5)]),
            build.records([build.transaction(2, "acc-1")]),
        ]
    )
    Pipeline(rules(mode="shadow", threshold=5), source, store, clock=lambda: build.NOW).run()
    assert store.query("SELECT count(*) FROM mv_fraud_signals") == [(0,)]
    assert store.query("SELECT count(*) FROM risk_history") == [(0,)]
    assert store.query("SELECT count(*) FROM cases") == [(0,)]
    seen = store.query("SELECT observed FROM mv_velocity_alerts ORDER BY occurred_at")
    assert seen == [(5.0,), (6.0,)]
    store.close()


def test_the_first_screen_says_so(tmp_path: Path) -> None:
    """The pipeline's alarms name the pattern and the share."""
    store = DuckDBStore(tmp_path / "s.duckdb", rules())
    source = build.ListSource([build.records(payments(0))])
    pipeline = Pipeline(rules(), source, store, clock=lambda: build.NOW, brake=True)
    pipeline.run()
    [text] = pipeline.alarms
    assert "velocity is in shadow: it fired on 31 of 31" in text
    store.close()
