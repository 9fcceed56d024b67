"""Print every query of the Grafana files with its SQL and first rows, asked of an embedded store.

    python -m scripts.show_panels                      a small synthetic bank, made for the occasion
    python -m scripts.show_panels --store data/fraud.duckdb --rows 5

Exit code 1 when a query fails or a panel has no rows. The same queries go to RisingWave in the
cluster; `make panels-live` asks Grafana itself.
"""

import argparse
import re
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from detector.adapters.bank_files import write_bank
from detector.adapters.database import connect
from detector.analysis.replay import replay_folder
from detector.signals.loading import load_rules
from producers.config import ProducerSettings
from scripts.dashboards import (
    Query,
    Range,
    alert_queries,
    alert_rules,
    choices,
    dashboard_queries,
    expand,
    load,
)

START = datetime(2026, 1, 5, 9, tzinfo=UTC)
EVENTS = 24_000
BANK = ProducerSettings(_env_file=None, seed=7, fraud_rate=0.1, customer_pool_size=500)


def small_store(folder: Path) -> Path:
    """Generate a bank with every pattern, replay it, and return the store."""
    events = folder / "events"
    write_bank(events, BANK, EVENTS, START)
    store = folder / "fraud.duckdb"
    replay_folder(events, store, load_rules())
    return store


def whole_range(db: duckdb.DuckDBPyConnection) -> Range:
    """The hour up to the store's last event."""
    row = db.execute("SELECT watermark FROM progress").fetchone()
    if row is None or row[0] is None:
        raise SystemExit("The store holds no events.")
    end = row[0].astimezone(UTC)
    return Range(end - timedelta(hours=1), end)


def for_duckdb(sql: str, span: Range) -> str:
    """Bridge what DuckDB says otherwise: here "now" is the end of the recorded events."""
    return re.sub(r"\bnow\(\)", f"TIMESTAMPTZ '{span.end.isoformat()}'", sql, flags=re.IGNORECASE)


def ask(
    db: duckdb.DuckDBPyConnection, query: Query, span: Range, variables: dict[str, str]
) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Return columns and rows of a query."""
    sql = expand(query.sql, span, None if query.owner == "alert" else variables)
    result = db.execute(for_duckdb(sql, span))
    return [column[0] for column in result.description or []], result.fetchall()


def main() -> int:
    """Print what a viewer would see; the exit code counts for something."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--store", type=Path, help="an embedded store; without it one is made")
    parser.add_argument("--rows", type=int, default=3, help="rows to show of each query (3)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="panels-") as folder:
        store = options.store or small_store(Path(folder))
        with connect(store, read_only=True) as db:
            return show(db, options.rows)


def show(db: duckdb.DuckDBPyConnection, limit: int) -> int:
    """Print every query with its first rows; return 1 if a panel is empty or a query fails."""
    dashboard = load()
    variables = choices(dashboard)
    span = whole_range(db)
    empty = []
    for query in [*dashboard_queries(dashboard), *alert_queries(alert_rules())]:
        print(f"\n== {query.owner}: {query.title} ({query.format})\n{query.sql}")
        try:
            columns, rows = ask(db, query, span, variables)
        except (duckdb.Error, ValueError) as error:
            print(f"!! {error}")
            empty.append(query.title)
            continue
        print("-- " + " | ".join(columns))
        for row in rows[:limit]:
            print("   " + " | ".join(str(value) for value in row))
        print(f"   ({len(rows)} rows)")
        if not rows and query.owner != "alert":
            empty.append(query.title)
    if empty:
        print(f"\nNo rows: {', '.join(empty)}", file=sys.stderr)
    return 1 if empty else 0


if __name__ == "__main__":
    sys.exit(main())
