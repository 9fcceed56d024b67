"""Running the bank live and replaying files."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.cli.conftest import Fraud

SUMMARY_KEYS = {
    "events",
    "signals",
    "cases",
    "dead_letters",
    "duplicates",
    "late",
    "events_per_s",
    "latency_ms",
}
FRAUD = [sys.executable, "-m", "detector.cli"]


def test_a_live_run_finds_fraud_within_the_time_promised(tmp_path: Path, fraud: Fraud) -> None:
    """At eight times the usual rate, seven seconds hold every part of the summary."""
    store = tmp_path / "a.duckdb"
    summary = fraud(
        "run", "--seconds", 7, "--rate", 160, "--seed", 7, "--no-console",
        "--store", store, "--json",
    )  # fmt: skip
    assert set(summary) >= SUMMARY_KEYS
    assert summary["events"] > 1000
    assert summary["dead_letters"] == summary["duplicates"] == summary["late"] == 0
    assert sum(summary["signals"].values()) > 0
    assert 0 < summary["latency_ms"]["p50"] <= summary["latency_ms"]["p99"]


def test_a_quiet_bank_has_no_signal_at_all(tmp_path: Path, fraud: Fraud) -> None:
    """With fraud rate 0 the look-alikes alone raise nothing, so no account is critical."""
    summary = fraud(
        "run", "--seconds", 5, "--rate", 160, "--fraud-rate", 0, "--no-console",
        "--store", tmp_path / "a.duckdb", "--json",
    )  # fmt: skip
    assert summary["events"] > 800
    assert sum(summary["signals"].values()) == 0
    assert fraud("risk", "--store", tmp_path / "a.duckdb", "--json") == []


def test_a_quiet_log_of_an_hour_has_no_critical_account(tmp_path: Path, fraud: Fraud) -> None:
    """Over 100,000 benign events no account's history ever reaches critical."""
    fraud("generate", "--out", tmp_path / "q", "--events", 100_000, "--fraud-rate", 0)
    fraud("replay", tmp_path / "q", "--store", tmp_path / "q.duckdb", "--json")
    with duckdb.connect(tmp_path / "q.duckdb", read_only=True) as db:
        assert db.execute("SELECT count(*) FROM stg_transactions").fetchall()[0][0] > 50_000
        assert db.execute("FROM risk_history WHERE risk_level = 'critical'").fetchall() == []


def test_after_a_fraudulent_past_a_quiet_bank_calms_down(
    tmp_path: Path, fraud: Fraud, folder: Path
) -> None:
    """Going on quietly on the same store, no account is critical two minutes of events later."""
    store = tmp_path / "a.duckdb"
    fraud("replay", folder, "--store", store, "--json")
    with duckdb.connect(store, read_only=True) as db:
        watermark = db.execute("SELECT watermark::VARCHAR FROM progress").fetchall()[0][0]
        assert db.execute("FROM risk_history WHERE risk_level = 'critical'").fetchall()
    fraud(
        "generate", "--out", tmp_path / "q", "--events", 6000, "--fraud-rate", 0,
        "--start", watermark[:19],
    )  # fmt: skip
    fraud("replay", tmp_path / "q", "--store", store, "--json")
    risks = fraud("risk", "--store", store, "--limit", 10_000, "--json")
    assert [r for r in risks if r["risk_level"] == "critical"] == []
    assert all(r["as_of"] > watermark[:10] for r in risks)


def test_replaying_twice_gives_the_same_answers(
    tmp_path: Path, fraud: Fraud, folder: Path, replayed: Path
) -> None:
    """Signals, risk history and cases, ids included, are repeatable."""
    fraud("replay", folder, "--store", tmp_path / "b.duckdb", "--batch-size", 777, "--json")
    for table in ("fraud_signals", "account_signals", "risk_history", "cases"):
        first, second = (
            _sorted(fraud("sql", f"SELECT * FROM {table}", "--store", store, "--json"))
            for store in (replayed, tmp_path / "b.duckdb")
        )
        assert first == second, table


def test_a_finished_replay_has_nothing_left_to_do(
    fraud: Fraud, folder: Path, replayed: Path
) -> None:
    """The position is kept, so the same folder is not read a second time."""
    summary = fraud("replay", folder, "--store", replayed, "--json")
    assert summary["events"] == summary["duplicates"] == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_run_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    """Ctrl-C and SIGTERM finish the batch at hand, print the summary and exit with 0."""
    store = tmp_path / "a.duckdb"
    run = subprocess.Popen(
        [*FRAUD, "run", "--no-console", "--store", str(store), "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "TRANSACTION_RATE": "20"},
    )
    deadline = time.monotonic() + 30
    while not store.with_name("a.duckdb.wal").exists() and time.monotonic() < deadline:
        assert run.poll() is None, run.communicate()
        time.sleep(0.05)
    time.sleep(1)
    run.send_signal(number)
    out, errors = run.communicate(timeout=30)
    assert run.returncode == 0, errors
    assert json.loads(out)["events"] > 0


def _sorted(rows: list[dict[str, Any]]) -> list[str]:
    return sorted(json.dumps(row, sort_keys=True) for row in rows)
