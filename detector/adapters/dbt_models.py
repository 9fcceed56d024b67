"""The dbt models on DuckDB: the same detection as batch SQL, over a folder of event files."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb

from detector.adapters.database import literal
from detector.adapters.rendering import DATABASE, Model
from detector.adapters.sources.files import (
    SUFFIXES,
    find_files,
    parquet_columns,
    parquet_query,
)
from detector.core.errors import InputError
from detector.core.events import STREAMS, contract_fields
from detector.signals.predicate import BOOLEANS, NUMBERS

STAGING = tuple(f"stg_{stream}" for stream in STREAMS)
_TYPE_OF = {
    "occurred_at": "TIMESTAMP WITH TIME ZONE",
    "account_ids": "VARCHAR[]",
    "registered_device_ids": "VARCHAR[]",
    **dict.fromkeys(NUMBERS | {"home_latitude", "home_longitude"}, "DOUBLE"),
    **dict.fromkeys(BOOLEANS, "BOOLEAN"),
    "amount": "DECIMAL(18,2)",
}
REVIEWS = """CREATE TABLE IF NOT EXISTS case_reviews (case_id VARCHAR, customer_id VARCHAR,
  status VARCHAR, owner VARCHAR, closed_until TIMESTAMPTZ)"""


def load(
    db: duckdb.DuckDBPyConnection,
    files: Mapping[str, Sequence[Path]],
    set_aside: str = "SELECT NULL::VARCHAR AS stream, NULL::VARCHAR AS event_id WHERE false",
    allow_typed: bool = False,
) -> frozenset[str]:
    """Fill the raw tables with the records of each stream's files.

    Skips records that are not JSON objects, and the events (`stream`, `event_id`) that the query
    `set_aside` returns.
    A stream without files has an empty table; so have the reviews, unless someone filled them.
    Where typed tables are allowed, returns the streams that have one, for `rendered`: all their
    files are Parquet with the types of the contract. They load and are checked several times
    faster. The others have JSON.
    """
    db.execute(f"CREATE OR REPLACE TEMP TABLE set_aside AS {set_aside}")
    db.execute(REVIEWS)
    typed = frozenset(
        stream
        for stream in STREAMS
        if allow_typed and files.get(stream) and all(_fits(db, p, stream) for p in files[stream])
    )
    for stream in STREAMS:
        kinds = _types(stream)
        if stream not in typed:
            kinds = dict.fromkeys(kinds, "JSON")
        columns = ", ".join(f"{field} {kind}" for field, kind in kinds.items())
        db.execute(f"CREATE OR REPLACE TABLE src_{stream} ({columns})")
        name = "event_id" if stream in typed else "(event_id ->> '$')"
        records = _typed_records if stream in typed else _records
        for path in files.get(stream, ()):
            try:
                db.execute(
                    f"INSERT INTO src_{stream} BY NAME FROM ({records(db, path, stream)}) "
                    f"WHERE {name} IS NOT NULL AND {name} NOT IN "
                    f"(SELECT event_id FROM set_aside WHERE stream = '{stream}')"
                )
            except duckdb.Error as error:
                raise InputError(f"{path} cannot be read: {error}") from error
    return typed


def event_files(paths: Sequence[Path]) -> dict[str, list[Path]]:
    """The files of each stream among folders and files.

    A file's name starts with its stream: `transactions.jsonl`, `logins-2026-01.parquet`, …. Raises
    `InputError` for a missing file or an unknown stream.
    """
    found: dict[str, list[Path]] = {stream: [] for stream in STREAMS}
    for path in paths:
        if path.is_dir():
            for stream, files in _folder_files(path).items():
                found[stream] += files
            continue
        stream = _stream_of(path)
        if stream not in STREAMS or not path.name.endswith(SUFFIXES):
            raise InputError(
                f"{path.name} does not name a stream; expected names such as "
                f"transactions-2026-01.parquet, of {', '.join(STREAMS)}; as {', '.join(SUFFIXES)}."
            )
        if not path.is_file():
            raise InputError(f"{path} is not a file.")
        found[stream].append(path)
    return found


def _folder_files(folder: Path) -> dict[str, list[Path]]:
    """The files of a folder: one for each stream, or those of an archive by day."""
    by_day = [p for p in sorted(folder.glob("*-*.parquet")) if _stream_of(p) in STREAMS]
    if not by_day:
        return {stream: [file] for stream, file in find_files(folder)[0].items()}
    found: dict[str, list[Path]] = {}
    for path in [*by_day, *folder.glob("kyc_profiles.parquet")]:
        found.setdefault(_stream_of(path), []).append(path)
    return found


def _stream_of(path: Path) -> str:
    return re.split(r"[^a-z_]", path.name, maxsplit=1)[0]


def run(db: duckdb.DuckDBPyConnection, models: Iterable[Model]) -> None:
    """Build the models as tables over the raw tables that `load` filled."""
    for model in models:
        db.execute(f"CREATE OR REPLACE TABLE {model.name} AS {model.sql}")


def open_database(
    path: Path | None = None, memory_limit: str | None = None, spill: Path | None = None
) -> Any:
    """A DuckDB connection with the database name that compiled models use, on disk or in memory.

    What exceeds the memory goes to the folder `spill`, by default one beside the file.
    """
    db = duckdb.connect()
    db.execute("SET TimeZone = 'UTC'")
    if memory_limit:
        db.execute("SET memory_limit = ?", [memory_limit])
    where = ":memory:" if path is None else str(path)
    if path is not None or spill is not None:
        db.execute("SET temp_directory = ?", [str(spill or f"{path}.tmp")])
    db.execute(f"ATTACH {literal(where)} AS {DATABASE}")
    db.execute(f"USE {DATABASE}")
    return db


def _types(stream: str) -> dict[str, str]:
    """The fields of a stream with their types in DuckDB."""
    return {field: _TYPE_OF.get(field, "VARCHAR") for field in contract_fields(stream)}


def _fits(db: duckdb.DuckDBPyConnection, path: Path, stream: str) -> bool:
    """Whether a file is Parquet whose columns have the types of the contract.

    Lists, which only profiles have, are checked as JSON.
    """
    wanted = _types(stream)
    if path.suffix != ".parquet" or "VARCHAR[]" in wanted.values():
        return False
    try:
        found = parquet_columns(db, path)
    except duckdb.Error as error:
        raise InputError(f"{path} cannot be read: {error}") from error
    return all(wanted.get(field, kind) == kind for field, kind in found.items())


def _typed_records(db: duckdb.DuckDBPyConnection, path: Path, stream: str) -> str:
    """A query for the rows of a Parquet file that has the types of the contract."""
    found = parquet_columns(db, path)
    fields = ", ".join(field for field in _types(stream) if field in found)
    return f"SELECT {fields} FROM read_parquet({literal(str(path))})"


def _records(db: duckdb.DuckDBPyConnection, path: Path, stream: str) -> str:
    """A query for the records of a file, each field as JSON."""
    fields = contract_fields(stream)
    if path.suffix == ".parquet":
        kinds = json.dumps(dict.fromkeys(fields, "JSON"))
        query = parquet_query(db, path, stream)
        return f"SELECT unnest(json_transform(payload, '{kinds}')) FROM ({query})"
    columns = ", ".join(f"{field}: 'JSON'" for field in fields)
    return (
        f"FROM read_json({literal(str(path))}, format = 'newline_delimited', "
        f"columns = {{{columns}}}, ignore_errors = true)"
    )
