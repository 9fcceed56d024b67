"""Event files as a source: a folder with one file per stream, read in event time."""

import gzip
import heapq
import json
import re
import time
import zlib
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from io import BufferedReader
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import duckdb

from detector.adapters.database import confine, literal
from detector.core.errors import InputError
from detector.core.events import RECORD_LIMIT, STREAMS, Record, contract_fields
from detector.pipeline.work import Batch

BATCH = 50_000
"""Records per batch; a commit costs the same few milliseconds at any size."""
# Every refill yields the interpreter to the committing thread; large ones yield rarely.
BUFFER = 1 << 20
SUFFIXES = (".jsonl", ".jsonl.gz", ".parquet")
_OCCURRED_AT = re.compile(rb'"occurred_at"\s*:\s*"([^"]*)"')
_DAWN = datetime(1970, 1, 1, tzinfo=UTC)
_Timed = tuple[datetime, int, Record]


class FileSource:
    """Reads a folder's event files merged by event time.

    Files are named by stream: `transactions.jsonl`, `logins.jsonl.gz`, `alerts.parquet`, …. Records
    of one file keep their order; across files the earlier `occurred_at` comes first, and a record
    whose time cannot be read, or is yet to come, follows its predecessor. Profiles come before all
    else: they are reference data, valid from their own time on. The position is the number of
    records read of each file.
    """

    def __init__(self, folder: Path, batch_size: int = BATCH) -> None:
        self.name = f"files:{folder.resolve()}"
        self._files, self.ignored = find_files(folder)
        self._batch_size = batch_size
        self._read: dict[str, int] = {}
        self._records: Iterator[_Timed] = iter(())

    def open(self, position: str | None) -> None:
        """Start after `position`, or at the beginning when None."""
        self._read = json.loads(position) if position else {}
        now = datetime.now(UTC)
        streams = [
            _timed(order, path, stream, self._read.get(path.name, 0), now)
            for order, (stream, path) in enumerate(self._files.items())
        ]
        self._records = heapq.merge(*streams)

    def poll(self) -> Batch | None:
        """The next batch, or None at the end of all files."""
        available_at = time.monotonic()
        records = [record for _, _, record in islice(self._records, self._batch_size)]
        if not records:
            return None
        self._read |= {record.origin: record.offset for record in records}
        return Batch(records, json.dumps(self._read), available_at)

    def left(self, position: str | None) -> int | None:
        """The number of records after a position; None where only reading would tell."""
        counts = [_count(path) for path in self._files.values()]
        read = sum(json.loads(position).values()) if position else 0
        return None if None in counts else sum(n for n in counts if n is not None) - read

    def lag(self) -> dict[str, int]:
        """No partitions."""
        return {}

    def acknowledge(self, position: str) -> None:
        """Files need no acknowledgement; the store holds the position."""

    def close(self) -> None:
        """Files are closed as they end or with the process."""


def find_files(folder: Path) -> tuple[dict[str, Path], list[str]]:
    """The event file of each stream, and the names of other files.

    Raises `InputError` when the folder has no event file, or two for one stream.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder. Name one with files such as {_example()}.")
    found: dict[str, Path] = {}
    ignored = []
    for path in sorted(folder.iterdir()):
        stream = next((path.name.removesuffix(s) for s in SUFFIXES if path.name.endswith(s)), "")
        if stream not in STREAMS or not path.is_file():
            ignored.append(path.name)
        elif stream in found:
            raise InputError(
                f"{folder} has two files for {stream}: {found[stream].name} and {path.name}. "
                "Keep one of them."
            )
        else:
            found[stream] = path
    if not found:
        raise InputError(f"{folder} has no event files; expected some of {_example()}.")
    return found, ignored


def _example() -> str:
    return ", ".join(f"{stream}.jsonl[.gz] or .parquet" for stream in STREAMS)


def _timed(order: int, path: Path, stream: str, skip: int, now: datetime) -> Iterator[_Timed]:
    """Records with their sort key: time, then file, so that records are never compared."""
    lines = _parquet_lines(path, stream) if path.suffix == ".parquet" else _lines(path)
    at, moves = _DAWN, stream != "kyc_profiles"
    find, name = _OCCURRED_AT.search, path.name
    for number, raw in enumerate(lines, 1):
        if number > skip:
            if moves and (match := find(raw, 0, RECORD_LIMIT)):
                at = _time(match[1], at, now)
            yield at, order, Record(stream, raw, name, number)


def _time(text: bytes, before: datetime, now: datetime) -> datetime:
    """A record's time; that of the record before it where it cannot be read or is yet to come."""
    try:
        moment = datetime.fromisoformat(text.decode())
    except ValueError:
        return before
    return before if moment.tzinfo is None or moment > now else moment


def _lines(path: Path) -> Iterator[bytes]:
    try:
        with (
            path.open("rb", BUFFER) as plain,
            BufferedReader(gzip.open(plain), BUFFER) if path.suffix == ".gz" else plain as file,
        ):
            while line := file.readline(RECORD_LIMIT + 1):
                if len(line) > RECORD_LIMIT and not line.endswith(b"\n"):
                    _skip_line(file)
                yield line.rstrip(b"\r\n")
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path} cannot be read to its end: {error}") from error


def _count(path: Path) -> int | None:
    """The number of records of a file that can be read; None for a compressed one."""
    if path.suffix == ".gz":
        return None
    if path.suffix == ".parquet":
        query = f"SELECT count(*) FROM read_parquet({literal(str(path))})"
        with suppress(duckdb.Error), duckdb.connect() as db:
            return int(db.execute(query).fetchall()[0][0])
        return None
    with suppress(OSError), path.open("rb", 0) as file:
        return sum(block.count(b"\n") for block in iter(partial(file.read, BUFFER), b""))
    return None


def _skip_line(file: BinaryIO) -> None:
    while (rest := file.readline(RECORD_LIMIT)) and not rest.endswith(b"\n"):
        pass


def parquet_query(db: duckdb.DuckDBPyConnection, path: Path, stream: str) -> str:
    """A query for the rows of a Parquet file as the JSON they would be on a topic.

    It has the fields of the contract, decimals as strings and times in UTC. Raises `duckdb.Error`
    when the file cannot be read.
    """
    kinds = parquet_columns(db, path)
    fields = (f for f in contract_fields(stream) if f in kinds)
    pairs = ", ".join(f"{literal(field)}, {_as_text(field, kinds[field])}" for field in fields)
    return f"SELECT json_object({pairs}) AS payload FROM read_parquet({literal(str(path))})"


def parquet_columns(db: duckdb.DuckDBPyConnection, path: Path) -> dict[str, str]:
    """The columns of a Parquet file with their types in DuckDB."""
    query = f"DESCRIBE SELECT * FROM read_parquet({literal(str(path))})"
    return {row[0]: row[1] for row in db.execute(query).fetchall()}


def _parquet_lines(path: Path, stream: str) -> Iterator[bytes]:
    try:
        db = duckdb.connect()
        db.execute("SET TimeZone = 'UTC'")
        confine(db, path.parent.resolve())
        rows = db.execute(parquet_query(db, path.resolve(), stream))
        while chunk := rows.fetchmany(10_000):
            yield from (row[0].encode() for row in chunk)
    except duckdb.Error as error:
        raise InputError(f"{path} cannot be read as Parquet: {error}") from error


def _as_text(field: str, kind: str) -> str:
    if kind.startswith("TIMESTAMP"):
        return f"strftime({field}, '%Y-%m-%dT%H:%M:%S.%fZ')"
    if field == "amount" and kind != "VARCHAR":
        # What is no amount of cents keeps its own text, which the contract then refuses.
        cents = f"try_cast({field} AS DECIMAL(18, 2))"
        return f"CASE WHEN {cents} = {field} THEN {cents}::VARCHAR ELSE {field}::VARCHAR END"
    return field
