"""Small commits: kept at once, found by whatever reads, in the tables soon."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from contextvars import copy_context
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from detector.adapters.duckdb import write_behind
from detector.adapters.duckdb.at_rest import StoreFile
from detector.adapters.duckdb.journal import Entry, journal_file, packed, unpacked
from detector.adapters.duckdb.store import DuckDBStore
from detector.core.errors import StoreError
from detector.core.events import Record
from detector.pipeline.detector import Detector
from detector.pipeline.work import Batch, Work
from detector.signals.brake import Braked
from tests import build

COUNT = "SELECT count(*) FROM transactions"


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing comes into the tables unless something reads."""
    monkeypatch.setattr(write_behind, "EVERY_S", 600)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[DuckDBStore]:
    """An empty store."""
    kept = DuckDBStore(tmp_path / "s.duckdb", build.REAL)
    yield kept
    with suppress(build.Crash):
        kept.close()


def work(*seconds: int, position: str = "1") -> Work:
    """A commit of some payments."""
    detector = Detector(build.REAL, lambda _: set(), clock=lambda: build.NOW)
    events = [build.transaction(at) for at in seconds]
    return detector.process("test", build.batch(events, position))


def kept(store: DuckDBStore) -> int:
    """How many commits the journal has, as another process sees it."""
    with closing(sqlite3.connect(journal_file(store.path))) as db:
        return int(db.execute("SELECT count(*) FROM entries").fetchone()[0])


def in_tables(store: DuckDBStore) -> int:
    """The payments in the tables, without looking for more."""
    return int(store._connection.cursor().execute(COUNT).fetchall()[0][0])


@pytest.mark.usefixtures("slow")
def test_a_query_finds_what_was_committed_before_it(store: DuckDBStore) -> None:
    """Kept first, brought into the tables by the query, and then kept no longer."""
    store.commit(work(0))
    store.commit(work(1, 2, position="2"))
    assert (kept(store), in_tables(store)) == (2, 0)
    assert store.query(COUNT) == [(3,)]
    assert (kept(store), in_tables(store)) == (0, 3)
    assert store.position("test") == "2"


def test_the_tables_have_it_soon_without_a_query(store: DuckDBStore) -> None:
    """A store that is only written to does not put everything off."""
    store.commit(work(0))
    deadline = time.monotonic() + 10
    while kept(store):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert in_tables(store) == 1


@pytest.mark.usefixtures("slow")
def test_a_request_reads_one_state(store: DuckDBStore) -> None:
    """What is committed while it is answered does not cost it anything; the next one finds it."""
    store.commit(work(0))

    def request() -> list[tuple[int]]:
        store.hold()
        first = store.query(COUNT)
        store.commit(work(1, position="2"))
        return [*first, *store.query(COUNT)]

    assert copy_context().run(request) == [(1,), (1,)]
    assert store.query(COUNT) == [(2,)]


@pytest.mark.usefixtures("slow")
def test_a_large_commit_takes_those_before_it_along(
    store: DuckDBStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One transaction has both, in their order."""
    store.commit(work(0))
    monkeypatch.setattr(write_behind, "SMALL", 2)
    store.commit(work(1, 2, position="2"))
    assert (kept(store), in_tables(store)) == (0, 3)
    assert store.position("test") == "2"


@pytest.mark.usefixtures("slow")
def test_not_too_much_waits(store: DuckDBStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory and the journal stay small however fast commits come."""
    monkeypatch.setattr(write_behind, "MOST_RECORDS", 3)
    for position in range(1, 6):
        store.commit(work(2 * position, 2 * position + 1, position=str(position)))
    assert (kept(store), in_tables(store)) == (1, 8)


@pytest.mark.usefixtures("slow")
def test_a_commit_that_the_tables_never_take_ends_the_run(store: DuckDBStore) -> None:
    """Memory and tables would no longer agree; it stays in the journal."""

    def refuse(*_: object, **__: object) -> None:
        raise build.Crash

    store.commit(work(0))
    vars(store._tables.rows)["write"] = refuse
    with pytest.raises(build.Crash):
        store.query(COUNT)
    with pytest.raises(build.Crash):
        store.commit(work(1, position="2"))
    assert kept(store) == 1


def test_a_store_that_was_closed_has_no_journal(tmp_path: Path) -> None:
    """So a file that is there tells of a kill."""
    store = DuckDBStore(tmp_path / "s.duckdb", build.REAL)
    store.commit(work(0))
    assert journal_file(store.path).stat().st_mode & 0o077 == 0
    for _ in range(2):
        store.close()
    assert not list(store.path.parent.glob("*.journal*"))


@pytest.mark.usefixtures("slow")
def test_the_journal_of_another_copy_is_refused(tmp_path: Path) -> None:
    """Commits that follow on others would leave a gap."""
    path = tmp_path / "s.duckdb"
    store = DuckDBStore(path, build.REAL)
    store.commit(work(0))
    store.query(COUNT)
    store.commit(work(1, position="2"))
    build.kill(store)
    path.unlink()
    for _ in range(2):
        with pytest.raises(StoreError, match=r"s\.duckdb\.journal belongs to another copy"):
            DuckDBStore(path, build.REAL)
    journal_file(path).unlink()
    DuckDBStore(path, build.REAL).close()


@pytest.mark.usefixtures("slow")
def test_the_journal_of_another_release_is_refused(tmp_path: Path) -> None:
    """Its commits may mean something else; nothing of them is lost."""
    path = tmp_path / "s.duckdb"
    store = DuckDBStore(path, build.REAL)
    store.commit(work(0))
    build.kill(store)
    _set_version(path, 99)
    for read in (lambda: StoreFile(path), lambda: DuckDBStore(path, build.REAL)):
        with pytest.raises(StoreError, match="Start and stop that release once"):
            read()
    _set_version(path, 1)
    with closing(StoreFile(path)) as file:
        assert file.answer(COUNT)[1] == [(1,)]


def _set_version(store: Path, version: int) -> None:
    with closing(sqlite3.connect(journal_file(store))) as db:
        db.execute(f"PRAGMA user_version = {version}")


def test_a_commit_comes_out_of_the_journal_as_it_went_in() -> None:
    """All that tables keep: also decisions, dead letters with any bytes, and what is in shadow."""
    detector = Detector(build.REAL, lambda _: set(), clock=lambda: build.NOW)
    records = build.records([build.online(at, amount="900.00") for at in range(40)], "o")
    records.append(Record("logins", b"\xff\x00{", "o", 99))
    given = detector.process("test", Batch(records, "7", 1.0))
    [event, *_] = given.events["transactions", "evaluated"]
    given.decisions = [detector.decide(event, "evaluated")]
    given.shadow = dict.fromkeys(given.signals)
    given.braked = [Braked("velocity", datetime(2026, 1, 1, tzinfo=UTC), 3, 4)]
    assert given.signals and given.cases and given.risk and given.attributions
    now = datetime.now(UTC)
    body = msgspec.msgpack.encode(packed(given, None, now))
    found = unpacked(msgspec.msgpack.decode(body, type=Entry))
    for name in ("events", "signals", "shadow", "risk", "cases", "attributions", "braked",
                 "decisions", "dead_letters", "position", "source", "watermark", "final",
                 "lanes", "duplicates"):  # fmt: skip
        assert getattr(found, name) == getattr(given, name), name


@pytest.mark.usefixtures("slow")
def test_tables_that_refuse_for_a_while_are_warned_of_once(
    store: DuckDBStore, caplog: pytest.LogCaptureFixture
) -> None:
    """Readers see what is there meanwhile; nothing is lost."""
    write = store._tables.rows.write

    def refuse(*_: object, **__: object) -> None:
        raise OSError("no space left")

    vars(store._tables.rows)["write"] = refuse
    for position in "12":
        store.commit(work(int(position), position=position))
        assert store.query(COUNT) == [(0,)]
    assert [r.message for r in caplog.records] == [
        f"{store.path} cannot be written: no space left; kept in {journal_file(store.path)}"
    ]
    vars(store._tables.rows)["write"] = write
    assert store.query(COUNT) == [(2,)]
