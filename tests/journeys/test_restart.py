"""A process that dies between any two batches, or in the middle of one, leaves no trace."""

from collections.abc import Collection, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.adapters.duckdb import write_behind
from detector.adapters.duckdb.at_rest import StoreFile
from detector.adapters.duckdb.store import DuckDBStore
from detector.core.events import Event, Record
from detector.pipeline.detector import Detector
from detector.pipeline.pipeline import Pipeline
from detector.pipeline.work import Batch, Work
from detector.signals.rules import Rules
from tests import build, strategies
from tests.journeys.test_meaning import LOGS, MOMENTS

IN_MEMORY = Path(":memory:")


def _tables(
    batches: Sequence[list[Event]], restart_before: Collection[int], rules: Rules = build.REAL
) -> dict[str, list[tuple[object, ...]]]:
    """The store's tables after a run whose detector was replaced before some of its batches."""
    store = DuckDBStore(IN_MEMORY, rules)
    try:
        detector = Detector(rules, store.known_events, clock=lambda: build.NOW)
        for number, events in enumerate(batches):
            if number in restart_before:
                detector = Detector(rules, store.known_events, clock=lambda: build.NOW)
                detector.resume(store.recall(rules))
            store.commit(detector.process("test", build.batch(events, str(number))))
        return build.tables(store)
    finally:
        store.close()


@given(logs=LOGS, sizes=strategies.sizes())
@settings(max_examples=settings().max_examples // 12)
def test_a_detector_that_recalls_everything_before_each_batch_says_the_same(
    logs: tuple[list[Event], list[Event]], sizes: list[int]
) -> None:
    """Late, tied and repeated events meet read-back state as they meet state never lost."""
    batches = build.split(logs[1], sizes)
    assert _tables(batches, range(len(batches))) == _tables(batches, ())


@given(
    arrived=st.lists(strategies.events_of_all_kinds(MOMENTS), min_size=1, max_size=24),
    sizes=strategies.sizes(),
    cuts=st.sets(st.integers(0, 24)),
)
@settings(max_examples=settings().max_examples // 12)
def test_restarts_change_nothing_even_when_events_are_too_late(
    arrived: list[Event], sizes: list[int], cuts: set[int]
) -> None:
    """Any arrival order, and a restart before any of the batches."""
    batches = build.split(strategies.named(arrived, range(len(arrived))), sizes)
    assert _tables(batches, cuts) == _tables(batches, ())


CASES = [
    build.profile(-86400, devices=["d-1"], accounts=["acc-1", "acc-2"], event_id="p1"),
    *(build.online(n * 10, card_token="tok-1", event_id=f"v{n}") for n in range(6)),
    *(build.login(70, event_id=f"l{n}") for n in range(3)),
    build.transaction(100, card_token="tok-1", event_id="g1", **build.SYDNEY),
    build.cash(3000, event_id="c2"),
    build.transaction(3100, card_token="tok-1", event_id="g2", **build.PERTH),
    build.cash(2900, event_id="c1"),  # late, and completes a pattern at c2
    build.online(3120, device_id="d-9", amount="900.00", event_id="a1"),
    build.profile(3110, devices=["d-9"], event_id="p2"),  # late, and takes back a1
    build.transaction(3050, card_token="tok-1", event_id="g3", **build.PERTH),  # moves g2's alarm
    build.cash(2900, event_id="c1"),  # again
    build.alert(3200, alert_type="AAA", event_id="x1"),
    build.alert(3300, alert_type="BBB", event_id="x2"),
    build.transaction(3250, "acc-3", event_id="n1"),  # a new account that x2 counts for
    build.cash(20_000, event_id="c3"),
    build.cash(20_100, "acc-9", customer_id="cust-9", event_id="c4"),
    build.cash(20_110, "acc-9", customer_id="cust-9", event_id="c5"),
]
BATCHES = [[event] for event in CASES]


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[tuple[object, ...]]]:
    """The store of a run that was never stopped."""
    path = tmp_path_factory.mktemp("unbroken") / "s.duckdb"
    build.stored(path, _records())
    return build.contents(path)


def _records() -> list[list[Record]]:
    return [build.records(events, f"file-{n}") for n, events in enumerate(BATCHES)]


def test_the_log_of_these_tests_holds_every_kind_of_change(
    unbroken: dict[str, list[tuple[object, ...]]],
) -> None:
    """All patterns but one fire, one signal is withdrawn, and cases open."""
    patterns = {row[1] for row in unbroken["fraud_signals"]}
    assert patterns == {"velocity", "geo_impossible", "structuring", "brute_force_login"} | {
        "compound",
        "unusual_amount",
    }
    assert len(unbroken["cases"]) >= 2
    assert unbroken["progress"][0][3] == 1  # a duplicate


@pytest.mark.parametrize("cut", [0, 8, len(BATCHES)])
def test_a_crash_before_any_batch_is_survived(
    tmp_path: Path, cut: int, unbroken: dict[str, list[tuple[object, ...]]]
) -> None:
    """The source dies, the process ends, and the next one ends with the same store."""
    path = tmp_path / "s.duckdb"
    with pytest.raises(build.Crash):
        build.stored(path, _records(), crash_before=cut)
    build.stored(path, _records())
    assert build.contents(path) == unbroken


class _Dying(DuckDBStore):
    """A store whose process dies at a commit: before it counts, on its way into the tables, or when
    it is there.
    """

    def __init__(self, path: Path, at: str, when: str) -> None:
        super().__init__(path, build.REAL)
        self._at, self._when = at, when

    def commit(self, work: Work) -> None:
        if work.position == self._at and self._when == "before":
            raise build.Crash
        super().commit(work)
        if work.position == self._at:
            if self._when == "half":
                self._die_in_the_tables()
            self.query("SELECT 1")
            raise build.Crash

    def _die_in_the_tables(self) -> None:
        insert = self._tables.rows.insert

        def dying(table: str, *given: Any, **named: Any) -> None:
            if table == "cases":
                raise build.Crash
            insert(table, *given, **named)

        vars(self._tables.rows)["insert"] = dying


@pytest.mark.parametrize("when", ["before", "half", "after"])
@pytest.mark.parametrize("at", ["1", "13"])
def test_a_crash_in_a_commit_leaves_all_of_it_or_nothing(
    tmp_path: Path, at: str, when: str, unbroken: dict[str, list[tuple[object, ...]]]
) -> None:
    """Half a commit is never seen; a whole one is never done twice."""
    path = tmp_path / "s.duckdb"
    store = _Dying(path, at, when)
    source = build.ListSource(_records())
    with pytest.raises(build.Crash):
        Pipeline(build.REAL, source, store, clock=lambda: build.NOW).run()
    assert source.acknowledged == [str(n) for n in range(1, int(at))]
    build.kill(store)
    with closing(DuckDBStore(path, build.REAL)) as again:
        assert again.position("list") == (_before(at) if when == "before" else at)
    build.stored(path, _records())
    assert build.contents(path) == unbroken


@pytest.mark.parametrize("cut", range(1, len(BATCHES) + 1))
def test_commits_that_no_table_had_yet_are_there_after_a_kill(
    tmp_path: Path,
    cut: int,
    unbroken: dict[str, list[tuple[object, ...]]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """All of them were only in the journal, with everything that a commit may contain."""
    monkeypatch.setattr(write_behind, "EVERY_S", 600)
    path = tmp_path / "s.duckdb"
    store = DuckDBStore(path, build.REAL)
    source = build.ListSource(_records(), crash_before=cut)
    with pytest.raises(build.Crash):
        Pipeline(build.REAL, source, store, clock=lambda: build.NOW).run()
    build.kill(store)
    with closing(StoreFile(path)) as file:  # without starting anything
        assert file.answer("SELECT position FROM source_positions")[1] == [(str(cut),)]
    build.stored(path, _records())
    assert build.contents(path) == unbroken


def _before(position: str) -> str | None:
    return str(int(position) - 1) if position != "1" else None


def test_a_run_that_goes_on_does_nothing_twice(
    tmp_path: Path, unbroken: dict[str, list[tuple[object, ...]]]
) -> None:
    """Starting again on a finished store changes nothing, not even the counts."""
    path = tmp_path / "s.duckdb"
    for _ in range(3):
        build.stored(path, _records())
    assert build.contents(path) == unbroken


def test_a_source_that_loses_its_position_is_recognised_event_by_event(
    tmp_path: Path, unbroken: dict[str, list[tuple[object, ...]]]
) -> None:
    """Records handed over again under another position are duplicates, however old."""
    path = tmp_path / "s.duckdb"
    build.stored(path, _records())
    store = DuckDBStore(path, build.REAL)
    detector = Detector(build.REAL, store.known_events, clock=lambda: build.NOW)
    detector.resume(store.recall(build.REAL))
    work = detector.process("elsewhere", Batch(build.records(CASES), "1", 0.0))
    store.close()
    assert work.duplicates == len(CASES)
    assert not work.events and not work.signals and not work.cases
