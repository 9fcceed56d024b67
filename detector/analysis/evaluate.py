"""Evaluation: how well the patterns find the fraud labelled in the truth file."""

from pathlib import Path

import duckdb

from detector.core.data import JsonObject
from detector.signals.operators import OPERATORS
from detector.signals.rules import Rules


def judge(db: duckdb.DuckDBPyConnection, truth: Path, rules: Rules) -> JsonObject:
    """Compare a store's signals with the truth.

    A signal is right when an event that it rests on (`Operator.support`) is labelled fraudulent, in
    any scenario. An instance of a scenario is found when the pattern of that name fired at one of
    its events. Instances that the end of the log may have cut off, being younger than the longest
    of their scenario, are not counted.
    """
    columns = dict.fromkeys(("event_id", "topic", "scenario", "instance"), "VARCHAR")
    db.execute(
        "CREATE TEMP TABLE truth AS SELECT * FROM read_json(?, columns = ?)",
        [str(truth), columns],
    )
    db.execute(_LABELLED)
    db.execute("CREATE TEMP TABLE verdicts (signal_id VARCHAR, is_right BOOLEAN)")
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
