"""Running the bank live and replaying files."""

import json
import os
import signal
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import duckdb
import httpx
import pytest
import yaml

from detector.adapters.rendering import variables
from detector.core.errors import InputError, StoreInUse
from detector.signals.loading import load_rules
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
    """At fifteen times the usual rate, four seconds hold every part of the summary."""
    store = tmp_path / "a.duckdb"
    summary = fraud(
        "run", "--seconds", 4, "--rate", 300, "--seed", 7, "--no-console",
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
        "run", "--seconds", 3, "--rate", 300, "--fraud-rate", 0, "--no-console",
        "--store", tmp_path / "a.duckdb", "--json",
    )  # fmt: skip
    assert summary["events"] > 800
    assert sum(summary["signals"].values()) == 0
    assert fraud("risk", "--store", tmp_path / "a.duckdb", "--json") == []


def test_a_quiet_log_of_an_hour_has_no_critical_account(tmp_path: Path, fraud: Fraud) -> None:
    """Over 40,000 benign events no account's history ever reaches critical."""
    fraud("generate", "--out", tmp_path / "q", "--events", 40_000, "--fraud-rate", 0)
    fraud("replay", tmp_path / "q", "--store", tmp_path / "q.duckdb", "--json")
    with duckdb.connect(tmp_path / "q.duckdb", read_only=True) as db:
        assert db.execute("SELECT count(*) FROM stg_transactions").fetchall()[0][0] > 20_000
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
    deadline = time.monotonic() + 60
    log, sizes = store.with_name("a.duckdb.wal"), set[int]()
    while len(sizes) < 10 and time.monotonic() < deadline:  # it grows with every commit
        assert run.poll() is None, run.communicate()
        sizes |= {log.stat().st_size} if log.exists() else set()
        time.sleep(0.02)
    run.send_signal(number)
    out, errors = run.communicate(timeout=30)
    assert run.returncode == 0, errors
    assert json.loads(out)["events"] > 0


def test_ctrl_c_is_quiet_with_an_open_page_and_sql_is_answered_beside_it(
    tmp_path: Path, fraud: Fraud
) -> None:
    """The stream of a page ends with the run: no traceback at the end of the first one."""
    store = tmp_path / "a.duckdb"
    run = subprocess.Popen(
        [*FRAUD, "run", "--demo", "--port", "0", "--store", str(store), "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert run.stderr is not None
    first = run.stderr.readline()
    assert first.startswith("Console: http://127.0.0.1:")
    url = first.split()[1]
    with httpx.Client(base_url=url.split("/?")[0], timeout=30) as page:
        assert page.get(url, follow_redirects=True).status_code == 200
        with page.stream("GET", "/v1/stream") as stream:
            assert next(stream.iter_bytes())
            query = "SELECT count(*) AS n, 'x' AS name FROM stg_transactions"
            [row] = fraud("sql", query, "--store", store, "--json")
            assert row["n"] >= 0 and row["name"] == "x"
            assert fraud("pattern", "versions", "velocity", "--store", store, "--json") == []
            exported = yaml.safe_load(fraud("pattern", "export", "--store", store))
            assert exported["vars"] == variables(load_rules())
            with pytest.raises(InputError, match="No version of velocity is live"):
                fraud("pattern", "rollback", "velocity", "--store", store)
            query = "SELECT min(event_id) AS id FROM logins"
            [first] = fraud("sql", query, "--store", store, "--json")
            found = fraud("explain", first["id"], "--store", store, "--json")
            assert (found["kind"], found["event_id"]) == ("event", first["id"])
            for refused in ("DELETE FROM transactions", "SELECT 1; SELECT 2", "SELECT * FROM nil"):
                with pytest.raises(InputError):
                    fraud("sql", refused, "--store", store)
            with pytest.raises(StoreInUse, match=page.base_url.host):
                fraud("validate", "--store", store)
            run.send_signal(signal.SIGINT)
            began = time.monotonic()
            out, errors = run.communicate(timeout=30)
            assert time.monotonic() - began < 10
    assert run.returncode == 0
    assert all(line.startswith("case ") for line in errors.splitlines()), errors
    assert json.loads(out)["events"] > 0


def test_a_replay_says_whether_something_is_left(
    tmp_path: Path, folder: Path, replayed: Path
) -> None:
    """Interrupted, it names the way on; repeated, it says that nothing is new."""
    command = [*FRAUD, "replay", str(folder), "--json", "--store"]
    done = subprocess.run([*command, str(replayed)], capture_output=True, text=True, check=True)
    assert f"Nothing new: {replayed} contains all of {folder}." in done.stderr
    slow = [*command, str(tmp_path / "b.duckdb"), "--batch-size", "50"]
    run = subprocess.Popen(slow, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 30
    log = tmp_path / "b.duckdb.wal"
    while not (log.exists() and log.stat().st_size > 100_000) and time.monotonic() < deadline:
        time.sleep(0.05)
    run.send_signal(signal.SIGINT)
    out, errors = run.communicate(timeout=60)
    assert json.loads(out)["events"] < 20_000
    assert "the same command goes on from here" in errors


def test_misspelt_settings_are_named(tmp_path: Path) -> None:
    """A name in .env that is almost a setting has no effect, and is said to have none."""
    (tmp_path / ".env").write_text("FRAUD_RAET=0.5\nSOMETHING_ELSE=1\nSEED=3\n")
    asked = [*FRAUD, "--version"]
    done = subprocess.run(asked, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == f"fraud {version('fraud-detection-streaming')}\n"
    assert done.stderr == ".env: FRAUD_RAET is not a setting and has no effect; FRAUD_RATE is.\n"


def test_a_setting_that_cannot_be_used_is_explained(tmp_path: Path) -> None:
    """One sentence with the name, what came and where to correct it; no library's dump."""
    asked = [*FRAUD, "run", "--port", "99999"]
    done = subprocess.run(asked, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("fraud: CONSOLE_PORT is 99999: Input should be less than")
    assert done.stderr.count("\n") == 1 and "pydantic" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def _sorted(rows: list[dict[str, Any]]) -> list[str]:
    return sorted(json.dumps(row, sort_keys=True) for row in rows)
