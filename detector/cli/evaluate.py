"""`fraud evaluate`: how well the patterns find what the truth file says was fraud."""

import tempfile
from pathlib import Path
from typing import Annotated, Any

import duckdb
import typer

from detector.adapters.conditions import condition_sql
from detector.adapters.duckdb_store import connect
from detector.cli.generate import TRUTH_FILE
from detector.cli.options import AsJson, Folder
from detector.cli.output import print_json, print_rows
from detector.cli.replay import replay_folder
from detector.core.errors import InputError
from detector.core.rules import Pattern, Rules, load_rules


def evaluate(
    folder: Folder,
    as_json: AsJson = False,
    store: Annotated[
        Path | None, typer.Option(help="Keep the replayed store here, for a closer look.")
    ] = None,
) -> None:
    """Replay a generated folder, then compare its signals with its truth.jsonl."""
    rules = load_rules()
    truth = folder / TRUTH_FILE
    if not truth.is_file():
        raise InputError(f"{truth} is missing. `fraud generate` writes it beside the events.")
    with tempfile.TemporaryDirectory() as scratch:
        path = store or Path(scratch) / "evaluate.duckdb"
        if path.exists():
            raise InputError(f"{path} already exists. Name a new file.")
        replay_folder(folder, path, rules)
        with connect(path, read_only=True) as db:
            report = judge(db, truth, rules)
    if as_json:
        print_json(report)
        return
    columns = ["pattern", "signals", "prec.", "cases", "recall", "ttd p50", "p95", "thru", "max"]
    fields = ["signals", "precision", "instances", "recall", "time_to_detect_s_p50"]
    fields += ["time_to_detect_s_p95", "got_through_mean", "got_through_max"]
    rows = [[name, *(found[f] for f in fields)] for name, found in report["patterns"].items()]
    print_rows("Evaluation", columns, rows)
    print(
        "cases: fraud instances in the truth. ttd: seconds from an instance's first event to its "
        "first signal.\nthru: approved transactions of an instance before that, on average and at "
        "most.\n"
        f"{report['transactions']:,} transactions, {report['fraud_share']:.2%} fraudulent; "
        f"{report['censored_instances']} instances cut off by the end of the log left out.\n"
        f"False signals per 1,000 quiet accounts: {report['false_alerts_per_1000_accounts']} "
        f"({report['quiet_accounts']:,} quiet accounts)."
    )


def judge(db: duckdb.DuckDBPyConnection, truth: Path, rules: Rules) -> dict[str, Any]:
    """Compare a store's signals with the truth.

    A signal is right when an event that it rests on (in its window, or the other of its pair) is
    labelled fraudulent, by whichever scenario. An instance of a scenario is found when the pattern
    of that name fired at one of its events. Instances that the end of the log may have cut off,
    being younger than the longest of their scenario, count neither way.
    """
    columns = dict.fromkeys(("event_id", "topic", "scenario", "instance"), "VARCHAR")
    db.execute(
        "CREATE TEMP TABLE truth AS SELECT * FROM read_json(?, columns = ?)",
        [str(truth), columns],
    )
    db.execute(_LABELLED)
    db.execute("CREATE TEMP TABLE verdicts (signal_id VARCHAR, is_right BOOLEAN)")
    for pattern in rules.patterns.values():
        condition, parameters = _rests_on_fraud(pattern)
        db.execute(
            f"INSERT INTO verdicts SELECT signal_id, {condition} FROM fraud_signals AS s "
            "WHERE pattern = ?",
            [*parameters, pattern.id],
        )
    db.execute(_INSTANCES)
    row = db.execute(_OVERALL).fetchone()
    assert row is not None
    transactions, fraudulent, censored, quiet, false_alerts = row
    return {
        "transactions": transactions,
        "fraud_share": fraudulent / transactions if transactions else 0.0,
        "censored_instances": censored,
        "quiet_accounts": quiet,
        "false_alerts_per_1000_accounts": round(1000 * false_alerts / quiet, 3) if quiet else None,
        "patterns": {name: _pattern(db, name) for name in rules.patterns},
    }


def _rests_on_fraud(pattern: Pattern) -> tuple[str, list[Any]]:
    """A condition on a signal `s`: one of the events behind it is labelled."""
    if pattern.operator == "novelty":
        return "s.event_id IN (SELECT event_id FROM truth)", []
    if pattern.operator == "pair":
        behind = "(s.event_id, s.evidence ->> 'previous_event_id')"
        return f"EXISTS (FROM truth WHERE event_id IN {behind})", []
    where, parameters = condition_sql(pattern.where)
    subject = " || '|' || ".join(pattern.key)
    return (
        f"EXISTS (SELECT 1 FROM stg_{pattern.source} AS e SEMI JOIN truth USING (event_id) "
        f"WHERE {where} AND {subject} = s.subject "
        "AND e.occurred_at BETWEEN s.window_start AND s.occurred_at)",
        parameters,
    )


def _pattern(db: duckdb.DuckDBPyConnection, name: str) -> dict[str, Any]:
    signals, right = db.execute(
        "SELECT count(*), count(*) FILTER (WHERE is_right) FROM fraud_signals "
        "JOIN verdicts USING (signal_id) WHERE pattern = ?",
        [name],
    ).fetchall()[0]
    instances, found, p50, p95, mean, most = db.execute(
        "SELECT count(*), count(detected_at), quantile_cont(seconds, 0.5), "
        "quantile_cont(seconds, 0.95), avg(got_through), max(got_through) "
        "FROM instances WHERE scenario = ? AND NOT censored",
        [name],
    ).fetchall()[0]
    return {
        "signals": signals,
        "precision": round(right / signals, 4) if signals else None,
        "instances": instances,
        "recall": round(found / instances, 4) if instances else None,
        "time_to_detect_s_p50": _rounded(p50),
        "time_to_detect_s_p95": _rounded(p95),
        "got_through_mean": _rounded(mean),
        "got_through_max": most,
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)


_LABELLED = """
CREATE TEMP TABLE labelled AS
SELECT t.event_id, t.scenario, t.instance, e.occurred_at, e.customer_id, e.account_id, e.status
FROM truth AS t
JOIN (
  SELECT event_id, occurred_at, customer_id, account_id, status FROM stg_transactions UNION ALL
  SELECT event_id, occurred_at, customer_id, NULL, NULL FROM stg_logins UNION ALL
  SELECT event_id, occurred_at, customer_id, account_id, NULL FROM stg_alerts
) AS e USING (event_id)"""

_INSTANCES = """
CREATE TEMP TABLE instances AS
WITH spans AS (
  SELECT scenario, instance, min(occurred_at) AS first_at, max(occurred_at) AS last_at
  FROM labelled GROUP BY scenario, instance
),
longest AS (
  SELECT scenario, max(last_at - first_at) AS longest FROM spans GROUP BY scenario
),
detected AS (
  SELECT l.scenario, l.instance, min(s.occurred_at) AS detected_at
  FROM labelled AS l JOIN fraud_signals AS s
    ON s.event_id = l.event_id AND s.pattern = l.scenario
  GROUP BY l.scenario, l.instance
)
SELECT p.scenario, p.instance, d.detected_at,
  p.first_at + g.longest > (SELECT watermark FROM progress) AS censored,
  epoch(d.detected_at - p.first_at) AS seconds,
  (SELECT count(*) FROM labelled AS l WHERE l.instance = p.instance AND l.status = 'APPROVED'
    AND l.occurred_at < d.detected_at) AS got_through
FROM spans AS p
JOIN longest AS g USING (scenario)
LEFT JOIN detected AS d USING (scenario, instance)"""

_OVERALL = """
WITH quiet AS (
  SELECT DISTINCT account_id FROM stg_transactions
  WHERE account_id NOT IN (SELECT account_id FROM labelled WHERE account_id IS NOT NULL)
    AND customer_id NOT IN (SELECT customer_id FROM labelled)
)
SELECT
  (SELECT count(*) FROM stg_transactions),
  (SELECT count(*) FROM labelled WHERE status IS NOT NULL),
  (SELECT count(*) FROM instances WHERE censored),
  (SELECT count(*) FROM quiet),
  (SELECT count(DISTINCT a.signal_id) FROM account_signals AS a JOIN verdicts USING (signal_id)
    WHERE NOT is_right AND a.account_id IN (FROM quiet))"""
