"""Evaluation: how well the patterns find the fraud labelled in the truth file."""

from decimal import Decimal
from pathlib import Path

import duckdb

from detector.adapters.database import literal
from detector.analysis.alerts import open_alerts, queue_report
from detector.analysis.rates import precision, share, wilson
from detector.core.data import JsonObject
from detector.core.errors import InputError
from detector.signals.operators import OPERATORS
from detector.signals.rules import Rules


def judge(db: duckdb.DuckDBPyConnection, truth: Path, rules: Rules) -> JsonObject:
    """Compare a store's signals and cases with the truth.

    A signal is right when an event that it rests on (`Operator.support`) is labelled fraudulent, of
    any kind. An instance of a kind is found when the pattern of that name fired at one of its
    events. Every instance of the truth counts: one whose events are late, missing or rejected, or
    of a kind that no pattern looks for, is missed. Only instances that the end of the log may have
    cut off, being younger than the longest of their kind, are not counted.

    `patterns` judges each pattern by the instances of its own kind; `kinds` and `overall` cover
    every kind in the truth: the share of instances and of approved value that is in a case, how
    soon, and the value after that. `queue` is what a team with so many alerts a day would catch
    (`alerts.open_alerts`), beside simpler queues. Values are in the base currency and without cash
    deposits, which are no loss. Intervals are 95 % (Wilson; bootstrap for shares of value). Raises
    `InputError` for a truth file without the needed columns.
    """
    load_truth(db, truth)
    db.execute(_LABELLED)
    db.execute("CREATE OR REPLACE TEMP TABLE verdicts (signal_id VARCHAR, is_right BOOLEAN)")
    for pattern in rules.patterns.values():
        support = OPERATORS[pattern.operator].support(pattern)
        db.execute(
            f"""INSERT INTO verdicts SELECT signal_id, EXISTS (
              SELECT 1
              FROM (FROM stg_{pattern.source} SEMI JOIN truth USING (event_id)) AS e
              WHERE {support.text})
            FROM fraud_signals AS s WHERE pattern = ?""",
            [*support.parameters, pattern.id],
        )
    open_alerts(db, rules)
    db.execute(_MONEY)
    db.execute(_INSTANCES)
    [found] = db.execute(_OVERALL).fetchall()
    transactions, without_rate, fraudulent, censored, quiet, false_alerts, false_cases = found
    [overall] = db.execute(f"SELECT {_COUNTS} FROM instances WHERE NOT censored").fetchall()
    return {
        "transactions": transactions,
        "without_rate": without_rate,
        "fraud_share": fraudulent / transactions if transactions else 0.0,
        "censored_instances": censored,
        "quiet_accounts": quiet,
        "false_alerts_per_1000_accounts": round(1000 * false_alerts / quiet, 3) if quiet else None,
        "false_cases_per_1000_accounts": round(1000 * false_cases / quiet, 3) if quiet else None,
        "patterns": {name: _pattern(db, name) for name in rules.patterns},
        "kinds": {row[0]: _kind(*row[1:]) for row in db.execute(_KINDS).fetchall()},
        "overall": _kind(*overall),
        "queue": queue_report(db),
    }


def _pattern(db: duckdb.DuckDBPyConnection, name: str) -> JsonObject:
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
        **precision(right, signals),
        "instances": instances,
        "missed": instances - found,
        "recall": share(found, instances),
        "recall_interval": wilson(found, instances),
        "time_to_detect_s_p50": _rounded(p50),
        "time_to_detect_s_p95": _rounded(p95),
        "got_through_mean": _rounded(mean),
        "got_through_max": most,
    }


def _kind(
    instances: int,
    evaluated: int,
    signalled: int,
    in_case: int,
    value: Decimal,
    value_in_case: Decimal,
    value_saved: Decimal,
    minutes_p50: float | None,
    minutes_p95: float | None,
) -> JsonObject:
    return {
        "instances": instances,
        "evaluated": evaluated,
        "with_signal": signalled,
        "in_case": in_case,
        "in_case_share": share(in_case, instances),
        "in_case_interval": wilson(in_case, instances),
        "value": value,
        "value_in_case": value_in_case,
        "value_in_case_share": share(value_in_case, value),
        "value_saved": value_saved,
        "value_saved_share": share(value_saved, value),
        "minutes_to_case_p50": _rounded(minutes_p50),
        "minutes_to_case_p95": _rounded(minutes_p95),
    }


def load_truth(db: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Create the table `truth` (event_id, scenario, instance) from JSONL, CSV or Parquet.

    Either the columns of a generated truth file, event_id, scenario and instance; or a label per
    event, event_id, is_fraud and optionally kind, where each fraudulent event is an instance.
    """
    name = literal(str(path))
    found = {column for column, *_ in db.execute(f"DESCRIBE FROM {name}").fetchall()}
    if {"event_id", "scenario", "instance"} <= found:
        query = f"SELECT event_id, scenario, instance FROM {name}"
    elif {"event_id", "is_fraud"} <= found:
        kind = "kind" if "kind" in found else "NULL"
        query = (
            f"SELECT event_id, coalesce({kind}, 'fraud') AS scenario, event_id AS instance "
            f"FROM {name} WHERE is_fraud::BOOLEAN"
        )
    else:
        raise InputError(
            f"{path} has the columns {', '.join(sorted(found)) or 'none'}; a truth file has "
            "event_id, scenario and instance, or event_id and is_fraud (and optionally kind)."
        )
    db.execute(
        "CREATE OR REPLACE TEMP TABLE truth AS SELECT event_id::VARCHAR AS event_id, "
        f"scenario::VARCHAR AS scenario, instance::VARCHAR AS instance FROM ({query})"
    )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)


_LABELLED = """
CREATE OR REPLACE TEMP TABLE labelled AS
SELECT t.event_id, t.scenario, t.instance, e.occurred_at, e.customer_id, e.account_id, e.status
FROM truth AS t
JOIN (
  SELECT event_id, occurred_at, customer_id, account_id, status FROM stg_transactions UNION ALL
  SELECT event_id, occurred_at, customer_id, NULL, NULL FROM stg_logins UNION ALL
  SELECT event_id, occurred_at, customer_id, account_id, NULL FROM stg_alerts
) AS e USING (event_id)"""

_MONEY = """
CREATE OR REPLACE TEMP TABLE instance_money AS
SELECT t.scenario, t.instance, e.event_id, e.occurred_at, coalesce(e.base_amount, 0) AS amount
FROM truth AS t JOIN transactions AS e USING (event_id)
WHERE e.status = 'APPROVED' AND e.transaction_type <> 'CASH_DEPOSIT'"""

_INSTANCES = """
CREATE OR REPLACE TEMP TABLE instances AS
WITH spans AS (
  SELECT t.scenario, t.instance, min(l.occurred_at) AS first_at, max(l.occurred_at) AS last_at
  FROM truth AS t LEFT JOIN labelled AS l USING (event_id)
  GROUP BY t.scenario, t.instance
),
longest AS (
  SELECT scenario, max(last_at - first_at) AS longest FROM spans GROUP BY scenario
),
fired AS (
  SELECT l.scenario, l.instance,
    min(s.occurred_at) FILTER (WHERE s.pattern = l.scenario) AS detected_at
  FROM labelled AS l JOIN fraud_signals AS s USING (event_id)
  GROUP BY l.scenario, l.instance
),
seen AS (
  SELECT t.scenario, t.instance, min(e.seen_at) AS seen_at
  FROM truth AS t JOIN alert_events AS e USING (event_id) JOIN alerts AS a USING (alert_id)
  WHERE a.queue = 'cases' GROUP BY t.scenario, t.instance
),
money AS (
  SELECT m.scenario, m.instance, sum(m.amount) AS value,
    sum(m.amount) FILTER (WHERE m.occurred_at > c.seen_at) AS saved
  FROM instance_money AS m LEFT JOIN seen AS c USING (scenario, instance)
  GROUP BY m.scenario, m.instance
)
SELECT p.scenario, p.instance, f.detected_at, c.seen_at, f.scenario IS NOT NULL AS signalled,
  p.first_at IS NOT NULL AS evaluated,
  coalesce(p.first_at + g.longest > (SELECT watermark FROM progress), false) AS censored,
  epoch(f.detected_at - p.first_at) AS seconds, epoch(c.seen_at - p.first_at) / 60 AS minutes,
  coalesce(m.value, 0) AS value, coalesce(m.saved, 0) AS saved,
  (SELECT count(*) FROM labelled AS l WHERE l.instance = p.instance AND l.status = 'APPROVED'
    AND l.occurred_at < f.detected_at) AS got_through
FROM spans AS p
JOIN longest AS g USING (scenario)
LEFT JOIN fired AS f USING (scenario, instance)
LEFT JOIN seen AS c USING (scenario, instance)
LEFT JOIN money AS m USING (scenario, instance)"""

_COUNTS = """
  count(*), count(*) FILTER (WHERE evaluated), count(*) FILTER (WHERE signalled), count(seen_at),
  coalesce(sum(value), 0), coalesce(sum(value) FILTER (WHERE seen_at IS NOT NULL), 0),
  coalesce(sum(saved), 0), quantile_cont(minutes, 0.5), quantile_cont(minutes, 0.95)"""

_KINDS = f"""
SELECT scenario, {_COUNTS}
FROM instances WHERE NOT censored GROUP BY scenario ORDER BY scenario"""

_OVERALL = """
WITH quiet AS (
  SELECT DISTINCT account_id FROM stg_transactions
  WHERE account_id NOT IN (SELECT account_id FROM labelled WHERE account_id IS NOT NULL)
    AND customer_id NOT IN (SELECT customer_id FROM labelled)
)
SELECT
  (SELECT count(*) FROM stg_transactions),
  (SELECT count(*) FROM stg_transactions WHERE base_amount IS NULL),
  (SELECT count(*) FROM labelled WHERE status IS NOT NULL),
  (SELECT count(*) FROM instances WHERE censored),
  (SELECT count(*) FROM quiet),
  (SELECT count(DISTINCT a.signal_id) FROM account_signals AS a JOIN verdicts USING (signal_id)
    WHERE NOT is_right AND a.account_id IN (FROM quiet)),
  (SELECT count(*) FROM day_cases
    WHERE customer_id NOT IN (SELECT customer_id FROM labelled))"""
