"""A disk that is full for a while, or for good: nothing is lost, and readiness tells the truth.

The limit on the size of files stands in for the disk: DuckDB gets the same error from a write.
"""

import resource
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from detector.adapters.duckdb.store import DuckDBStore
from detector.adapters.sources.api import ApiSource
from detector.core.errors import CommitRefused
from detector.core.events import Record
from detector.pipeline import committer
from detector.pipeline.pipeline import Pipeline
from tests import build


@contextmanager
def full_disk(store: Path) -> Iterator[None]:
    """No file can grow beyond the store's log as it is now."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    sizes = [file.stat().st_size for file in store.parent.glob(store.name + "*")]
    resource.setrlimit(resource.RLIMIT_FSIZE, (max(sizes) + 100, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def running(path: Path) -> Iterator[tuple[Pipeline, list[BaseException]]]:
    """A pipeline that takes events from the API only, in a thread of its own."""
    errors: list[BaseException] = []
    with closing(DuckDBStore(path, build.REAL)) as store:
        pipeline = Pipeline(build.REAL, ApiSource(), store, clock=lambda: build.NOW)

        def run() -> None:
            try:
                pipeline.run()
            except BaseException as error:
                errors.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        assert pipeline.ready.wait(10)
        yield pipeline, errors
        pipeline.stop()
        thread.join(20)
        assert not thread.is_alive()


def payments(first: int, count: int) -> list[Record]:
    """So many payments as records."""
    return build.records(
        [build.transaction(n, f"acc-{n}", event_id=f"p{n}") for n in range(first, first + count)]
    )


def until(condition: object) -> None:
    """Wait for a condition for up to ten seconds."""
    assert callable(condition)
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_disk_that_is_full_for_a_while_loses_nothing(tmp_path: Path) -> None:
    """Commits are retried until there is room; until then the process says what is wrong."""
    path = tmp_path / "fraud.duckdb"
    with running(path) as (pipeline, errors):
        pipeline.submit(payments(0, 10))[1].result(10)
        with full_disk(path):
            _, waiting = pipeline.submit(payments(10, 500))
            until(lambda: pipeline.trouble)
            assert not waiting.done()
        waiting.result(20)
        assert pipeline.trouble is None
        pipeline.submit(payments(510, 10))[1].result(10)
    assert errors == []
    with closing(DuckDBStore(path, build.REAL)) as store:
        [row] = store.rows("SELECT count(*) AS events FROM transactions")
    assert row["events"] == 520


def test_a_disk_that_stays_full_ends_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the reason, also while no new events come; what was promised stays."""
    monkeypatch.setattr(committer, "RETRY_AFTER_S", (0.05, 0.1))
    path = tmp_path / "fraud.duckdb"
    with running(path) as (pipeline, errors):
        pipeline.submit(payments(0, 10))[1].result(10)
        with full_disk(path):
            _, lost = pipeline.submit(payments(10, 500))
            with pytest.raises(CommitRefused, match="cannot be written"):
                lost.result(10)
            until(lambda: errors)
        assert isinstance(errors[0], CommitRefused)
        assert not pipeline.ready.is_set()
    with closing(DuckDBStore(path, build.REAL)) as store:
        [row] = store.rows("SELECT count(*) AS events FROM transactions")
    assert row["events"] == 10
