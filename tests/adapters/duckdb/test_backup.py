"""A backup of a running store is the store as of one moment, and can be continued."""

from pathlib import Path

import pytest

from detector.adapters.duckdb.backup import back_up, backup_folder, restore
from detector.adapters.duckdb.store import DuckDBStore
from detector.adapters.people.store import PeopleStore
from detector.cases.principals import Principal
from detector.core.errors import InputError
from detector.pipeline.detector import Detector
from detector.pipeline.work import Batch
from tests import build
from tests.journeys.test_known_keys import LITTLE, _Run, batches, unbroken

__all__ = ["batches", "unbroken"]  # fixtures


@pytest.mark.parametrize("memory", [LITTLE, 1 << 30])
def test_a_backup_made_meanwhile_is_continued_like_the_store(
    batches: list[Batch],
    unbroken: dict[str, list[tuple[object, ...]]],
    tmp_path: Path,
    memory: int,
) -> None:
    """Made while batches go on, restored elsewhere, fed the rest: the same as never stopped."""
    run = _Run(tmp_path / "s.duckdb", memory)
    run.start()
    for batch in batches[:40]:
        run.store.commit(run.detector.process("test", batch))
    made = run.store.back_up()
    for batch in batches[40:50]:
        run.store.commit(run.detector.process("test", batch))
    run.store.close()
    assert made.parent == backup_folder(run.path)
    assert all(path.stat().st_mode & 0o077 == 0 for path in [made, *made.rglob("*")])
    restore(made, tmp_path / "elsewhere" / "r.duckdb")
    again = _Run(tmp_path / "elsewhere" / "r.duckdb", memory)
    assert again.over(batches[40:]) == unbroken


def test_the_audit_log_of_a_backup_verifies(tmp_path: Path) -> None:
    """Its key comes along, and nothing is restored over what exists."""
    path = tmp_path / "s.duckdb"
    store = DuckDBStore(path, build.REAL)
    people = store.people()
    people.users.add(Principal("root", "admin"), "kim", "analyst", "hash", must_change=False)
    made = back_up(store._connection, path)
    store.close()
    restored = tmp_path / "r" / "s.duckdb"
    restore(made, restored)
    again = PeopleStore.open(restored)
    assert again.audit.verify() == 1
    again.close()
    with pytest.raises(InputError, match="exists"):
        restore(made, restored)
    with pytest.raises(InputError, match="is no backup"):
        restore(tmp_path, tmp_path / "new" / "s.duckdb")


def test_detection_runs_on_a_restored_store_without_the_file_of_keys(tmp_path: Path) -> None:
    """It is derived, so a backup without it is complete."""
    path = tmp_path / "s.duckdb"
    build.stored(path, [build.records([build.transaction(n) for n in range(4)])])
    store = DuckDBStore(path, build.REAL)
    made = store.back_up()
    store.close()
    (made / "fraud.duckdb.known").unlink()
    restore(made, tmp_path / "r" / "s.duckdb")
    store = DuckDBStore(tmp_path / "r" / "s.duckdb", build.REAL)
    detector = Detector(build.REAL, store.known_events, lambda: build.NOW)
    detector.resume(store.recall(build.REAL))
    work = detector.process("test", build.batch([build.transaction(4)], "2"))
    assert [s.pattern for s in work.new_signals] == ["velocity"]
    store.close()
