"""`fraud doctor`, `fraud backup` and `fraud restore` as they are typed."""

import json
import os
from pathlib import Path

import pytest

from detector.cli.app import main
from tests import build


def fraud(*words: str, monkeypatch: pytest.MonkeyPatch) -> int:
    """The exit code of a command."""
    monkeypatch.setattr("sys.argv", ["fraud", *words])
    try:
        main()
    except SystemExit as end:
        return int(end.code or 0)
    return 0


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A store with a signal, its files private."""
    old = os.umask(0o077)
    path = tmp_path / "data" / "s.duckdb"
    path.parent.mkdir()
    build.stored(path, [build.records([build.transaction(n) for n in range(6)])])
    os.umask(old)
    return path


def test_a_sound_installation_is_sound(
    store: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every check passes and says what it found."""
    assert fraud("doctor", "--store", str(store), "--json", monkeypatch=monkeypatch) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["ok"]
    names = {check["check"] for check in found["checks"]}
    assert {"Python", "disk", "clock", "rules", "schema", "files", "last commit"} <= names


def test_it_finds_what_is_wrong_and_says_what_to_do(
    store: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A readable store, a broken rule file, a broker that is not there."""
    store.chmod(0o644)
    monkeypatch.setenv("PATTERNS_FILE", str(store))
    words = ["doctor", "--store", str(store), "--bootstrap", "127.0.0.1:1", "--json"]
    assert fraud(*words, monkeypatch=monkeypatch) == 1
    checks = {c["check"]: c for c in json.loads(capsys.readouterr().out)["checks"]}
    bad = {name for name, check in checks.items() if not check["ok"]}
    assert bad == {"rules", "files", "broker 127.0.0.1:1"}
    assert checks["files"]["advice"] == "chmod 600 s.duckdb"


def test_a_backup_is_made_and_restored(
    store: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The restored store has the same content; nothing is overwritten."""
    there = tmp_path / "backup"
    words = ["backup", str(there), "--store", str(store), "--json"]
    assert fraud(*words, monkeypatch=monkeypatch) == 0
    assert json.loads(capsys.readouterr().out)["bytes"] > 0
    restored = tmp_path / "r" / "s.duckdb"
    words = ["restore", str(there), "--store", str(restored)]
    assert fraud(*words, monkeypatch=monkeypatch) == 0
    assert build.contents(restored) == build.contents(store)
    assert fraud(*words, monkeypatch=monkeypatch) == 2
    assert "exists" in capsys.readouterr().err


def test_files_of_the_store_are_private_from_their_first_byte(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Store, write-ahead log, keys and temporary rows, whatever the caller's umask."""
    old = os.umask(0o000)
    try:
        path = tmp_path / "open" / "s.duckdb"
        words = ["run", "--seconds", "3", "--store", str(path), "--no-console", "--json"]
        assert fraud(*words, monkeypatch=monkeypatch) == 0
    finally:
        os.umask(old)
    for file in [path.parent, *path.parent.rglob("*")]:
        assert file.stat().st_mode & 0o077 == 0, file
