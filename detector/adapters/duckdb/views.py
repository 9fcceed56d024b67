"""The views of the embedded store, with the names and columns of the dbt models.

They read what the engine computed, where the models compute it from events;
`tests/dbt/test_views.py` proves that both have the same rows (decision 0036).
"""

from detector.core.events import STREAMS
from detector.signals.rules import Rules


def view_names(rules: Rules) -> list[str]:
    """The names of all views, in order of dependency."""
    return list(_views(rules))


def view_statements(rules: Rules) -> list[str]:
    """The statements that create or replace every view, and the helper view of all cases."""
    views = {**_views(rules), "fraud_cases": "SELECT * FROM cases"}
    return [f"CREATE OR REPLACE VIEW {name} AS {q}" for name, q in views.items()]


def _views(rules: Rules) -> dict[str, str]:
    views = {f"stg_{stream}": _staging(stream) for stream in STREAMS}
    for pattern in rules.patterns.values():
        views[pattern.view] = " UNION ALL ".join(
            f"SELECT * FROM {table} WHERE pattern = '{pattern.id}'"
            for table in ("fraud_signals", "shadow_signals")
        )
    views["mv_fraud_signals"] = "SELECT * FROM fraud_signals"
    views["mv_account_risk_score_realtime"] = _account_risk(rules)
    views["mv_fraud_kpis_1min"] = _kpis(rules)
    views["mv_merchant_risk"] = _MERCHANTS
    views["mv_channel_risk"] = _CHANNELS
    views["mv_open_fraud_cases"] = _OPEN_CASES_WITH_TIER
    return views


def _staging(stream: str) -> str:
    columns = ", ".join(STREAMS[stream].__struct_fields__)
    return f"SELECT {columns} FROM {stream} WHERE ingest_status = 'evaluated'"


def _account_risk(rules: Rules) -> str:
    """One row per account with a signal in the window before the watermark."""
    levels = rules.risk.levels
    return f"""
    WITH recent AS (
      SELECT a.account_id, s.customer_id, s.pattern, s.weight, s.occurred_at, p.watermark
      FROM account_signals AS a
      JOIN fraud_signals AS s USING (signal_id)
      CROSS JOIN progress AS p
      WHERE a.occurred_at > p.watermark - INTERVAL '{rules.risk.window_seconds} seconds'
        AND a.occurred_at <= p.watermark
    ),
    patterns AS (
      SELECT account_id, pattern, any_value(weight) AS weight, any_value(watermark) AS as_of,
        arg_max(customer_id, occurred_at) AS customer_id, count(*) AS signals,
        max(occurred_at) AS last_at
      FROM recent GROUP BY account_id, pattern
    ),
    scores AS (
      SELECT account_id, arg_max(customer_id, last_at) AS customer_id,
        least(1.0, round(sum(weight), 6)) AS risk_score,
        string_agg(pattern, ', ' ORDER BY pattern) AS patterns,
        sum(signals)::BIGINT AS signal_count, max(last_at) AS last_signal_at,
        any_value(as_of) AS as_of
      FROM patterns GROUP BY account_id
    )
    SELECT account_id, customer_id, risk_score,
      CASE WHEN risk_score >= {levels["critical"]} THEN 'critical'
        WHEN risk_score >= {levels["high"]} THEN 'high'
        WHEN risk_score >= {levels["medium"]} THEN 'medium' ELSE 'low' END AS risk_level,
      patterns, signal_count, last_signal_at, as_of
    FROM scores"""


def _kpis(rules: Rules) -> str:
    """One row per minute with transactions or signals."""
    counts = ", ".join(
        f"count(*) FILTER (WHERE pattern = '{name}') AS signals_{name}" for name in rules.patterns
    )
    columns = ", ".join(f"coalesce(signals_{name}, 0) AS signals_{name}" for name in rules.patterns)
    return f"""
    WITH money AS (
      SELECT time_bucket(INTERVAL '1 minute', t.occurred_at) AS window_start,
        count(*) AS transactions, coalesce(sum(t.base_amount), 0) AS amount,
        count(*) - count(t.base_amount) AS without_rate,
        count(*) FILTER (WHERE f.event_id IS NOT NULL) AS flagged
      FROM stg_transactions AS t
      LEFT JOIN (SELECT DISTINCT event_id FROM fraud_signals) AS f USING (event_id)
      GROUP BY 1
    ),
    fired AS (
      SELECT time_bucket(INTERVAL '1 minute', occurred_at) AS window_start, count(*) AS signals,
        {counts}
      FROM fraud_signals GROUP BY 1
    )
    SELECT window_start, window_start + INTERVAL '1 minute' AS window_end,
      coalesce(transactions, 0) AS transactions, coalesce(amount, 0) AS amount,
      coalesce(without_rate, 0) AS without_rate,
      coalesce(flagged, 0) AS flagged,
      CASE WHEN transactions > 0 THEN round(100.0 * flagged / transactions, 2) ELSE 0 END
        AS fraud_rate_pct,
      coalesce(signals, 0) AS signals, {columns}
    FROM money FULL JOIN fired USING (window_start)"""


_FLAGGED = """
      count(*) AS transactions, coalesce(sum(base_amount), 0) AS amount,
      count(*) FILTER (WHERE f.event_id IS NOT NULL) AS flagged,
      coalesce(sum(base_amount) FILTER (WHERE f.event_id IS NOT NULL), 0) AS flagged_amount,
      round(100.0 * count(*) FILTER (WHERE f.event_id IS NOT NULL) / count(*), 2) AS fraud_rate_pct,
      round(100.0 * count(*) FILTER (WHERE status = 'DECLINED') / count(*), 2) AS declined_pct"""

_MERCHANTS = f"""
    SELECT merchant_id, any_value(merchant_category) AS merchant_category,
      any_value(merchant_country) AS merchant_country, {_FLAGGED},
      max(occurred_at) AS last_seen_at
    FROM stg_transactions
    LEFT JOIN (SELECT DISTINCT event_id FROM fraud_signals) AS f USING (event_id)
    WHERE merchant_id IS NOT NULL
    GROUP BY merchant_id"""

_CHANNELS = f"""
    WITH hops AS (
      SELECT unnest([time_bucket(INTERVAL '1 minute', occurred_at) - n * INTERVAL '1 minute'
        FOR n IN range(5)]) AS window_start, *
      FROM stg_transactions
    )
    SELECT window_start, window_start + INTERVAL '5 minutes' AS window_end, channel, {_FLAGGED}
    FROM hops
    LEFT JOIN (SELECT DISTINCT event_id FROM fraud_signals) AS f USING (event_id)
    GROUP BY window_start, channel"""

OPEN_CASES = """
    SELECT c.*, r.owner, coalesce(r.status, 'NEW') AS status
    FROM cases AS c
    LEFT JOIN case_reviews AS r USING (case_id)
    WHERE coalesce(r.status, 'NEW') <> 'CLOSED'"""
"""The open cases without their customers' KYC tier, which requires reading every profile."""

_OPEN_CASES_WITH_TIER = f"""
    SELECT c.case_id, c.customer_id, c.account_ids, c.level, c.score, c.patterns, c.signal_count,
      c.exposure, c.already_gone, c.first_signal_at, c.last_signal_at, c.opened_at, c.due_at,
      k.risk_tier AS kyc_risk_tier, c.recommended_action, c.actions, c.withdrawn,
      c.previous_case_id, c.owner, c.status
    FROM ({OPEN_CASES}) AS c
    LEFT JOIN (
      SELECT customer_id, arg_max(risk_tier, (occurred_at, event_id)) AS risk_tier
      FROM stg_kyc_profiles GROUP BY customer_id
    ) AS k USING (customer_id)"""
