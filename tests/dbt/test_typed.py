"""Files with the types of the contract are checked as values, with the result of their JSON."""

from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import pytest

from detector.adapters.dbt_models import STAGING, event_files, load, open_database, run
from detector.adapters.duckdb.store import DuckDBStore
from detector.adapters.rendering import rendered
from detector.core.events import STREAMS
from detector.signals.predicate import BOOLEANS, NUMBERS
from tests import build

STRANGE: dict[str, list[str]] = {
    "VARCHAR": [
        *("NULL", "''", "'.'", "'..'", "'a' || chr(10)", "chr(31) || 'a'", "'a' || chr(127)"),
        *("repeat('x', 64)", "repeat('x', 65)", "repeat('x', 101)", "'AUD'", "'aud'", "'AU'"),
        *("'AU' || chr(10)", "'0411'", "'12345'", "'É'", "' '", "'POS'", "'\"'", "'{}'", "'1.00'"),
    ],
    "TIMESTAMPTZ": [
        *("NULL", "'infinity'", "'-infinity'", "'1969-12-31 23:59:59.999999+00'"),
        *("'1970-01-01 00:00:00+00'", "'9999-12-31 23:59:59.999999+00'"),
        *("'10000-01-01 00:00:00+00'", "'0044-03-15 (BC) 00:00:00+00'"),
        "'2026-01-05 12:00:00.000001+10'",
    ],
    "DECIMAL(18, 2)": [
        *("NULL", "0", "-0.01", "0.01", "999999999999.99", "1000000000000.00"),
        "9999999999999999.99",
    ],
    "DOUBLE": [
        *("NULL", "'NaN'", "'inf'", "'-inf'", "90", "-90", "90.0000001", "180", "180.0000001"),
        *("1e-320", "0.1", "1", "-0.0", "123456789.123"),
    ],
    "BOOLEAN": ["NULL", "true", "false"],
}


def kind_of(field: str) -> str:
    """The type of a field in files with the types of the contract."""
    if field in ("occurred_at", "amount"):
        return {"occurred_at": "TIMESTAMPTZ", "amount": "DECIMAL(18, 2)"}[field]
    if field in NUMBERS:
        return "DOUBLE"
    return "BOOLEAN" if field in BOOLEANS else "VARCHAR"


def write_strange(path: Path, stream: str) -> int:
    """A file with a good event, and one for each strange value of each field; some come twice."""
    good = build.every_kind()[stream]
    fields = [name for name in good.__struct_fields__ if name != "base_amount"]
    columns = [f"CAST(? AS {kind_of(name)}) AS {name}" for name in fields]
    values: list[Any] = [getattr(good, name) for name in fields]
    db = duckdb.connect()
    db.execute("SET TimeZone = 'UTC'")
    db.execute(f"CREATE TABLE t AS SELECT {', '.join(columns)}", values)
    db.execute("CREATE TABLE good AS FROM t")
    count = 1
    for field in fields:
        for strange in STRANGE[kind_of(field)]:
            cast = f"CAST({strange} AS {kind_of(field)})"
            new = f"'e{count}' AS event_id" if field != "event_id" else f"{cast} AS event_id"
            other = f", {cast} AS {field}" if field != "event_id" else ""
            db.execute(f"INSERT INTO t SELECT * REPLACE ({new}{other}) FROM good")
            # Delivered again as it should be: the first that meets the contract counts.
            db.execute(f"INSERT INTO t SELECT * REPLACE ('e{count}' AS event_id) FROM good")
            count += 1
    db.execute(f"COPY t TO '{path / stream}.parquet' (FORMAT parquet)")
    return count


def staged(folder: Path, stream: str, allow_typed: bool) -> tuple[frozenset[str], list[Any]]:
    """The streams that were typed, and the staging table of one."""
    with open_database() as db:
        typed = load(db, event_files([folder]), allow_typed=allow_typed)
        run(db, rendered(build.SHIPPED, typed=typed).needed_for(STAGING))
        return typed, db.execute(f"SELECT * FROM stg_{stream} ORDER BY event_id").fetchall()


@pytest.mark.parametrize("stream", [s for s in STREAMS if s != "kyc_profiles"])
def test_values_are_judged_as_their_json_is(tmp_path: Path, stream: str) -> None:
    """Whatever a field has, and whichever of two deliveries is good."""
    count = write_strange(tmp_path, stream)
    typed, fast = staged(tmp_path, stream, allow_typed=True)
    none, exact = staged(tmp_path, stream, allow_typed=False)
    assert typed == {stream}
    assert not none
    assert fast == exact
    assert len(fast) >= count - 1


def test_another_type_is_read_as_json(tmp_path: Path) -> None:
    """A number where the contract has text, or one file of two."""
    write_strange(tmp_path, "logins")
    db = duckdb.connect()
    source = tmp_path / "logins.parquet"
    target = tmp_path / "logins-2.parquet"
    db.execute(f"COPY (SELECT *, 5 AS more FROM '{source}') TO '{target}' (FORMAT parquet)")
    with open_database() as models:
        both = {"logins": [source, target]}
        assert load(models, both, allow_typed=True) == {"logins"}
        query = f"SELECT * REPLACE (5 AS device_id) FROM '{source}'"
        db.execute(f"COPY ({query}) TO '{target}' (FORMAT parquet)")
        assert load(models, both, allow_typed=True) == frozenset()


def test_files_of_an_archive_are_typed(tmp_path: Path) -> None:
    """The types of the store's tables are those of the contract, whatever columns it adds."""
    with closing(DuckDBStore(tmp_path / "s.duckdb", build.SHIPPED)) as store:
        columns = store.query("SELECT count(*) FROM duckdb_columns() WHERE table_name = 'logins'")
        for stream in STREAMS:
            target = tmp_path / f"{stream}.parquet"
            duckdb_rows = store.query(f"DESCRIBE SELECT * FROM {stream}")
            fields = ", ".join(f"NULL::{row[1]} AS {row[0]}" for row in duckdb_rows)
            duckdb.execute(f"COPY (SELECT {fields}) TO '{target}' (FORMAT parquet)")
    assert columns[0][0] > len(STREAMS["logins"].__struct_fields__)
    with open_database() as db:
        assert load(db, event_files([tmp_path]), allow_typed=True) == STREAMS.keys() - {
            "kyc_profiles"
        }
