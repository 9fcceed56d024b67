"""Counts the rows of each model by events and by customers: `python -m scripts.model_rows`.

Three synthetic histories are put through the models on DuckDB: one, one with twice the events, one
with twice the customers. The differences give rows per million events and per 1,000 customers.
Prints the rows of a Markdown table; the last column, what bounds a model on RisingWave, is ours.
"""

import sys
import tempfile
from pathlib import Path

from detector.adapters.bank_files import DEFAULT_START, bank_settings, write_bank
from detector.adapters.dbt_models import event_files, load, open_database, run
from detector.adapters.rendering import rendered
from detector.cli.progress import EventProgress
from detector.signals.loading import load_rules

EVENTS, CUSTOMERS = 100_000, 2_000
STAGED = "grows; `make dbt-upgrade` of it keeps what the raw records have, 7 days"
LOG = "grows with signals; delete old rows of `fraud_signal_log`"
REPORTED = "`report_seconds`, 1 day"
EVALUATED = "`live_horizon_seconds`, 6 hours, and the pattern's window"
KEYED = "keys: customers, accounts and devices that exist"
BOUNDS = {
    "case_reviews": "cases that analysts have touched",
    "rejected_records": "grows with broken records; rebuild as above",
    "account_links": KEYED,
    "stg_kyc_profiles": "customers and changes to them; never deleted",
    "account_signals": LOG,
    "risk_history": LOG,
    "fraud_cases": LOG,
    "mv_open_fraud_cases": LOG,
    "mv_fraud_signals": EVALUATED,
    "mv_account_risk_score_realtime": "two minutes of signals",
    "mv_fraud_kpis_1min": REPORTED,
    "mv_merchant_risk": REPORTED,
    "mv_channel_risk": REPORTED,
}


def bound(model: str) -> str:
    """What bounds the rows of a model, and its state, on RisingWave."""
    return BOUNDS.get(model, STAGED if model.startswith("stg_") else EVALUATED)


def counts(events: int, customers: int) -> dict[str, int]:
    """The rows of each model over a history of so many events and customers."""
    rules = load_rules()
    project = rendered(rules)
    settings = bank_settings(seed=11, fraud_rate=0.01, customer_pool_size=customers)
    with tempfile.TemporaryDirectory() as folder, EventProgress("generating") as progress:
        history = Path(folder) / "events"
        write_bank(history, settings, events, DEFAULT_START, progress.advance)
        with open_database(Path(folder) / "models.duckdb", "2GB") as db:
            load(db, event_files([history]))
            run(db, project.models)
            tables = db.execute(
                "SELECT table_name FROM duckdb_tables() "
                "WHERE table_name NOT LIKE 'src_%' AND table_name <> 'set_aside'"
            ).fetchall()
            return {
                name: db.execute(f'SELECT count(*) FROM "{name}"').fetchall()[0][0]
                for (name,) in sorted(tables)
            }


def main() -> None:
    """Print the table."""
    base = counts(EVENTS, CUSTOMERS)
    longer, larger = counts(2 * EVENTS, CUSTOMERS), counts(EVENTS, 2 * CUSTOMERS)
    print("| model | rows per 1 M events | more per 1,000 customers | bounded by |")
    print("|---|---|---|---|")
    for name in base:
        by_events = (longer[name] - base[name]) * (1_000_000 // EVENTS)
        by_customers = (larger[name] - base[name]) * 1_000 // CUSTOMERS
        print(f"| `{name}` | {by_events:,} | {by_customers:,} | {bound(name)} |")
    print(f"{EVENTS:,} events, {CUSTOMERS:,} customers; twice of each.", file=sys.stderr)


if __name__ == "__main__":
    main()
