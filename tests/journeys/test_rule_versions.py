"""A rule changes while detection runs: as after a restart with it, with nothing lost."""

from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from detector.adapters.duckdb.store import DuckDBStore
from detector.cases.principals import Principal
from detector.core.events import Record
from detector.pipeline.pipeline import Pipeline
from detector.pipeline.work import Batch
from detector.signals.changes import challenger, with_changes
from detector.signals.rules import Rules
from tests import build
from tests.build import SHIPPED
from tests.console.bank import eventful_day

BATCHES = build.split(build.records(eventful_day()), [40])
CHANGES: list[tuple[str, dict[str, Any]]] = [
    ("velocity", {"threshold": 3}),
    ("velocity", {"threshold": 9, "window_seconds": 30}),
    ("structuring", {"window_seconds": 7200, "weight": 0.2}),
    ("account_takeover", {"where": "not card_present and amount > 10", "threshold": 100}),
    ("unusual_amount", {"least": 50, "threshold": 1.5}),
    ("cnp_spike", {"mode": "shadow"}),
]
KIM, SAM = Principal("kim", "supervisor"), Principal("sam", "supervisor")


def noting(latest: list[datetime | None], rules: Rules) -> Callable[[datetime | None], Rules]:
    """The rules, for `adopt`; what it says of the latest event is added to the list."""

    def changed(at: datetime | None) -> Rules:
        latest.append(at)
        return rules

    return changed


class Changing(build.ListSource):
    """A list that changes a rule of its pipeline before one of its batches."""

    def __init__(self, batches: Sequence[Sequence[Record]], at: int, change: Any) -> None:
        super().__init__(batches)
        self._at, self._change = at, change

    def poll(self) -> Batch | None:
        if self._next == self._at:
            self._change()
        return super().poll()


def changed_while_running(
    path: Path, rules: Rules, at: int, pattern: str, changes: dict[str, Any]
) -> dict[str, list[tuple[Any, ...]]]:
    """The store of one run whose rule changed before a batch."""
    with closing(DuckDBStore(path, rules)) as store:
        pipeline: Pipeline

        def change() -> None:
            pipeline.adopt(lambda _: with_changes(rules, pattern, changes))

        source = Changing(BATCHES, at, change)
        pipeline = Pipeline(store.rules, source, store, clock=lambda: build.NOW)
        pipeline.run()
        return build.tables(store)


@pytest.mark.parametrize(("pattern", "changes"), CHANGES)
def test_it_is_as_if_it_had_been_restarted_with_the_new_version(
    tmp_path: Path, pattern: str, changes: dict[str, Any]
) -> None:
    """Events, signals, scores, cases: the same tables, whenever the change comes."""
    at = len(BATCHES) // 2
    after = with_changes(SHIPPED, pattern, changes)
    build.stored(tmp_path / "two.duckdb", BATCHES[:at], SHIPPED)
    build.stored(tmp_path / "two.duckdb", BATCHES, after)
    running = changed_while_running(tmp_path / "one.duckdb", SHIPPED, at, pattern, changes)
    assert running == build.contents(tmp_path / "two.duckdb", after)


def test_a_change_before_the_first_event_is_the_rule_from_the_start(tmp_path: Path) -> None:
    """The store is that of an engine that never knew another version."""
    pattern, changes = CHANGES[0]
    after = with_changes(SHIPPED, pattern, changes)
    build.stored(tmp_path / "whole.duckdb", BATCHES, after)
    running = changed_while_running(tmp_path / "one.duckdb", SHIPPED, 0, pattern, changes)
    assert running == build.contents(tmp_path / "whole.duckdb", after)
    velocity = [row for row in running["fraud_signals"] if row[1] == "velocity"]
    build.stored(tmp_path / "before.duckdb", BATCHES, SHIPPED)
    before = build.contents(tmp_path / "before.duckdb", SHIPPED)["fraud_signals"]
    assert len(velocity) > sum(row[1] == "velocity" for row in before)


def test_a_version_that_cannot_be_taken_up_leaves_the_old_one(tmp_path: Path) -> None:
    """The engine goes on as it was, and so do the rules that others hold."""
    with closing(DuckDBStore(tmp_path / "s.duckdb", SHIPPED)) as store:
        pipeline: Pipeline

        def change() -> None:
            before = store.rules.patterns["velocity"]
            with pytest.MonkeyPatch.context() as patch, pytest.raises(OSError, match="disk"):
                patch.setattr(store, "recall", lambda _: (_ for _ in ()).throw(OSError("disk")))
                pipeline.adopt(lambda _: with_changes(SHIPPED, "velocity", {"weight": 0.9}))
            assert store.rules.patterns["velocity"] is before

        pipeline = Pipeline(
            store.rules, Changing(BATCHES, 3, change), store, clock=lambda: build.NOW
        )
        pipeline.run()
        found = build.tables(store)
    build.stored(tmp_path / "whole.duckdb", BATCHES, SHIPPED)
    assert found == build.contents(tmp_path / "whole.duckdb", SHIPPED)


def test_an_approved_version_is_in_force_after_a_restart(tmp_path: Path) -> None:
    """Of this store only; the rules that were given stay as they are."""
    with closing(DuckDBStore(tmp_path / "s.duckdb", SHIPPED)) as store:
        versions = store.people().rule_versions
        versions.propose(KIM, "velocity", {"threshold": 3}, "More of it.", {})
        assert store.rules.patterns["velocity"].threshold == 5
        versions.approve(SAM, "velocity", 1)
    with closing(DuckDBStore(tmp_path / "s.duckdb", SHIPPED)) as store:
        assert store.rules.patterns["velocity"].threshold == 3
        assert store.rules_given.patterns["velocity"].threshold == 5
    assert SHIPPED.patterns["velocity"].threshold == 5
    fewer = SHIPPED.model_copy(
        update={"patterns": {n: p for n, p in SHIPPED.patterns.items() if n != "velocity"}}
    )
    with closing(DuckDBStore(tmp_path / "s.duckdb", fewer)) as store:
        assert "velocity" not in store.rules.patterns


def test_a_new_threshold_takes_no_time_and_no_state(tmp_path: Path) -> None:
    """The windows stay as they are; what only the old version saw is not withdrawn later."""
    log = [*(build.transaction(n * 10, event_id=f"v{n}") for n in range(5))]
    with closing(DuckDBStore(tmp_path / "s.duckdb", SHIPPED)) as store:
        pipeline: Pipeline

        def change() -> None:
            windows = pipeline.detector.signals._operators[0]._state
            pipeline.adopt(lambda _: with_changes(SHIPPED, "velocity", {"threshold": 9}))
            assert pipeline.detector.signals._operators[0]._state is windows

        late = [build.transaction(45, event_id="late")]
        batches = [build.records(log), build.records(late)]
        source = Changing(batches, 1, change)
        pipeline = Pipeline(store.rules, source, store, clock=lambda: build.NOW)
        pipeline.run()
        found = store.query("SELECT signal_id, observed FROM fraud_signals")
    assert found == [("velocity:v4", 5)]


@pytest.mark.parametrize(("pattern", "changes"), CHANGES)
def test_a_version_in_shadow_finds_what_it_would_find_in_force(
    tmp_path: Path, pattern: str, changes: dict[str, Any]
) -> None:
    """From the next event on, with windows that reach back before it, and without any effect."""
    at = len(BATCHES) // 2
    tried = challenger(SHIPPED, pattern, 1, changes)
    with closing(DuckDBStore(tmp_path / "one.duckdb", SHIPPED)) as store:
        pipeline: Pipeline
        since: list[datetime | None] = []

        def change() -> None:
            rules = SHIPPED.model_copy(update={"challengers": {tried.id: tried}})
            pipeline.adopt(noting(since, rules))

        source = Changing(BATCHES, at, change)
        pipeline = Pipeline(store.rules, source, store, clock=lambda: build.NOW)
        pipeline.run()
        found = build.tables(store)
        query = f"SELECT event_id FROM shadow_signals WHERE pattern = '{tried.id}'"
        in_shadow = {event for (event,) in store.query(f"{query} AND occurred_at > ?", since)}
    build.stored(tmp_path / "two.duckdb", BATCHES, SHIPPED)
    unchanged = build.contents(tmp_path / "two.duckdb", SHIPPED)
    found["shadow_signals"] = unchanged["shadow_signals"]
    assert found == unchanged
    after = with_changes(SHIPPED, pattern, {**changes, "mode": "live"})
    build.stored(tmp_path / "three.duckdb", BATCHES, after)
    with closing(DuckDBStore(tmp_path / "three.duckdb", after)) as store:
        query = "SELECT event_id FROM fraud_signals WHERE pattern = ? AND occurred_at > ?"
        assert in_shadow == {event for (event,) in store.query(query, [pattern, *since])}


def test_a_version_in_shadow_goes_on_after_a_restart_until_it_is_dropped(tmp_path: Path) -> None:
    """Also when a late event changes an answer from before it was there."""
    with closing(DuckDBStore(tmp_path / "s.duckdb", SHIPPED)) as store:
        versions = store.people().rule_versions
        versions.propose(KIM, "velocity", {"threshold": 3}, "More of it.", {})
        four = [build.transaction(10 * n, event_id=f"v{n}") for n in range(4)]
        Pipeline(
            store.rules, build.ListSource([build.records(four)]), store, clock=lambda: build.NOW
        ).run()
        versions.try_out(KIM, "velocity", 1)
    with closing(DuckDBStore(tmp_path / "s.duckdb", SHIPPED)) as store:
        assert list(store.rules.challengers) == ["velocity@1"]
        pipeline: Pipeline

        def drop() -> None:
            pipeline.adopt(lambda _: SHIPPED)

        late = [build.transaction(5, event_id="late")]
        last = [build.transaction(50 + n, event_id=f"w{n}") for n in range(3)]
        batches = [build.records(events) for events in (four, late, last)]
        pipeline = Pipeline(store.rules, Changing(batches, 2, drop), store, clock=lambda: build.NOW)
        pipeline.run()
        shadow = store.query("SELECT pattern, event_id, observed FROM shadow_signals ORDER BY 2")
        live = {event for (event,) in store.query("SELECT event_id FROM fraud_signals")}
    assert shadow == [("velocity@1", "v1", 3), ("velocity@1", "v2", 4), ("velocity@1", "v3", 5)]
    assert live == {"v3", "w0", "w1", "w2"}


def test_a_comparison_begins_after_the_latest_event_of_all_sources(tmp_path: Path) -> None:
    """Also of one that is ahead: what it delivered was judged without the challenger."""
    tried = challenger(SHIPPED, "velocity", 1, {"threshold": 3})
    changed = SHIPPED.model_copy(update={"challengers": {tried.id: tried}})
    ahead = [build.transaction(60 + n, f"acc-{n}", customer_id=f"cust-{n}") for n in range(3)]
    since: list[datetime | None] = []
    with closing(DuckDBStore(tmp_path / "s.duckdb", SHIPPED)) as store:
        pipeline: Pipeline

        def change() -> None:
            pipeline.submit(build.records(ahead))
            pipeline.adopt(noting(since, changed))

        behind = [build.transaction(n, f"acc-{n}", customer_id=f"cust-{n}") for n in range(3)]
        source = Changing([build.records(behind), build.records(behind)], 1, change)
        pipeline = Pipeline(store.rules, source, store, clock=lambda: build.NOW)
        pipeline.run()
    assert since == [ahead[-1].occurred_at]
