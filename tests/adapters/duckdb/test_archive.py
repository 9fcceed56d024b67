"""Old events move to files without being lost, doubled or missed."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from detector.adapters.dbt_models import event_files
from detector.adapters.duckdb.archive import ARCHIVED, Archive, Archiver, archive_folder
from detector.adapters.duckdb.store import DuckDBStore
from detector.core.events import Event
from detector.pipeline.detector import Detector
from tests import build

DAY = 86_400


def log() -> list[Event]:
    """Six days with a payment an hour, a login a day, and profiles."""
    hours = range(0, 6 * 24)
    return [
        build.profile(-10, event_id="p"),
        *(build.transaction(h * 3600, f"acc-{h % 3}", customer_id=f"cust-{h % 3}") for h in hours),
        *(build.login(day * DAY + 60 * i, f"cust-{i}") for day in range(6) for i in range(2)),
    ]


def filled(path: Path, events: list[Event]) -> DuckDBStore:
    """A store with the events, the newest of which make the older ones final."""
    store = DuckDBStore(path, build.REAL)
    detector = Detector(build.REAL, store.known_events, lambda: build.NOW)
    detector.resume(store.recall(build.REAL))
    ordered = sorted(events, key=lambda e: e.occurred_at)
    store.commit(detector.process("test", build.batch(ordered, "1")))
    return store


def event_ids(store: DuckDBStore, stream: str) -> list[str]:
    """The ids of a stream in the store and in its archive."""
    kept = store.query(f"SELECT event_id FROM {stream}")
    files = list(archive_folder(store.path).rglob(f"{stream}-*.parquet"))
    moved: list[Any] = []
    for file in files:
        moved += duckdb.connect().execute(f"SELECT event_id FROM '{file}'").fetchall()
    return sorted(name for (name,) in [*kept, *moved])


def test_every_event_is_in_the_store_or_in_one_file(tmp_path: Path) -> None:
    """Whole days before the edge move; profiles, signals and cases stay."""
    store = filled(tmp_path / "s.duckdb", log())
    before = {stream: event_ids(store, stream) for stream in ARCHIVED}
    tables = build.tables(store)
    moved = Archiver(store.archive(), timedelta(days=2)).step()
    assert moved > 60
    assert {stream: event_ids(store, stream) for stream in ARCHIVED} == before
    [(oldest,)] = store.query("SELECT min(occurred_at) FROM transactions")
    [(final,)] = store.query("SELECT final FROM progress")
    assert final - timedelta(days=3) <= oldest <= final - timedelta(days=1)
    after = build.tables(store)
    for table in tables.keys() - {*ARCHIVED, "archived"}:
        assert after[table] == tables[table], table
    assert Archiver(store.archive(), timedelta(days=2)).step() == 0
    store.close()


def test_the_files_are_for_their_owner_only_and_suffice_for_a_backtest(tmp_path: Path) -> None:
    """Named by stream and day, with the profiles."""
    store = filled(tmp_path / "s.duckdb", log())
    Archiver(store.archive(), timedelta(days=2)).step()
    store.close()
    folder = archive_folder(tmp_path / "s.duckdb")
    assert all(path.stat().st_mode & 0o077 == 0 for path in [folder, *folder.rglob("*")])
    files = event_files([folder])
    assert len(files["transactions"]) >= 3 and len(files["kyc_profiles"]) == 1


@pytest.mark.parametrize("at", ["INSERT INTO archived", "DELETE FROM", "COPY"])
def test_an_interrupted_move_is_repeated(tmp_path: Path, at: str) -> None:
    """A kill between the file and the deletion leaves neither a loss nor a copy."""
    store = filled(tmp_path / "s.duckdb", log())
    before = {stream: event_ids(store, stream) for stream in ARCHIVED}
    archive = store.archive()

    class Dying:
        def __init__(self, db: Any) -> None:
            self._db = db

        def execute(self, sql: str, *values: Any) -> Any:
            if sql.startswith(at):
                raise build.Crash
            return self._db.execute(sql, *values)

        def __getattr__(self, name: str) -> Any:
            return getattr(self._db, name)

    archive._db = Dying(archive._db)  # type: ignore[assignment]
    with pytest.raises(build.Crash):
        archive.move_before(build.moment(4 * DAY))
    store.close()
    store = DuckDBStore(tmp_path / "s.duckdb", build.REAL)
    Archive(store._connection, archive_folder(store.path)).move_before(build.moment(4 * DAY))
    assert {stream: event_ids(store, stream) for stream in ARCHIVED} == before
    store.close()


def test_what_is_known_is_built_again_from_the_archive_too(tmp_path: Path) -> None:
    """A device first seen in an archived event stays known after the file of keys is lost."""
    old = build.transaction(0, device_id="d-old", customer_id="cust-1", account_id="acc-1")
    events = [old, *log()]
    store = filled(tmp_path / "s.duckdb", events)
    Archiver(store.archive(), timedelta(days=1)).step()
    [(left,)] = store.query("SELECT count(*) FROM transactions WHERE device_id = 'd-old'")
    assert left == 0
    store.close()
    store._known.path.unlink()
    store = DuckDBStore(tmp_path / "s.duckdb", build.REAL)
    detector = Detector(build.REAL, store.known_events, lambda: build.NOW)
    detector.resume(store.recall(build.REAL))
    spent = build.online(
        6 * DAY, device_id="d-old", customer_id="cust-1", account_id="acc-1", amount="900.00"
    )
    new = build.online(
        6 * DAY + 1, device_id="d-new", customer_id="cust-1", account_id="acc-1", amount="900.00"
    )
    work = detector.process("test", build.batch([spent, new], "2"))
    fired = {name for name in work.signals if name.startswith("account_takeover")}
    assert fired == {f"account_takeover:{new.event_id}"}
    store.close()
