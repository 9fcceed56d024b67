"""The loop: one commit a batch, then publish, then acknowledge; and a clean end, whatever comes."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from detector.cases.book import CustomerSignals
from detector.core.events import Event, Identity, Record
from detector.pipeline.pipeline import Pipeline
from detector.pipeline.tally import Tally
from detector.pipeline.work import Decision, Work
from detector.signals.rules import Rules
from tests import build
from tests.build import transaction


class MemoryStore:
    """A store that keeps work in a list; it fails at the given commits."""

    def __init__(self, diary: list[str], fail_at: str | None = None) -> None:
        self.diary, self.fail_at = diary, fail_at
        self.ledger = build.Ledger()
        self.last: str | None = None

    def catch_up(self) -> None:
        """Nothing lags behind."""

    def commit(self, work: Work) -> None:
        if work.position == self.fail_at:
            raise build.Crash("disk full")
        self.ledger.commit(work)
        self.last = work.position
        self.diary.append(f"commit {work.position}")

    def position(self, source: str) -> str | None:
        return self.last

    def known_events(self, ids: list[Identity]) -> set[Identity]:
        return self.ledger.known(ids)

    def decision(self, event_id: str) -> Decision | None:
        return next((d for d in self.ledger.decisions if d.event_id == event_id), None)

    def recall(self, rules: Rules) -> None:
        return None

    def customer_signals(self, customer_id: str) -> CustomerSignals:
        return CustomerSignals(customer_id)

    def release(self, pattern: str) -> None:
        pass

    def sizes(self) -> dict[str, int]:
        return {}

    def back_up(self) -> Path:
        raise NotImplementedError

    def close(self) -> None:
        pass


class Source(build.ListSource):
    """A list of batches that writes into the diary; None stands for "nothing yet"."""

    def __init__(self, diary: list[str], batches: Sequence[Any], **crash: Any) -> None:
        super().__init__([b or [] for b in batches], **crash)
        self.diary = diary

    def acknowledge(self, position: str) -> None:
        super().acknowledge(position)
        self.diary.append(f"acknowledge {position}")


class Listener:
    def __init__(self, diary: list[str]) -> None:
        self.diary = diary

    def publish(self, work: Work) -> None:
        self.diary.append(f"publish {work.position}")


def batches(count: int) -> list[list[Record]]:
    return [build.records([transaction(n)], f"b{n}") for n in range(count)]


def run(source: Source, store: MemoryStore, *sinks: Any) -> Pipeline:
    pipeline = Pipeline(build.REAL, source, store, sinks, clock=lambda: build.NOW)
    pipeline.run()
    return pipeline


def test_a_batch_is_committed_then_published_then_acknowledged() -> None:
    """In this order for each batch, and one batch after the other."""
    diary: list[str] = []
    run(Source(diary, batches(3)), MemoryStore(diary), Listener(diary))
    assert diary == [
        f"{step} {n}" for n in (1, 2, 3) for step in ("commit", "publish", "acknowledge")
    ]


def test_an_empty_batch_is_no_work() -> None:
    """A source may have nothing yet; nothing is committed for it."""
    diary: list[str] = []
    run(Source(diary, [None, *batches(1), None, None]), MemoryStore(diary))
    assert diary == ["commit 2", "acknowledge 2"]


def test_what_was_not_committed_is_neither_published_nor_acknowledged() -> None:
    """The error comes out, the source is closed, and nothing after the failure is committed."""
    diary: list[str] = []
    source = Source(diary, batches(4))
    with pytest.raises(build.Crash, match="disk full"):
        run(source, MemoryStore(diary, fail_at="3"), Listener(diary))
    assert [line for line in diary if line.startswith("acknowledge")] == [
        "acknowledge 1", "acknowledge 2",
    ]  # fmt: skip
    assert "publish 3" not in diary and "commit 4" not in diary
    assert source.closed == 1


def test_a_failure_in_the_last_commit_is_not_lost() -> None:
    """The end of the source waits for the commit under way."""
    diary: list[str] = []
    with pytest.raises(build.Crash, match="disk full"):
        run(Source(diary, batches(2)), MemoryStore(diary, fail_at="2"))


@pytest.mark.parametrize("crash", range(4))
def test_a_source_that_dies_is_closed_and_its_last_batch_committed(crash: int) -> None:
    """What was handed over before the crash is safe."""
    diary: list[str] = []
    store, source = MemoryStore(diary), Source(diary, batches(3), crash_before=crash)
    with pytest.raises(build.Crash):
        run(source, store)
    assert store.last == (str(crash) if crash else None)
    assert source.closed == 1


def test_a_run_starts_after_the_last_committed_position() -> None:
    """Records before it are not even read."""
    diary: list[str] = []
    store = MemoryStore(diary)
    store.last = "2"
    run(Source(diary, batches(3)), store)
    assert diary == ["commit 3", "acknowledge 3"]


def test_stop_ends_the_loop_after_the_batch_at_hand() -> None:
    """Asked to stop while a batch is being published, it finishes that and reads little more."""
    diary: list[str] = []
    store = MemoryStore(diary)
    source = Source(diary, batches(50))
    pipeline = Pipeline(build.REAL, source, store, clock=lambda: build.NOW)

    class Stopper:
        def publish(self, work: Work) -> None:
            pipeline.stop()

    pipeline.sinks = [Stopper()]
    pipeline.run()
    assert 1 <= len(store.ledger.events) < 50
    assert len(source.acknowledged) == len(store.ledger.events)
    assert source.closed == 1


def test_a_duplicate_that_is_just_being_committed_is_recognised() -> None:
    """Evaluation runs ahead of the commit by one batch, and still knows what is in it."""
    diary: list[str] = []
    old = transaction(0, event_id="old")
    groups = [[old, transaction(10_000)], [old], [transaction(20_000)], [old]]
    store = MemoryStore(diary)
    tally = Tally(build.REAL)
    run(Source(diary, [build.records(g) for g in groups]), store, tally)
    assert tally.duplicates == 2
    assert store.ledger.duplicates == 2


def test_the_tally_counts_what_was_committed() -> None:
    """The summary of a run: events by stream, signals, cases, letters, duplicates, late, future."""
    diary: list[str] = []
    twice = build.cash(1, event_id="twice")
    log = [
        build.profile(-5),
        build.cash(0),
        twice,
        twice,
        transaction(5000, "acc-2"),
        transaction(0, event_id="late"),
        transaction(10**8, event_id="future"),
    ]
    tally = Tally(build.REAL)
    garbage = Record("logins", b"garbage", "f", 1)
    source = Source(diary, [[*build.records(log), garbage]])
    run(source, MemoryStore(diary), tally)
    summary = tally.summary()
    assert summary["events"] == 6
    assert summary["by_stream"] == {"transactions": 5, "kyc_profiles": 1}
    assert {n: c for n, c in summary["signals"].items() if c} == {"structuring": 1}
    assert summary["cases"] == {"critical": 0, "high": 1, "medium": 0, "low": 0}
    counted = ("dead_letters", "duplicates", "late", "future")
    assert [summary[name] for name in counted] == [1, 1, 1, 1]
    assert summary["watermark"] == build.moment(5000).isoformat()
    assert summary["latency_ms"]["p99"] >= summary["latency_ms"]["p50"] >= 0


def test_the_tally_takes_back_what_was_withdrawn() -> None:
    """A signal that late evidence disproves is no longer counted."""
    tally = Tally(build.REAL)
    log: list[list[Event]] = [
        [build.online(100, device_id="d-9", amount="900.00")],
        [build.profile(50, devices=["d-9"])],
    ]
    diary: list[str] = []
    run(Source(diary, [build.records(g) for g in log]), MemoryStore(diary), tally)
    assert tally.signals["account_takeover"] == 0


def test_batches_are_never_lost_between_poll_and_end() -> None:
    """Many batches, all of them committed, in order."""
    diary: list[str] = []
    source = Source(diary, batches(40))
    store = MemoryStore(diary)
    run(source, store)
    assert source.acknowledged == [str(n) for n in range(1, 41)]
