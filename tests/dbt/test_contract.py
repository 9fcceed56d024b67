"""The contract as the models check it is the contract that the embedded engine decodes by."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from detector.adapters.dbt_models import event_files, load, run
from detector.adapters.rendering import RenderedProject
from detector.core.events import STREAMS, Record, decode
from producers.models import Login
from tests import build

TEXTS: list[Any] = [
    None, "", " ", ".", "..", "...", "a.", "a\nb", "a\x00", "\x7f", "\x1b[31m", "\u2028", "x",
    "x" * 45, "x" * 46, "x" * 64, "x" * 65, "x" * 100, "x" * 101, "é" * 64,
    "AU", "au", "AUS", "AUD", "AU\n", "123", "1234", "12345", "123456", "1234567", "tok", "tok-1",
    "1tok", "t" * 64, "t" * 65, "tok 1", "ABC", "AB", "A" * 40, "A" * 41, "A_1", "_AB", "0.00",
    "00.10", "1.5", "1.50", "-1.00", "1.500", "999999999999.99", "1000000000000.00", "1e3", "NaN",
    "PURCHASE", "purchase", "POS", "APPROVED", "FAILURE", "LOCKED", "ISSUED", "LOW", "CRITICAL",
    "VERIFIED", "RETAIL", "2026-01-05T09:00:00Z", "'; drop table t; --", 1, 1234, 1.5, True, [],
    ["x"], {}, {"x": 1},
]  # fmt: skip
TIMES: list[Any] = [
    None, "", "now", "2026-01-05", "2026-01-05T09:00:00Z", "2026-01-05T09:00:00.123Z",
    "2026-01-05T09:00:00.123456Z", "2026-01-05T09:00:00+10:00", "2026-01-05T09:00:00.5-03:30",
    "2026-01-05T09:00:00", "2026-02-30T09:00:00Z", "2026-13-01T09:00:00Z", "2026-01-05T25:00:00Z",
    "2026-01-05T09:61:00Z", "2026-01-05T09:00Z", "infinity", "epoch", "1767603600",
    "2026-01-05t09:00:00z", "2026-01-05 09:00:00Z", "2026-01-05T09:00:00+0530",
    "2026-01-05T09:00:00+05", "2026-01-05T09:00:00+23:59", "2026-01-05T09:00:00+24:00",
    "2026-01-05T09:00:00-00:00", "2026-01-05T24:00:00Z", "2026-01-05T09:00:60Z",
    "0001-01-01T00:00:00Z", "1969-12-31T23:59:59.999999Z", "1970-01-01T00:00:00Z",
    "1970-01-01T00:00:00+00:01", "9999-12-31T23:59:59Z", "9999-12-31T23:59:59-00:01",
    "2026-01-05T09:00:00.1234567Z", "2026-01-05T09:00:00.Z", "2026-01-05T09:00:00,5Z",
    "2026-1-05T09:00:00Z", " 2026-01-05T09:00:00Z", "2026-01-05T09:00:00Z ", 1767603600, True, [],
]  # fmt: skip
NUMBERS: list[Any] = [
    None, 0, 0.5, 1, 1.01, -0.01, 90, 90.01, -90, -90.01, 180, 180.1, -180.1, 1e20, -0.0,
    "0.5", "", True, [], [0.5], {},
]  # fmt: skip
FLAGS: list[Any] = [None, True, False, "true", "false", "t", "", 0, 1, [], [True]]
LISTS: list[Any] = [
    None, [], ["."], [".."], ["..."], ["a\nb"], ["\x7f"], ["a\\nb"], ["a/b"], ["a"],
    ["a", "b"], [""], ["a", ""], ["x" * 64], ["a", "x" * 65], ["é" * 64],
    ["é" * 65], ['"'], ["\\" * 64], ["a,b", "]"], [1], ["a", None], [["a"]], [{}], "a", "[]", {},
    1, True,
]  # fmt: skip
VALUES = {bool: FLAGS, float: NUMBERS, int: NUMBERS, list: LISTS, str: TEXTS}


def variants(stream: str) -> list[bytes]:
    """The full event of a stream with one field changed or left out, in every way above."""
    whole = json.loads(build.raw(build.every_kind()[stream]))
    records = []
    for field, value in whole.items():
        values = TIMES if field == "occurred_at" else VALUES[type(value)]
        for number, other in enumerate([*values, ...]):
            record = {**whole, "event_id": f"{field}-{number}", field: other}
            if field == "event_id" and other in ("", None):
                continue  # no record without an id has a row anywhere
            if other is ...:
                del record[field]
                if field == "event_id":
                    continue
            records.append(json.dumps(record).encode())
    return records


@pytest.mark.parametrize("stream", STREAMS)
def test_both_accept_the_same_records(
    stream: str, tmp_path: Path, project: RenderedProject, database: duckdb.DuckDBPyConnection
) -> None:
    """Staging has exactly the records that decode; every other is in rejected_records."""
    records = variants(stream)
    (tmp_path / f"{stream}.jsonl").write_bytes(b"\n".join(records) + b"\n")
    load(database, event_files([tmp_path]))
    run(database, project.needed_for([f"stg_{stream}", "rejected_records"]))
    expected: dict[bool, set[str]] = {True: set(), False: set()}
    for record in records:
        event_id = json.loads(record)["event_id"]
        text = (
            event_id if isinstance(event_id, str) else json.dumps(event_id, separators=(",", ":"))
        )
        expected[decodes(stream, record)].add(text)
    assert len(expected[True]) > 10 and len(expected[False]) > 10
    accepted = database.execute(f"SELECT event_id FROM stg_{stream}").fetchall()
    rejected = database.execute("SELECT event_id FROM rejected_records").fetchall()
    assert {row[0] for row in accepted} == expected[True]
    assert {row[0] for row in rejected} == expected[False]


def decodes(stream: str, record: bytes) -> bool:
    """Whether the embedded engine takes the record."""
    try:
        decode(Record(stream, record, "test", 1))
    except ValueError:
        return False
    return True


def test_the_first_valid_copy_of_an_event_wins(
    tmp_path: Path, project: RenderedProject, database: duckdb.DuckDBPyConnection
) -> None:
    """A broken copy that comes first does not stand in for the event."""
    event = json.loads(build.raw(build.login(0, event_id="e1")))
    copies = [{**event, "outcome": "MAYBE"}, event, {**event, "outcome": "SUCCESS"}]
    (tmp_path / "logins.jsonl").write_text("\n".join(map(json.dumps, copies)))
    load(database, event_files([tmp_path]))
    run(database, project.needed_for(["stg_logins"]))
    assert database.execute("SELECT outcome FROM stg_logins").fetchall() == [(event["outcome"],)]


@pytest.mark.parametrize(
    ("written", "microseconds"),
    [
        ("2026-01-05T09:00:00.1234567Z", 123456),
        ("2026-01-05T09:00:00.9999999Z", 999999),
        ("2026-01-05T14:30:00.123456999+0530", 123456),
        ("2026-01-05 09:00:00.5z", 500000),
    ],
)
@pytest.mark.parametrize("spaced", [False, True])
def test_both_read_the_same_time(
    written: str,
    microseconds: int,
    spaced: bool,
    tmp_path: Path,
    project: RenderedProject,
    database: duckdb.DuckDBPyConnection,
) -> None:
    """Digits after the microsecond are dropped, in every spelling of a time."""
    event = {**json.loads(build.raw(build.login(0))), "occurred_at": written}
    raw = json.dumps(event, separators=(", ", ": ") if spaced else (",", ":")).encode()
    (tmp_path / "logins.jsonl").write_bytes(raw)
    load(database, event_files([tmp_path]))
    run(database, project.needed_for(["stg_logins"]))
    expected = datetime(2026, 1, 5, 9, 0, 0, microseconds, tzinfo=UTC)
    assert decode(Record("logins", raw, "test", 1)).occurred_at == expected
    assert Login.model_validate_json(raw).occurred_at == expected
    found = database.execute("SELECT occurred_at FROM stg_logins").fetchall()
    assert [at.astimezone(UTC) for (at,) in found] == [expected]
