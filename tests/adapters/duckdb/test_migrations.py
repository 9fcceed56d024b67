"""A store of an earlier release is opened, brought up to date, and continued."""

from pathlib import Path

import duckdb
import pytest

from detector.adapters.duckdb.migrations import MIGRATIONS, SCHEMA_VERSION
from detector.adapters.duckdb.store import DuckDBStore
from tests import build
from tests.journeys.test_restart import _records

RELEASES = Path(__file__).parent / "releases"
AHEAD = 16  # batches before the release is changed: patterns have fired, cases are open


def _as_of(version: int, path: Path, store: Path) -> None:
    """Write a store's content into the schema of an earlier release."""
    db = duckdb.connect(str(path))
    db.execute("SET TimeZone = 'UTC'")
    db.execute((RELEASES / f"{version}.sql").read_text("utf-8"))
    db.execute(f"ATTACH '{store}' AS now (READ_ONLY)")
    for (table,) in db.execute(
        "SELECT table_name FROM duckdb_tables() WHERE database_name = 'now'"
    ).fetchall():
        columns = {
            which: {
                name
                for (name,) in db.execute(
                    "SELECT column_name FROM duckdb_columns() "
                    "WHERE table_name = ? AND (database_name = 'now') = ?",
                    [table, which],
                ).fetchall()
            }
            for which in (True, False)
        }
        shared = ", ".join(f'"{name}"' for name in columns[True] & columns[False])
        if shared:
            db.execute(f"INSERT INTO {table} ({shared}) SELECT {shared} FROM now.{table}")
    db.execute("UPDATE progress SET schema_version = ?", [version])
    if version == 4:
        db.execute("UPDATE progress SET confirmed = (SELECT final FROM now.progress)")
    db.close()


@pytest.mark.parametrize("version", MIGRATIONS)
def test_a_store_of_an_earlier_release_is_continued(tmp_path: Path, version: int) -> None:
    """It ends with the same content as one that never was of that release."""
    now, old, unbroken = (tmp_path / f"{name}.duckdb" for name in ("now", "old", "unbroken"))
    build.stored(now, _records()[:AHEAD])
    _as_of(version, old, now)
    build.stored(old, _records())
    build.stored(unbroken, _records())
    found, wanted = build.contents(old), build.contents(unbroken)
    for table in wanted.keys() - {"progress"}:
        assert found[table] == wanted[table], table
    [(upgraded,)] = _versions(old)
    assert upgraded == SCHEMA_VERSION


def _versions(path: Path) -> list[tuple[int]]:
    store = DuckDBStore(path, build.REAL)
    try:
        return store.query("SELECT schema_version FROM progress")
    finally:
        store.close()


def test_every_release_has_its_schema() -> None:
    """A migration cannot be added without the schema that it starts from."""
    assert {int(path.stem) for path in RELEASES.glob("*.sql")} == set(MIGRATIONS)
    assert max(MIGRATIONS) == SCHEMA_VERSION - 1
