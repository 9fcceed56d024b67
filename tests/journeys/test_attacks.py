"""Attacks on the files, the terminal and the clock that once went through."""

import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from msgspec.structs import replace
from rich.console import Console

from detector.adapters.duckdb.at_rest import StoreFile
from detector.adapters.duckdb.store import DuckDBStore
from detector.cli.live import LiveView
from detector.cli.output import print_rows
from detector.core.errors import InputError
from detector.pipeline.detector import Detector
from detector.pipeline.tally import Tally
from detector.pipeline.work import Batch
from tests import build

EVIL = "acc[/red]boom\x1b]0;owned\x07"


def replayed(folder: Path, store: Path, *more: str) -> "subprocess.CompletedProcess[str]":
    """`fraud replay` as it is typed."""
    return subprocess.run(
        [sys.executable, "-m", "detector.cli", "replay", str(folder), "--store", str(store), *more],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


def parquet(folder: Path, columns: str) -> None:
    """A file of transactions with these columns."""
    folder.mkdir()
    where = folder / "transactions.parquet"
    duckdb.connect().execute(f"COPY (SELECT {columns}) TO '{where}' (FORMAT parquet)")


def test_a_column_name_cannot_write_a_file(tmp_path: Path) -> None:
    """Names of columns come from outside, and never become SQL."""
    stolen = tmp_path / "stolen.csv"
    name = f"x') AS payload; COPY (SELECT 42) TO '{stolen}'; --"
    parquet(tmp_path / "in", f"'e1' AS event_id, 1 AS \"{name}\"")
    done = replayed(tmp_path / "in", tmp_path / "s.duckdb", "--set-aside", "1")
    assert done.returncode == 0, done.stderr
    assert not stolen.exists()


def test_the_store_reaches_no_other_files(tmp_path: Path) -> None:
    """Not by the connection that detection uses, nor by hand-written queries."""
    secret = tmp_path / "secret.csv"
    secret.write_text("a\n1\n")
    store = DuckDBStore(tmp_path / "data" / "s.duckdb", build.REAL)
    with pytest.raises(duckdb.PermissionException):
        store.query(f"SELECT * FROM read_csv('{secret}')")
    with pytest.raises(duckdb.Error):
        store.query("SET enable_external_access = true")
    store.close()
    file = StoreFile(tmp_path / "data" / "s.duckdb")
    for query in (
        f"SELECT * FROM read_csv('{secret}')",
        f"COPY (SELECT 1) TO '{tmp_path / 'out.csv'}'",
        "SET memory_limit = '1KB'",
        "SET threads = 64",
        "INSTALL httpfs",
    ):
        with pytest.raises(InputError):
            file.answer(query)
    file.close()


@pytest.mark.parametrize(
    ("amount", "kept"),
    [
        ("1e30::DOUBLE", None), ("'nan'::DOUBLE", None), ("'inf'::DOUBLE", None),
        ("12.345::DOUBLE", None), ("-0.004::DOUBLE", None), ("12.345::DECIMAL(9, 3)", None),
        ("12.34::DOUBLE", "12.34"), ("12::INTEGER", "12.00"), ("12.50::DECIMAL(9, 2)", "12.50"),
    ],
)  # fmt: skip
def test_a_bad_amount_in_parquet_stops_nothing(
    tmp_path: Path, amount: str, kept: str | None
) -> None:
    """It is a dead letter, as the same text in JSON would be."""
    fields = [
        f"'{value}' AS {name}"
        for name, value in {
            "event_id": "e1", "occurred_at": "2026-01-05T09:00:00Z", "transaction_id": "t1",
            "account_id": "acc-1", "customer_id": "cust-1", "transaction_type": "PURCHASE",
            "channel": "POS", "currency": "AUD", "status": "APPROVED",
        }.items()
    ]  # fmt: skip
    parquet(tmp_path / "in", ", ".join([*fields, "true AS card_present", f"{amount} AS amount"]))
    done = replayed(tmp_path / "in", tmp_path / "s.duckdb", "--set-aside", "1")
    assert done.returncode == 0, done.stderr
    store = DuckDBStore(tmp_path / "s.duckdb", build.REAL)
    stored = store.query("SELECT amount::VARCHAR FROM transactions")
    dead = store.query("SELECT count(*) FROM dead_letters")
    store.close()
    assert stored == ([(kept,)] if kept else []) and dead == [(0 if kept else 1,)]


def test_ids_are_data_on_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """Neither markup nor escape sequences reach it from a table."""
    print_rows("Cases", ["account", "n"], [[EVIL, 1]])
    shown = capsys.readouterr().out
    assert "[/red]boom" in shown and "\x1b]" not in shown and "\\x1b" in shown


def test_the_live_view_goes_on_with_strange_ids() -> None:
    """An id such as `[/red]boom` once froze it."""
    tally = Tally(build.REAL)
    ledger = build.detect([[build.cash(n, "acc[/red]", customer_id="c[/b]") for n in range(3)]])
    tally.newest.extend(ledger.signals.values())
    tally.cases.update(ledger.cases)
    view = LiveView(tally, build.REAL, list, "store [/x]\x1b[31m")
    console = Console(record=True, width=200, height=40, force_terminal=True)
    console.print(view.render())
    text = console.export_text()
    assert "acc[/red]" in text and "c[/b]" in text and "[/x]\\x1b[31m" in text


def _at(hours: float, customer: str, event_id: str) -> Any:
    return build.transaction(
        hours * 3600, f"acc-{customer}", customer_id=customer, event_id=event_id
    )


def test_live_scores_during_a_backlog_make_none_of_it_late() -> None:
    """A source that is hours behind, and two customers who pay now through the API."""
    detector = Detector(build.REAL, lambda ids: set(), lambda: build.moment(10 * 3600))
    backlog = [_at(n / 100, f"c{n % 7}", f"b{n}") for n in range(100)]
    first = detector.process("kafka", build.batch(backlog[:50], "1"))
    now = [_at(9.9, "live-1", "n1"), _at(9.91, "live-2", "n2"), _at(9.92, "live-3", "n3")]
    live = detector.process("", Batch(build.records(now), "", 0.0))
    second = detector.process("kafka", build.batch(backlog[50:], "2"))
    assert [work.count("late") for work in (first, live, second)] == [0, 0, 0]
    assert second.count("evaluated") == 50


def test_a_partition_whose_clock_is_ahead_makes_the_others_no_later() -> None:
    """All customers of one partition an hour ahead; the other partition is read as ever."""
    detector = Detector(build.REAL, lambda ids: set(), lambda: build.moment(10 * 3600))
    late = 0
    for step in range(20):
        right = [_at(step / 60 + n / 3600, f"r{n}", f"r{step}-{n}") for n in range(10)]
        wrong = [_at(1 + step / 60 + n / 3600, f"w{n}", f"w{step}-{n}") for n in range(10)]
        records = [replace(r, origin="tx[0]") for r in build.records(right)]
        records += [replace(r, origin="tx[1]") for r in build.records(wrong)]
        work = detector.process("kafka", Batch(records, str(step), 0.0, by_origin=True))
        late += work.count("late")
    assert late == 0
    reached = detector.watermarks.reached
    assert reached is not None and reached <= build.moment(0) + timedelta(minutes=20)


def _quarter(step: int) -> list[Any]:
    return [_at(step / 4 + n / 360, f"c{n}", f"e{step}-{n}") for n in range(10)]


@pytest.mark.parametrize(
    "other",
    [
        lambda step: build.profile(3600 * step / 4, event_id=f"p{step}"),
        lambda step: _at(20 + step, "fast", f"f{step}"),
        lambda step: _at(-5, "slow", f"s{step}") if step else _at(0, "slow", "s0"),
        lambda step: _at(-5, f"slow{step}", f"s{step}"),
    ],
    ids=["profiles", "the future", "lateness", "lateness from the start"],
)
def test_a_partition_of_nothing_but(other: Callable[[int], Any]) -> None:
    """It moves no time itself, and keeps none from moving: else nothing would be forgotten."""
    detector = Detector(build.REAL, lambda ids: set(), lambda: build.moment(10 * 3600))
    detector.watermarks.expect("kafka", time.monotonic())
    for step in range(12):
        records = [replace(r, origin="tx[0]") for r in build.records(_quarter(step))]
        records += [replace(r, origin="odd[0]") for r in build.records([other(step)])]
        detector.process("kafka", Batch(records, str(step), 0.0, by_origin=True))
    final = detector.watermarks.final
    assert final is not None and final >= build.moment(2.5 * 3600)
    assert len(detector._recent["transactions"]) < 60


def test_requests_from_the_future_keep_no_time_from_moving() -> None:
    """They are set aside, and a source beside them is forgotten as ever."""
    detector = Detector(build.REAL, lambda ids: set(), lambda: build.moment(10 * 3600))
    for step in range(12):
        detector.process("files", build.batch(_quarter(step), str(step)))
        future = build.records([_at(20 + step, "fast", f"f{step}")])
        detector.process("", Batch(future, "", 0.0))
    final = detector.watermarks.final
    assert final is not None and final >= build.moment(2.5 * 3600)


def test_an_idle_partition_does_not_hold_the_others_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """After the lateness, by the clock, it counts no longer."""
    clock = [1000.0]
    monkeypatch.setattr("detector.pipeline.detector.time.monotonic", lambda: clock[0])
    detector = Detector(build.REAL, lambda ids: set(), lambda: build.moment(10 * 3600))
    for step in range(8):
        events = [_at(step, f"c{n}", f"e{step}-{n}") for n in range(3)]
        records = [replace(r, origin="tx[0]") for r in build.records(events)]
        if step == 0:
            records += [
                replace(r, origin="tx[1]")
                for r in build.records([_at(0, f"d{n}", f"d{n}") for n in range(3)])
            ]
        detector.process("kafka", Batch(records, str(step), 0.0, by_origin=True))
        clock[0] += 120.0
    reached = detector.watermarks.reached
    assert reached is not None and reached >= build.moment(6 * 3600)
