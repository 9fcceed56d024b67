"""The file of what is known of keys, used by two threads at once."""

import sqlite3
import threading
from pathlib import Path
from typing import Any

import pytest

from detector.adapters.known import KnownFile
from tests import build


@pytest.fixture
def known(tmp_path: Path) -> KnownFile:
    """A file with one part and two keys in it."""
    file = KnownFile(tmp_path / "s.duckdb", {"part": "1", "other": "1"})
    rows = [("part", "a", b"1"), ("part", "b", b"2"), ("other", "a", b"3")]
    file.stage(rows)
    file.write(rows, None, build.START)
    return file


def test_a_reader_does_not_wait_for_a_commit(
    known: KnownFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It finds what is staged, and what is being written is either; a decision waits for it."""
    halfway, read = threading.Event(), threading.Event()
    rows = [("part", "a", b"new"), ("part", "b", None)]

    def slowly(*given: Any) -> None:
        write(*given)
        halfway.set()
        assert read.wait(10)

    write = known._write
    monkeypatch.setattr(known, "_write", slowly)
    known.stage(rows)
    writer = threading.Thread(target=known.write, args=(rows, None, build.START))
    writer.start()
    assert halfway.wait(10)
    found: list[set[tuple[str, str, bytes]]] = []
    reader = threading.Thread(target=lambda: found.append(set(known.read(["part"], ["a", "b"]))))
    reader.start()
    reader.join(5)
    read.set()
    writer.join(10)
    assert found == [{("part", "a", b"new")}]
    assert set(known.read(["part"], ["a", "b"])) == {("part", "a", b"new")}


def test_a_commit_that_fails_is_still_staged(
    known: KnownFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its rows are read as if it had been written, and are written with the next one."""
    write = known._write

    def full(*given: Any) -> None:
        known._db.execute("BEGIN")
        known._db.execute("DELETE FROM known")
        raise sqlite3.OperationalError("database or disk is full")

    rows = [("part", "a", b"new")]
    monkeypatch.setattr(known, "_write", full)
    known.stage(rows)
    known.write(rows, None, build.START)
    everything = {("part", "a", b"new"), ("part", "b", b"2"), ("other", "a", b"3")}
    assert set(known.read(["part", "other"], ["a", "b", "c"])) == everything
    monkeypatch.setattr(known, "_write", write)
    known.write([], None, build.START)
    assert known._staged["part"] == {}
    assert set(known.read(["part", "other"], ["a", "b", "c"])) == everything
