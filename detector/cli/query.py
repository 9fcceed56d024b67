"""Questions to the store: risk, cases, kpis, fraud-rate, status, sql."""

from pathlib import Path
from typing import Annotated, Any

import duckdb
import typer

from detector.adapters.duckdb_store import connect
from detector.cli.options import DEFAULT_STORE, AsJson, Store
from detector.cli.output import as_records, print_json, print_rows
from detector.core.errors import InputError
from detector.core.events import STREAMS

Limit = Annotated[int, typer.Option(min=1, help="At most this many rows.")]


def risk(store: Store = DEFAULT_STORE, limit: Limit = 20, as_json: AsJson = False) -> None:
    """Accounts by risk score, as of the last event."""
    _show(
        store,
        "Accounts by risk",
        "SELECT account_id, risk_score, risk_level, patterns, last_signal_at, customer_id, "
        "signal_count, as_of FROM mv_account_risk_score_realtime "
        "ORDER BY risk_score DESC, account_id LIMIT ?",
        [limit],
        as_json,
        shown=5,
    )


def cases(store: Store = DEFAULT_STORE, limit: Limit = 20, as_json: AsJson = False) -> None:
    """Open cases, the most urgent first."""
    _show(
        store,
        "Open cases",
        "SELECT case_id, level, score, account_id, patterns, exposure, recommended_action, "
        "due_at, customer_id, opened_at, kyc_risk_tier, owner, status, signal_count, "
        "first_signal_at, last_signal_at FROM mv_open_fraud_cases "
        "ORDER BY score DESC, due_at, case_id LIMIT ?",
        [limit],
        as_json,
        shown=8,
    )


def kpis(store: Store = DEFAULT_STORE, limit: Limit = 15, as_json: AsJson = False) -> None:
    """The newest minutes: transactions, flagged, fraud rate and signals by pattern."""
    _show(
        store,
        "KPIs by minute",
        "SELECT * FROM mv_fraud_kpis_1min ORDER BY window_start DESC LIMIT ?",
        [limit],
        as_json,
        shown=7,
    )


def fraud_rate(store: Store = DEFAULT_STORE, as_json: AsJson = False) -> None:
    """The share of transactions at which a signal fired: last minute, last hour, all."""
    _show(
        store,
        "Fraud rate",
        """
        WITH flagged AS (SELECT DISTINCT event_id FROM mv_fraud_signals),
        spans(span, since) AS (
          SELECT * FROM (VALUES ('last minute', INTERVAL '60 seconds'),
            ('last hour', INTERVAL '1 hour'), ('all', INTERVAL '1000 years')) AS v
        )
        SELECT span, count(t.event_id) AS transactions, count(f.event_id) AS flagged,
          CASE WHEN count(t.event_id) > 0
            THEN round(100.0 * count(f.event_id) / count(t.event_id), 2) ELSE 0 END
            AS fraud_rate_pct
        FROM spans CROSS JOIN progress AS p
        LEFT JOIN stg_transactions AS t ON t.occurred_at > p.watermark - spans.since
        LEFT JOIN flagged AS f USING (event_id)
        GROUP BY span, since ORDER BY since
        """,
        [],
        as_json,
    )


def status(store: Store = DEFAULT_STORE, as_json: AsJson = False) -> None:
    """How far the store is: events, signals, cases, dead letters, watermark, positions."""
    with connect(store, read_only=True) as db:
        found = {
            "store": str(store),
            "watermark": _one(db, "SELECT watermark FROM progress"),
            "duplicates": _one(db, "SELECT duplicates FROM progress"),
            "dead_letters": _one(db, "SELECT count(*) FROM dead_letters"),
            "events": {s: _one(db, f"SELECT count(*) FROM {s}") for s in STREAMS},
            "late": _disposed(db, "late"),
            "future": _disposed(db, "future"),
            "signals": dict(
                db.execute("SELECT pattern, count(*) FROM fraud_signals GROUP BY 1").fetchall()
            ),
            "open_cases": dict(
                db.execute("SELECT level, count(*) FROM mv_open_fraud_cases GROUP BY 1").fetchall()
            ),
            "sources": dict(
                db.execute("SELECT source, committed_at FROM source_positions").fetchall()
            ),
        }
    if as_json:
        print_json(found)
        return
    rows = []
    for name, value in found.items():
        if isinstance(value, dict):
            rows += [(f"{name}: {key}", part) for key, part in sorted(value.items())]
        else:
            rows.append((name, value))
    print_rows("Status", ["what", "value"], rows)


def sql(
    query: Annotated[str, typer.Argument(help="One SELECT over the store's views and tables.")],
    store: Store = DEFAULT_STORE,
    as_json: AsJson = False,
) -> None:
    """Ask the store anything; it is opened read-only."""
    _show(store, "", query, [], as_json)


def _show(
    store: Path,
    title: str,
    query: str,
    parameters: list[Any],
    as_json: bool,
    shown: int | None = None,
) -> None:
    """Print a query's rows; a person sees the first `shown` columns, JSON has all."""
    with connect(store, read_only=True) as db:
        # The store is the user's; files and networks beyond it are not a query's business.
        db.execute("SET enable_external_access = false")
        try:
            db.execute(query, parameters)
        except duckdb.Error as error:
            raise InputError(f"The query cannot be answered: {error}") from error
        columns = [column[0] for column in db.description or []]
        rows = db.fetchall() if columns else []
    if as_json:
        print_json(as_records(columns, rows))
    else:
        print_rows(title, columns[:shown], [row[:shown] for row in rows])


def _one(db: duckdb.DuckDBPyConnection, query: str) -> Any:
    row = db.execute(query).fetchone()
    return row[0] if row else None


def _disposed(db: duckdb.DuckDBPyConnection, disposition: str) -> int:
    union = " UNION ALL ".join(f"SELECT disposition FROM {stream}" for stream in STREAMS)
    query = f"SELECT count(*) FROM ({union}) WHERE disposition = ?"
    row = db.execute(query, [disposition]).fetchone()
    return row[0] if row else 0
