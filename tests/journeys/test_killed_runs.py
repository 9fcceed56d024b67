"""Kill it anywhere: the store ends as if it had never been killed."""

import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from detector.adapters.bank_files import DEFAULT_START, write_bank
from detector.adapters.duckdb.store import DuckDBStore
from detector.adapters.sources.files import FileSource
from detector.pipeline.pipeline import Pipeline
from detector.pipeline.work import Batch
from producers.config import ProducerSettings
from tests.build import REAL, contents


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """6,000 events of the demo bank, slightly out of order within each file."""
    out = tmp_path_factory.mktemp("bank") / "events"
    write_bank(
        out,
        ProducerSettings(_env_file=None, fraud_rate=0.1, customer_pool_size=500),
        6_000,
        DEFAULT_START,
    )
    shuffle = random.Random(1)
    for path in out.glob("*.jsonl"):
        lines = path.read_bytes().splitlines(keepends=True)
        for start in range(0, len(lines), 40):
            part = lines[start : start + 40]
            shuffle.shuffle(part)
            lines[start : start + 40] = part
        path.write_bytes(b"".join(lines))
    return out


@pytest.fixture(scope="module")
def unbroken(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, list[tuple[Any, ...]]]:
    """The store of a run that was never stopped."""
    path = tmp_path_factory.mktemp("unbroken") / "s.duckdb"
    _replay(folder, path, 500)
    return contents(path)


def _replay(folder: Path, path: Path, size: int, stop_after: int | None = None) -> None:
    store = DuckDBStore(path, REAL)
    try:
        Pipeline(REAL, _Stopping(folder, size, stop_after), store).run()
    finally:
        store.close()


class _Stopping(FileSource):
    """A folder source that ends early, as a stopped process does."""

    def __init__(self, folder: Path, size: int, stop_after: int | None) -> None:
        super().__init__(folder, size)
        self._left = stop_after

    def poll(self) -> Batch | None:
        if self._left == 0:
            return None
        if self._left is not None:
            self._left -= 1
        return super().poll()


@pytest.mark.parametrize("batches", [1, 3])
def test_a_run_stopped_and_restarted_again_and_again_ends_the_same(
    tmp_path: Path, folder: Path, unbroken: dict[str, list[tuple[Any, ...]]], batches: int
) -> None:
    """State read back after every few batches answers like state that was never lost."""
    path = tmp_path / "s.duckdb"
    for _ in range(12 // batches + 1):
        _replay(folder, path, 500, stop_after=batches)
    assert contents(path) == unbroken


def test_a_replay_killed_without_warning_ends_the_same(
    tmp_path: Path, folder: Path, unbroken: dict[str, list[tuple[Any, ...]]]
) -> None:
    """kill -9 at several moments, then the same command until it is done."""
    path = tmp_path / "s.duckdb"
    command = [sys.executable, "-m", "detector.cli", "replay", str(folder)]
    command += ["--store", str(path), "--batch-size", "500", "--json"]
    killed = 0
    for after in (0.05, 0.2, 0.4, 0.1):
        run = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        grown = path.with_name("s.duckdb.wal")
        while run.poll() is None and not grown.exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        try:
            run.wait(timeout=after)
        except subprocess.TimeoutExpired:
            run.kill()
            run.wait()
            killed += 1
    assert killed, "every run ended before it could be killed"
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert contents(path) == unbroken
