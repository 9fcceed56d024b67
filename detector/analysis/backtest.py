"""Backtest: the dbt models in batch over history, with a report per pattern and per day."""

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import duckdb

from detector.adapters.database import literal
from detector.adapters.dbt_models import (
    STAGING,
    event_files,
    load,
    open_database,
    run,
)
from detector.adapters.rendering import PROJECT, rendered
from detector.analysis.evaluate import judge
from detector.core.data import JsonObject
from detector.core.errors import InputError
from detector.core.events import STREAMS
from detector.signals.rules import Rules

MEMORY = "2GB"
CONFIRMED = ("CONFIRMED_FRAUD", "CONFIRMED_SCAM")
REFUTED = "FALSE_POSITIVE"
RESULTS = ("mv_fraud_signals", "account_signals", "risk_history", "mv_open_fraud_cases")


def backtest(
    paths: Sequence[Path],
    rules: Rules,
    truth: Path | None = None,
    dispositions: Path | None = None,
    memory: str = MEMORY,
    keep: Path | None = None,
    project: Path = PROJECT,
) -> JsonObject:
    """Run the models over the files and report the results.

    All events count, in any order. `seconds` is the time from reading to the last view, without
    compiling. Raises `InputError` when `keep` already exists.
    """
    files = event_files(paths)
    for given in (truth, dispositions):
        if given is not None and not given.is_file():
            raise InputError(f"{given} is not a file.")
    if keep is not None and keep.exists():
        raise InputError(f"{keep} already exists. Name a new file.")
    with (
        tempfile.TemporaryDirectory() as scratch,
        open_database(keep, memory, spill=Path(scratch)) as db,
    ):
        began = time.monotonic()
        typed = load(db, files, allow_typed=True)
        models = rendered(rules, project, typed=typed)
        run(db, models.models if keep else models.needed_for([*STAGING, *RESULTS]))
        seconds = time.monotonic() - began
        report = _report(db, rules, seconds)
        if truth is not None:
            report["truth"] = judged(db, truth, rules)
        if dispositions is not None:
            report["dispositions"] = _disposed(db, dispositions)
    return report


def _report(db: duckdb.DuckDBPyConnection, rules: Rules, seconds: float) -> JsonObject:
    by_stream = {
        stream: db.execute(f"SELECT count(*) FROM stg_{stream}").fetchall()[0][0]
        for stream in STREAMS
    }
    distinct = "SELECT count(DISTINCT event_id) FROM src_"
    read = sum(db.execute(f"{distinct}{stream}").fetchall()[0][0] for stream in STREAMS)
    events = sum(by_stream.values())
    found = {row[0]: row[1:] for row in db.execute(_PATTERNS).fetchall()}
    patterns = {}
    for name in rules.patterns:
        signals, subjects, accounts, amount = found.get(name, (0, 0, 0, 0))
        patterns[name] = {
            "signals": signals,
            "subjects": subjects,
            "accounts": accounts,
            "amount": amount,
        }
    per_pattern = ", ".join(
        f"count(*) FILTER (WHERE pattern = '{name}') AS \"{name}\"" for name in rules.patterns
    )
    zeroed = ", ".join(f'coalesce("{name}", 0) AS "{name}"' for name in rules.patterns)
    days = db.execute(_DAYS.format(per_pattern=per_pattern, columns=zeroed))
    names = [column[0] for column in days.description or ()]
    by_day = [dict(zip(names, row, strict=True)) for row in days.fetchall()]
    levels = dict(
        db.execute("SELECT level, count(*) FROM mv_open_fraud_cases GROUP BY level").fetchall()
    )
    return {
        "events": events,
        "rejected": read - events,
        "by_stream": by_stream,
        "seconds": round(seconds, 3),
        "events_per_s": round(events / seconds, 1) if seconds else 0.0,
        "patterns": patterns,
        "cases": {level: levels.get(level, 0) for level in ("critical", "high", "medium")},
        "days": by_day,
    }


def judged(db: duckdb.DuckDBPyConnection, truth: Path, rules: Rules) -> JsonObject:
    """What the models found against the truth, by the definitions of `fraud evaluate`."""
    latest = " UNION ALL ".join(
        f"SELECT max(occurred_at) AS latest FROM {name}"
        for name in STAGING
        if name != "stg_kyc_profiles"
    )
    # What a store has under these names.
    views = {
        "fraud_signals": "SELECT * FROM mv_fraud_signals",
        "transactions": "SELECT * FROM stg_transactions",
        "progress": f"SELECT max(latest) AS watermark FROM ({latest})",
    }
    for name, query in views.items():
        db.execute(f"CREATE VIEW {name} AS {query}")
    try:
        return judge(db, truth, rules)
    finally:
        for name in views:
            db.execute(f"DROP VIEW {name}")


def _disposed(db: duckdb.DuckDBPyConnection, path: Path) -> JsonObject:
    """The dispositions of the cases that detection would open today."""
    name = literal(str(path))
    rows = db.execute(
        f"SELECT c.level, count(*), count(*) FILTER (WHERE d.disposition IN {CONFIRMED}), "
        "count(*) FILTER (WHERE d.disposition = ?) "
        f"FROM mv_open_fraud_cases AS c JOIN {name} AS d USING (case_id) GROUP BY c.level",
        [REFUTED],
    ).fetchall()
    by_level = {
        level: {
            "decided": decided,
            "confirmed": confirmed,
            "false_positives": refuted,
            "precision": round(confirmed / (confirmed + refuted), 4)
            if confirmed + refuted
            else None,
        }
        for level, decided, confirmed, refuted in rows
    }
    lost = db.execute(
        f"SELECT count(*) FROM {name} AS d WHERE d.disposition IN {CONFIRMED} "
        "AND d.case_id NOT IN (SELECT case_id FROM mv_open_fraud_cases)"
    ).fetchall()[0][0]
    return {"by_level": by_level, "confirmed_but_no_longer_found": lost}


_PATTERNS = """
SELECT s.pattern, count(DISTINCT s.signal_id), count(DISTINCT s.subject),
  count(DISTINCT a.account_id),
  coalesce((SELECT sum(amount) FROM mv_fraud_signals AS o WHERE o.pattern = s.pattern), 0)
FROM mv_fraud_signals AS s LEFT JOIN account_signals AS a USING (signal_id)
GROUP BY s.pattern"""

_DAYS = """
WITH events AS (
  SELECT occurred_at::DATE AS day, count(*) AS transactions, sum(amount) AS amount
  FROM stg_transactions GROUP BY day
),
fired AS (
  SELECT occurred_at::DATE AS day, count(*) AS signals, {per_pattern}
  FROM mv_fraud_signals GROUP BY day
),
opened AS (
  SELECT opened_at::DATE AS day, count(*) AS cases FROM mv_open_fraud_cases GROUP BY day
)
SELECT day, coalesce(transactions, 0) AS transactions, coalesce(amount, 0) AS amount,
  coalesce(cases, 0) AS cases, coalesce(signals, 0) AS signals,
  {columns}
FROM events FULL JOIN fired USING (day) FULL JOIN opened USING (day)
ORDER BY day"""
