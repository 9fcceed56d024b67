"""What is known of keys is a cache: whatever is dropped, killed or deleted, the answers stay."""

import sqlite3
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from detector.adapters.bank_files import DEFAULT_START, write_bank
from detector.adapters.duckdb.store import DuckDBStore
from detector.adapters.known import KnownFile
from detector.adapters.sources.files import FileSource
from detector.pipeline.detector import Detector
from detector.pipeline.work import Batch
from producers.config import ProducerSettings
from tests import build

LITTLE = 1  # byte of memory: every key is dropped as soon as it is settled


@pytest.fixture(scope="module")
def batches(tmp_path_factory: pytest.TempPathFactory) -> list[Batch]:
    """More than a day of a slow bank, in batches of some minutes."""
    out = tmp_path_factory.mktemp("bank")
    bank = ProducerSettings(
        _env_file=None, fraud_rate=0.05, customer_pool_size=60, transaction_rate=0.05,
        login_rate=0.01, card_event_rate=0.002, noise_alert_rate=0.005, kyc_rate=0.002,
    )  # fmt: skip
    write_bank(out, bank, 4_000, DEFAULT_START)
    source = FileSource(out, batch_size=60)
    source.open(None)
    found = []
    while (batch := source.poll()) is not None:
        found.append(batch)
    return found


@contextmanager
def writing(known: KnownFile, lose: bool) -> Iterator[None]:
    """The process ends after the store's commit and before this file's, when told to."""
    with pytest.MonkeyPatch.context() as patch:
        if lose:
            patch.setattr(known, "write", lambda *_: None)
        yield


class _Run:
    """The pipeline's steps by hand, with a process that ends where it is told to."""

    def __init__(self, path: Path, memory: int) -> None:
        self.path, self.memory = path, memory
        self.most_known = 0
        self.dropped = 0

    def start(self) -> None:
        self.store = DuckDBStore(self.path, build.REAL)
        self.detector = Detector(
            build.REAL, self.store.known_events, lambda: build.NOW, self.memory
        )
        memory = self.store.recall(build.REAL)
        self.detector.resume(memory)

    def over(
        self,
        batches: list[Batch],
        kill_before: Collection[int] = (),
        lose: Collection[int] = (),
        delete_before: Collection[int] = (),
    ) -> dict[str, list[tuple[Any, ...]]]:
        """Commit all batches; killed before some, with what is known of some never written."""
        self.start()
        for number, batch in enumerate(batches):
            if number in kill_before:
                self.store.close()
                if number in delete_before:
                    self.store._known.path.unlink()
                self.start()
            work = self.detector.process("test", batch)
            with writing(self.store._known, lose=number in lose):
                self.store.commit(work)
            self.most_known = max(self.most_known, len(self.detector.known))
        found = build.tables(self.store)
        self.store.close()
        return found


@pytest.fixture(scope="module")
def unbroken(
    batches: list[Batch], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, list[tuple[Any, ...]]]:
    """The store of one process with memory for everything."""
    return _Run(tmp_path_factory.mktemp("unbroken") / "s.duckdb", 1 << 30).over(batches)


def test_the_log_reaches_what_must_be_remembered(
    batches: list[Batch], unbroken: dict[str, list[tuple[Any, ...]]]
) -> None:
    """A day passes, and the patterns fire that depend on what a customer did long before."""
    assert len(batches) >= 60
    patterns = {row[1] for row in unbroken["fraud_signals"]}
    assert {"account_takeover", "unusual_amount"} <= patterns
    assert len(unbroken["cases"]) > 10


def test_little_memory_changes_no_answer(
    batches: list[Batch], unbroken: dict[str, list[tuple[Any, ...]]], tmp_path: Path
) -> None:
    """Keys are dropped and loaded again all the time."""
    plenty, little = _Run(tmp_path / "p.duckdb", 1 << 30), _Run(tmp_path / "l.duckdb", LITTLE)
    plenty.over(batches[:40])
    assert little.over(batches) == unbroken
    assert len(little.detector.known) < len(plenty.detector.known)
    assert little.most_known < 60 + 2


@pytest.mark.parametrize("memory", [LITTLE, 1 << 30])
def test_a_kill_between_the_two_commits_loses_nothing(
    batches: list[Batch], unbroken: dict[str, list[tuple[Any, ...]]], tmp_path: Path, memory: int
) -> None:
    """The store has a batch, the file of what is known does not: it is fed again."""
    kills = range(1, len(batches), 12)
    lost = {number - 1 for number in kills}
    assert _Run(tmp_path / "s.duckdb", memory).over(batches, kills, lost) == unbroken


def test_what_is_known_is_built_again_when_its_file_is_gone(
    batches: list[Batch], unbroken: dict[str, list[tuple[Any, ...]]], tmp_path: Path
) -> None:
    """The file is derived from the store, so deleting it costs time only."""
    kills = {20, 50}
    run = _Run(tmp_path / "s.duckdb", LITTLE)
    assert run.over(batches, kills, delete_before=kills) == unbroken


def test_a_part_built_by_other_rules_is_built_again(
    batches: list[Batch], unbroken: dict[str, list[tuple[Any, ...]]], tmp_path: Path
) -> None:
    """A changed pattern must not go on with the state of the old one."""
    path = tmp_path / "s.duckdb"
    _Run(path, LITTLE).over(batches[:40])
    with sqlite3.connect(tmp_path / "s.duckdb.known") as db:
        changed = db.execute(
            "UPDATE parts SET fingerprint = 'old' WHERE part IN ('unusual_amount', 'cases')"
        ).rowcount
    assert changed == 2
    assert _Run(path, LITTLE).over(batches[40:]) == unbroken
