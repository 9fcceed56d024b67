"""`fraud backtest` runs the models over files and reports per pattern and per day."""

import json
import resource
import sys
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from detector.adapters.bank_files import bank_settings, write_bank
from detector.adapters.dbt_models import event_files
from detector.analysis.backtest import backtest
from detector.core.errors import InputError
from producers.crime import SCENARIOS
from tests import build
from tests.dbt.conftest import write_log

DAY = 86_400


def history(folder: Path) -> Path:
    """Two days: a burst and structured cash on the first, a pause on the second."""
    write_log(
        folder,
        [
            *(build.transaction(at, event_id=f"t{at}") for at in (0, 1, 2, 3, 4)),
            *(build.cash(at, event_id=f"c{at}") for at in (100, 200)),
            build.transaction(DAY, "acc-2", event_id="quiet"),
        ],
    )
    return folder


def test_it_reports_per_pattern_and_per_day(tmp_path: Path) -> None:
    """Signals, subjects, accounts and amounts; a day without signals counts zero."""
    report = backtest([history(tmp_path)], build.REAL)
    assert report["events"] == 8 and report["rejected"] == 0
    assert report["patterns"]["velocity"] == {
        "signals": 1,
        "subjects": 1,
        "accounts": 1,
        "amount": Decimal("20.00"),
    }
    assert report["patterns"]["compound"]["signals"] == 0
    assert report["cases"] == {"critical": 1, "high": 0, "medium": 0}
    first, second = report["days"]
    assert first["day"] == date(2026, 1, 5) and first["velocity"] == first["structuring"] == 1
    assert first["cases"] == 1
    assert second["transactions"] == 1 and second["signals"] == second["velocity"] == 0


def test_files_may_be_parquet_or_split(tmp_path: Path) -> None:
    """The same events in two files, one of them Parquet with real types, give the same report."""
    folder = history(tmp_path)
    whole = backtest([folder], build.REAL)
    with duckdb.connect() as db:
        db.execute("SET TimeZone = 'UTC'")
        db.execute(
            "CREATE TABLE t AS SELECT * REPLACE (occurred_at::TIMESTAMPTZ AS occurred_at, "
            f"amount::DECIMAL(18, 2) AS amount) FROM read_json('{folder}/transactions.jsonl')"
        )
        parts = [tmp_path / "transactions-1.parquet", tmp_path / "transactions-2.parquet"]
        db.execute(f"COPY (FROM t WHERE channel = 'POS') TO '{parts[0]}'")
        db.execute(f"COPY (FROM t WHERE channel <> 'POS') TO '{parts[1]}'")
    split = backtest(parts, build.REAL)
    timing = {"seconds", "events_per_s"}
    assert {k: v for k, v in split.items() if k not in timing} == {
        k: v for k, v in whole.items() if k not in timing
    }


def test_truth_gives_precision_and_recall(tmp_path: Path) -> None:
    """By the definitions of `fraud evaluate`."""
    folder = tmp_path / "bank"
    settings = bank_settings(seed=4, fraud_rate=0.1, customer_pool_size=500)
    write_bank(folder, settings, 10_000, build.START)
    report = backtest([folder], build.REAL, truth=folder / "truth.jsonl")
    judged = report["truth"]["patterns"]
    assert all(judged[name]["precision"] == 1 for name in SCENARIOS if judged[name]["signals"])
    assert judged["velocity"]["recall"] == 1


def test_dispositions_give_precision(tmp_path: Path) -> None:
    """What analysts confirmed and refuted, of the cases that would open today."""
    folder = history(tmp_path)
    kept = tmp_path / "fraud.duckdb"
    backtest([folder], build.REAL, keep=kept)
    with duckdb.connect(str(kept)) as db:
        case_id = db.execute("SELECT case_id FROM mv_open_fraud_cases").fetchall()[0][0]
    rows = [
        {"case_id": case_id, "disposition": "CONFIRMED_FRAUD"},
        {"case_id": "case_of_old_rules", "disposition": "CONFIRMED_SCAM"},
    ]
    path = tmp_path / "decided.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    report = backtest([folder], build.REAL, dispositions=path)
    assert report["dispositions"]["by_level"]["critical"] == {
        "decided": 1,
        "confirmed": 1,
        "false_positives": 0,
        "precision": 1.0,
    }
    assert report["dispositions"]["confirmed_but_no_longer_found"] == 1


def test_memory_does_not_grow_with_history(tmp_path: Path) -> None:
    """A history larger than the memory allowed goes to disk."""
    line = build.raw(build.transaction(event_id="x"))
    with (tmp_path / "transactions.jsonl").open("wb") as file:
        for n in range(200_000):
            file.write(line.replace(b'"x"', b'"e%d"' % n).replace(b"acc-1", b"acc-%d" % n) + b"\n")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    report = backtest([tmp_path], build.REAL, memory="200MB")
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert report["events"] == 200_000
    assert grown < 400 * (1024**2 if sys.platform == "darwin" else 1024)


def test_a_file_must_name_its_stream(tmp_path: Path) -> None:
    """The message says what names are expected."""
    with pytest.raises(InputError, match=r"transactions-2026-01\.parquet"):
        event_files([tmp_path / "payments.jsonl"])
