"""The store: one file, one transaction a commit, and clear words when it cannot be used."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from detector.adapters.database import connect
from detector.adapters.duckdb.store import DuckDBStore
from detector.cases.principals import Principal
from detector.core.errors import StoreError
from detector.core.events import Event, Record
from detector.pipeline.detector import Detector
from detector.pipeline.work import Batch
from tests import build
from tests.build import cash, login, online, profile, transaction
from tests.people import act


@pytest.fixture
def store(tmp_path: Path) -> Iterator[DuckDBStore]:
    """An empty store."""
    kept = DuckDBStore(tmp_path / "s.duckdb", build.REAL)
    yield kept
    kept.close()


def feed(store: DuckDBStore, *groups: list[Event]) -> Detector:
    """Commit batches of events; the detector that made the work goes on from the store."""
    detector = Detector(build.REAL, store.known_events, clock=lambda: build.NOW)
    detector.resume(store.recall(build.REAL))
    for number, events in enumerate(groups, 1):
        store.commit(detector.process("test", build.batch(events, str(number))))
    return detector


def test_a_store_that_is_not_there_is_named(tmp_path: Path) -> None:
    """Asking before anything ran says what to run."""
    with pytest.raises(StoreError, match=r"no store at .*missing\.duckdb.*fraud run"):
        connect(tmp_path / "missing.duckdb", read_only=True)
    assert not (tmp_path / "missing.duckdb").exists()


def test_a_store_makes_the_folders_it_needs(tmp_path: Path) -> None:
    """`--store data/today/fraud.duckdb` just works."""
    path = tmp_path / "data" / "today" / "fraud.duckdb"
    DuckDBStore(path, build.REAL).close()
    assert path.exists()


def test_a_store_in_use_by_another_process_is_named(tmp_path: Path) -> None:
    """Two runs on one store would tread on each other; the second says so."""
    path = tmp_path / "s.duckdb"
    holds = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print(1, flush=True); input()"
    other = subprocess.Popen(
        [sys.executable, "-c", holds, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert other.stdout is not None and other.stdout.readline() == b"1\n"
        with pytest.raises(StoreError, match="in use by another process"):
            DuckDBStore(path, build.REAL)
        with pytest.raises(StoreError, match="in use by another process"):
            connect(path, read_only=True)
    finally:
        other.communicate(b"\n")
    DuckDBStore(path, build.REAL).close()


@pytest.mark.parametrize("content", [b"this is no database" * 1000, b"short"])
def test_a_file_that_is_no_store_is_named(tmp_path: Path, content: bytes) -> None:
    """The file is left as it was."""
    path = tmp_path / "notes.txt"
    path.write_bytes(content)
    with pytest.raises(StoreError, match=r"notes\.txt"):
        DuckDBStore(path, build.REAL)
    assert path.read_bytes() == content


def test_a_folder_is_no_store(tmp_path: Path) -> None:
    """Neither is a folder."""
    with pytest.raises(StoreError, match=tmp_path.name):
        DuckDBStore(tmp_path, build.REAL)


def test_a_foreign_database_is_refused(tmp_path: Path) -> None:
    """A DuckDB file with other tables of our names is not written to."""
    path = tmp_path / "other.duckdb"
    db = duckdb.connect(str(path))
    db.execute("CREATE TABLE transactions (id INTEGER)")
    db.close()
    with pytest.raises(StoreError, match=r"other\.duckdb is the database of something else"):
        DuckDBStore(path, build.REAL)
    db = duckdb.connect(str(path))
    assert db.execute("SELECT table_name FROM duckdb_tables()").fetchall() == [("transactions",)]


@pytest.mark.parametrize(
    ("version", "advice"), [(99, "written by a newer release.*[Uu]se that"), (1, "[Rr]eplay")]
)
def test_a_store_that_cannot_be_read_is_refused(tmp_path: Path, version: int, advice: str) -> None:
    """It says which version came, which is read, and what to do."""
    path = tmp_path / "s.duckdb"
    DuckDBStore(path, build.REAL).close()
    db = duckdb.connect(str(path))
    db.execute("UPDATE progress SET schema_version = ?", [version])
    db.close()
    with pytest.raises(StoreError, match=rf"schema version {version}.*{advice}"):
        DuckDBStore(path, build.REAL)


def test_every_value_of_an_event_is_kept_exactly(store: DuckDBStore) -> None:
    """Decimals, microseconds, coordinates and lists come back as they were sent."""
    kinds: dict[str, Any] = {**build.every_kind()}
    paid = kinds["transactions"]
    paid.amount = paid.base_amount = "999999999999.99"
    kinds["transactions"].occurred_at = datetime(2026, 1, 5, 9, 0, 0, 123457, tzinfo=UTC)
    feed(store, list(kinds.values()))
    for stream, event in kinds.items():
        names = event.__struct_fields__
        [row] = store.query(f"SELECT {', '.join(names)} FROM stg_{stream}")
        kept = dict(zip(names, row, strict=True))
        if stream == "transactions":
            assert kept["amount"] == Decimal("999999999999.99")
            kept |= {name: str(kept[name]) for name in ("amount", "base_amount")}
        assert kept == {name: getattr(event, name) for name in names}


STRANGE = [
    '"', "'", "\\", "\\u0000", "\\N",
    "NULL", "null", "{}", "[]", "{amount}", "\u2028", "\ufeff", "🦘", "e\u0301", "'; DROP TABLE x",
    " ", "2026-01-05", "1e5", "true", "-", "\x80",
]  # fmt: skip


def test_strange_text_is_stored_as_it_is_in_every_place(store: DuckDBStore) -> None:
    """Ids, devices and cities of any other characters survive commits, signals and a restart."""
    log: list[Event] = []
    for n, text in enumerate(STRANGE):
        one = {"device_id": text, "city": text, "merchant_id": text, "customer_id": text}
        log.append(online(n * 10, text, event_id=f"x{text}", amount="900.00", **one))
        log.append(profile(n * 10 - 1, text, accounts=[text], devices=[f"other{text}"]))
        log += [login(n * 10, text, event_id=f"l{k}{text}") for k in range(3)]
    detector = feed(store, log)
    kept = store.query("SELECT event_id, account_id, device_id, city FROM stg_transactions")
    assert sorted(kept) == sorted((f"x{t}", t, t, t) for t in STRANGE)
    signals = store.query("SELECT subject, evidence ->> '$.value', reason FROM mv_device_anomalies")
    assert sorted((s, v) for s, v, _ in signals) == sorted((t, t) for t in STRANGE)
    assert all(f"from device {s}, which" in reason for s, _, reason in signals)
    assert {row[0] for row in store.query("SELECT customer_id FROM cases")} == set(STRANGE)
    again = Detector(build.REAL, store.known_events, clock=lambda: build.NOW)
    again.resume(store.recall(build.REAL))
    more = [online(n * 10 + 1, t, device_id=t, customer_id=t, amount="900.00", event_id=f"y{t}")
            for n, t in enumerate(STRANGE)]  # fmt: skip
    batch = build.batch([*more, *log])
    work, expected = again.process("t", batch), detector.process("t", batch)
    assert work.duplicates == expected.duplicates == len(log)
    assert work.signals == expected.signals and len(work.signals) >= len(STRANGE)
    assert work.cases == expected.cases


def test_a_dead_letter_keeps_its_bytes(store: DuckDBStore) -> None:
    """Any bytes at all, and a place to find them again."""
    garbage = [bytes(range(256)), b"", b"\x00", b"\xff" * 10, "ü'\"\\".encode()]
    detector = Detector(build.REAL, store.known_events)
    letters = [Record("logins", raw, "f\u0000'", n) for n, raw in enumerate(garbage)]
    store.commit(detector.process("test", Batch(letters, "1", 0.0)))
    rows = store.query('SELECT stream, origin, "offset", raw FROM dead_letters ORDER BY "offset"')
    assert rows == [("logins", "f\u0000'", n, raw) for n, raw in enumerate(garbage)]


def test_many_dead_letters_are_no_trouble(store: DuckDBStore) -> None:
    """A whole batch of garbage is one commit like any other."""
    detector = Detector(build.REAL, store.known_events)
    letters = [Record("logins", b"garbage", "f", n) for n in range(20_000)]
    store.commit(detector.process("test", Batch(letters, "1", 0.0)))
    assert store.query('SELECT count(*), max("offset") FROM dead_letters') == [(20_000, 19_999)]


def test_positions_belong_to_their_source(store: DuckDBStore) -> None:
    """Two sources on one store do not take each other's place."""
    detector = Detector(build.REAL, store.known_events, clock=lambda: build.NOW)
    for source, position in (("a", "1"), ("b", "7"), ("a", "2")):
        store.commit(detector.process(source, build.batch([transaction()], position)))
    assert [store.position(name) for name in "abc"] == ["2", "7", None]


def test_known_events_are_found_in_every_stream_and_ingest_status(store: DuckDBStore) -> None:
    """Whatever became of an event, it is known."""
    kinds = list(build.every_kind().values())
    late, future = transaction(-5000, event_id="late"), transaction(10**8, event_id="future")
    feed(store, [*kinds, late, future])
    ids = [(build.stream_of(e), e.event_id) for e in [*kinds, late, future]]
    others = [("transactions", "unknown"), ("logins", "late"), ("alerts", "")]
    assert store.known_events([*ids, *others]) == set(ids)
    assert store.known_events([]) == set()


def test_counts_of_a_run_are_added_up(store: DuckDBStore) -> None:
    """Duplicates leave no row, so they are counted."""
    one = transaction(0, event_id="one")
    feed(store, [one, one], [one, one, one])
    assert store.query("SELECT duplicates, watermark FROM progress") == [(4, build.moment(0))]


def test_what_an_analyst_decided_survives_new_evidence(store: DuckDBStore) -> None:
    """Detection updates what the case says, never who has it or what was decided."""
    out = {"transaction_type": "CASH_WITHDRAWAL"}
    detector = feed(store, [cash(0, **out), cash(1, **out)])
    [case] = store.rows("SELECT * FROM mv_open_fraud_cases")
    act(store.people(), Principal("kim", "analyst"), case, "claim")
    store.commit(detector.process("test", build.batch([cash(2, amount="9100.00", **out)], "2")))
    columns = "status, owner, signal_count, exposure"
    assert store.query(f"SELECT {columns} FROM mv_open_fraud_cases") == [
        ("IN_REVIEW", "kim", 2, Decimal("28100.00"))
    ]


def test_a_withdrawn_signal_leaves_every_table(store: DuckDBStore) -> None:
    """Signals, attributions and risk go; its case stays and says that nothing supports it."""
    feed(
        store,
        [online(100, device_id="d-9", amount="900.00"), *(login(99) for _ in range(3))],
        [profile(50, devices=["d-9"], accounts=["acc-1"])],
    )
    assert store.query("SELECT DISTINCT pattern FROM fraud_signals") == [("brute_force_login",)]
    assert store.query("SELECT count(*) FROM account_signals") == [(3,)]
    assert store.query("SELECT occurred_at, risk_score FROM risk_history") == [
        (build.moment(99), 0.25)
    ]
    assert store.query("SELECT withdrawn, score FROM cases") == [(True, 0.25)]


def test_rules_may_change_between_two_runs(tmp_path: Path) -> None:
    """Views follow the rules in force; what was found before stays."""
    path = tmp_path / "s.duckdb"
    store = DuckDBStore(path, build.REAL)
    feed(store, [cash(0), cash(1)])
    store.close()
    other = build.rules_of(build.block("burst", threshold=1))
    store = DuckDBStore(path, other)
    assert store.query("SELECT count(*) FROM mv_burst") == [(0,)]
    assert store.query("SELECT count(*) FROM mv_fraud_signals") == [(1,)]
    store.close()


def test_rows_that_are_there_already_are_replaced(tmp_path: Path) -> None:
    """A commit that takes its rows for new, and is wrong, is written all the same, and whole."""
    with closing(DuckDBStore(tmp_path / "s.duckdb", build.SHIPPED)) as store:
        detector = Detector(build.SHIPPED, store.known_events, clock=lambda: build.NOW)
        log = [build.transaction(n, event_id=f"v{n}") for n in range(5)]
        work = detector.process("test", build.batch(log))
        store.commit(work)
        before = build.tables(store)
        # The same findings again, as after a version of a rule that had forgotten them.
        work.events.clear()
        work.duplicates = 0
        store.commit(work)
        assert build.tables(store) == before
        assert store.query("SELECT count(*) FROM fraud_signals") == [(1,)]
