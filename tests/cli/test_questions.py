"""Questions to a store, and how the command speaks when something is wrong."""

import json
import shutil
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import duckdb
import pytest

from detector.adapters.database import connect
from detector.adapters.duckdb.store import DuckDBStore
from detector.adapters.people.in_force import in_force
from detector.adapters.rendering import variables
from detector.cases.principals import Principal
from detector.core.errors import InputError, StoreError
from detector.signals.loading import load_rules
from tests.build import REAL
from tests.cli.conftest import Fraud


def test_risk_lists_accounts_highest_first(fraud: Fraud, replayed: Path) -> None:
    """Scores lie in (0, 1] and fall; each row names its patterns."""
    rows = fraud("risk", "--store", replayed, "--json")
    scores = [row["risk_score"] for row in rows]
    assert rows and scores == sorted(scores, reverse=True)
    assert all(0 < score <= 1 for score in scores)
    assert all(row["patterns"] for row in rows)


def test_cases_say_what_to_do_and_by_when(fraud: Fraud, replayed: Path) -> None:
    """An open case weighs or exposes enough, has an action, a due time and a KYC tier."""
    rows = fraud("cases", "--store", replayed, "--limit", 1000, "--json")
    assert rows
    for row in rows:
        assert row["score"] >= 0.5 or float(row["exposure"]) >= 1000
        assert row["due_at"] > row["opened_at"]
        assert row["recommended_action"] != "MONITOR"
        assert row["kyc_risk_tier"] in ("LOW", "MEDIUM", "HIGH")


def test_structuring_is_referred_never_blocked(fraud: Fraud, replayed: Path) -> None:
    """A case that rests on structuring alone must not tip the customer off."""
    rows = fraud("cases", "--store", replayed, "--limit", 1000, "--json")
    alone = [row for row in rows if row["patterns"] == ["structuring"]]
    assert alone
    assert {row["recommended_action"] for row in alone} == {"REFER_AML"}


def test_kpis_and_fraud_rate_agree_with_the_store(fraud: Fraud, replayed: Path) -> None:
    """The minutes add up to all transactions; the rate is flagged over transactions."""
    minutes = fraud("kpis", "--store", replayed, "--limit", 10_000, "--json")
    overall = fraud("fraud-rate", "--store", replayed, "--json")[-1]
    assert overall["span"] == "all"
    assert sum(m["transactions"] for m in minutes) == overall["transactions"] > 0
    assert sum(m["flagged"] for m in minutes) == overall["flagged"] > 0
    share = 100 * overall["flagged"] / overall["transactions"]
    assert overall["fraud_rate_pct"] == pytest.approx(share, abs=0.01)


def test_status_counts_what_the_store_holds(fraud: Fraud, replayed: Path) -> None:
    """All generated events are there, none dead or late."""
    found = fraud("status", "--store", replayed, "--json")
    assert sum(found["events"].values()) == 20_000
    assert found["dead_letters"] == found["late"] == found["future"] == 0
    assert len(found["signals"]) >= 7


def test_validate_passes_on_a_sound_store(fraud: Fraud, replayed: Path) -> None:
    """All views answer and every promise holds."""
    found = fraud("validate", "--store", replayed, "--json")
    assert found["ok"]
    views = [c for c in found["checks"] if c["check"].startswith("view ")]
    assert len(views) == 11 + len(REAL.patterns)


@pytest.mark.parametrize(
    ("damage", "promise"),
    [
        ("DELETE FROM transactions WHERE true", "every signal is about a stored event"),
        ("UPDATE risk_history SET risk_score = 1.5", "risk scores lie within 0 and 1"),
        ("DELETE FROM fraud_signals WHERE true", "every attribution has its signal"),
        ("INSERT INTO logins SELECT * FROM logins LIMIT 1", "no event is stored twice"),
        ("UPDATE fraud_signals SET observed = 0", "every signal meets its threshold"),
        ("DELETE FROM risk_history WHERE true", "every account signal has a risk score"),
        ("UPDATE cases SET signal_count = 0", "every open case has signals"),
    ],
)
def test_validate_names_the_broken_promise(
    tmp_path: Path, fraud: Fraud, replayed: Path, damage: str, promise: str
) -> None:
    """Damage to the store makes the check of that promise fail, and the exit code 1."""
    copy = tmp_path / "copy.duckdb"
    copy.write_bytes(replayed.read_bytes())
    with duckdb.connect(copy) as db:
        db.execute(damage)
    found = fraud("validate", "--store", copy, "--json", expect=1)
    assert promise in [c["check"] for c in found["checks"] if not c["ok"]]


def test_sql_answers_and_cannot_write(fraud: Fraud, replayed: Path) -> None:
    """A query reads; the store, and the files around it, are out of its reach."""
    rows = fraud("sql", "SELECT count(*) AS n FROM mv_fraud_signals", "--store", replayed, "--json")
    assert rows[0]["n"] > 0
    for query in (
        "DELETE FROM cases",
        "COPY cases TO 'out.csv'",
        "FROM read_csv('pyproject.toml')",
    ):
        with pytest.raises(InputError):
            fraud("sql", query, "--store", replayed)


@pytest.mark.parametrize("command", ["risk", "cases", "kpis", "fraud-rate", "status", "validate"])
def test_a_missing_store_is_explained(tmp_path: Path, fraud: Fraud, command: str) -> None:
    """The message says how a store comes to be."""
    with pytest.raises(StoreError, match="fraud run"):
        fraud(command, "--store", tmp_path / "none.duckdb")


@pytest.mark.parametrize("command", ["risk", "cases", "kpis", "fraud-rate", "status", "validate"])
def test_tables_are_readable_without_a_terminal(fraud: Fraud, replayed: Path, command: str) -> None:
    """Without --json a person gets a table with something in it."""
    assert len(fraud(command, "--store", replayed).splitlines()) > 4


def test_a_store_in_use_is_explained_on_one_line(replayed: Path) -> None:
    """Two processes cannot share the file; the second says who holds it, and exits with 2."""
    with duckdb.connect(replayed):
        done = subprocess.run(
            [sys.executable, "-m", "detector.cli", "risk", "--store", str(replayed)],
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 2
    assert "in use by another process" in done.stderr
    assert "--store" in done.stderr
    assert "Traceback" not in done.stderr


def test_bad_settings_are_named(tmp_path: Path) -> None:
    """A fraud rate of 2 is refused with its name and what is allowed."""
    done = subprocess.run(
        [sys.executable, "-m", "detector.cli", "run", "--fraud-rate", "2"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 2
    assert "FRAUD_RATE" in done.stderr and "0 to 1" in done.stderr


def test_bench_prints_the_three_speeds_beside_each_other(fraud: Fraud) -> None:
    """Decoding alone, the engine and the pipeline are measured in the same run."""
    found = fraud("bench", "--events", 2000, "--json")
    speeds = ("decode_events_per_s", "engine_events_per_s", "pipeline_events_per_s")
    assert all(found[name] > 0 for name in speeds)
    assert found["events"] == 2000
    assert json.dumps(found["machine"])


def test_a_change_is_previewed_on_files_and_on_a_store(
    fraud: Fraud, folder: Path, replayed: Path, tmp_path: Path
) -> None:
    """One value in detail, several in a row with a drawing; wrong arguments are explained."""
    asked = ("pattern", "preview", "velocity")
    found = fraud(*asked, folder, "--set", "threshold=4", "--json")
    assert found["after"]["signals"] > found["before"]["signals"]
    assert found["after"]["truth"]["precision"] < 1
    stored = fraud(*asked, "--store", replayed, "--set", "threshold=4", "--json")
    assert stored["after"]["cases"] == found["after"]["cases"]
    sweep = (*asked, folder, "--sweep", "threshold=4,5,6", "--plot", tmp_path / "s.svg")
    points = fraud(*sweep, "--json")["points"]
    assert [point["threshold"] for point in points] == [4, 5, 6]
    assert sum(point["knee"] for point in points) == 1
    assert "<svg" in (tmp_path / "s.svg").read_text()
    shown = fraud(*asked, folder, "--sweep", "threshold=4,6")
    assert "* has the best trade-off" in shown and "█" in shown
    for wrong, message in ((("threshold=4",), "--set KEY=VALUE"), (("--set", "x"), "not KEY=")):
        with pytest.raises(InputError, match=message):
            fraud(*asked, *(wrong if "--set" in wrong else ()), "--store", replayed)


def test_a_version_is_listed_and_taken_back(fraud: Fraud, replayed: Path, tmp_path: Path) -> None:
    """By the shell's user, where nothing runs; without a live version it says so."""
    store = tmp_path / "copy.duckdb"
    shutil.copy(replayed, store)
    with closing(DuckDBStore(store, REAL)) as opened:
        versions = opened.people().rule_versions
        versions.propose(Principal("kim", "supervisor"), "velocity", {"threshold": 4}, "Less.", {})
        versions.approve(Principal("sam", "supervisor"), "velocity", 1)
    [version] = fraud("pattern", "versions", "velocity", "--store", store, "--json")
    assert (version["state"], version["changes"], version["decided_by"]) == (
        "live",
        {"threshold": 4},
        "sam",
    )
    fraud("pattern", "export", "--store", store, "--out", tmp_path / "rules.yml")
    with closing(connect(store, read_only=True)) as db:
        assert variables(load_rules(tmp_path / "rules.yml")) == variables(
            in_force(db, load_rules())
        )
    assert fraud("pattern", "export", "--store", store) == (tmp_path / "rules.yml").read_text()
    answer = fraud("pattern", "rollback", "velocity", "--store", store, "--json")
    assert answer == {"pattern": "velocity", "version": 0}
    assert "retired" in fraud("pattern", "versions", "velocity", "--store", store)
    with pytest.raises(InputError, match="the file is in force"):
        fraud("pattern", "rollback", "velocity", "--store", store)
    with pytest.raises(InputError, match="no pattern velocty"):
        fraud("pattern", "rollback", "velocty", "--store", store)
    with closing(DuckDBStore(store, REAL)) as opened:
        assert opened.people().audit.entries(1)[0].actor.startswith("shell:")


def test_a_report_is_printed_or_written(fraud: Fraud, replayed: Path, tmp_path: Path) -> None:
    """Of the events of the period; a page where the file ends so, and nothing else."""
    asked = ("report", "--store", replayed, "--days", 36500)
    found = fraud(*asked, "--json")
    velocity = next(row for row in found["patterns"] if row["pattern"] == "velocity")
    [row] = fraud(
        "sql",
        "SELECT count(*) AS n FROM fraud_signals WHERE pattern = 'velocity'",
        "--store",
        replayed,
        "--json",
    )
    assert velocity["signals"] == row["n"] > 0
    assert "## Rules" in fraud(*asked)
    assert "written" in fraud(*asked, "--out", tmp_path / "week.html")
    assert (tmp_path / "week.html").read_text("utf-8").startswith("<!doctype html>")
    with pytest.raises(InputError, match="neither"):
        fraud(*asked, "--out", tmp_path / "week.pdf")
