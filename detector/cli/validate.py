"""`fraud validate`: checks that the rules are sound and the store keeps its promises."""

import duckdb
import typer

from detector.adapters.duckdb_store import connect
from detector.adapters.views import view_names
from detector.cli.options import DEFAULT_STORE, AsJson, Store
from detector.cli.output import as_records, print_json, print_rows
from detector.core.events import STREAMS
from detector.core.rules import Rules, load_rules

# Each asks for rows that must not exist.
_PROMISES = {
    "every signal is about a stored event": (
        "SELECT signal_id FROM fraud_signals ANTI JOIN ({events}) USING (event_id)"
    ),
    "every signal meets its threshold": (
        "SELECT signal_id FROM fraud_signals WHERE observed < threshold"
    ),
    "no event is stored twice": (
        "SELECT event_id FROM ({events}) GROUP BY event_id HAVING count(*) > 1"
    ),
    "risk scores lie within 0 and 1": (
        "SELECT account_id FROM risk_history WHERE risk_score <= 0 OR risk_score > 1"
    ),
    "every attribution has its signal": (
        "SELECT signal_id FROM account_signals ANTI JOIN fraud_signals USING (signal_id)"
    ),
    "every account signal has a risk score": (
        "SELECT account_id FROM account_signals ANTI JOIN risk_history "
        "USING (account_id, occurred_at)"
    ),
    "every open case holds signals": (
        "SELECT case_id FROM cases WHERE signal_count = 0 AND NOT withdrawn"
    ),
}


def validate(store: Store = DEFAULT_STORE, as_json: AsJson = False) -> None:
    """Check the rules, the views and the store; exit code 1 when a check fails."""
    rules = load_rules()
    with connect(store, read_only=True) as db:
        checks = [("rules are well-formed", True, f"{len(rules.patterns)} patterns")]
        checks += _views(db, rules)
        checks += _promises(db)
    columns = ["check", "ok", "detail"]
    if as_json:
        print_json({"ok": all(c[1] for c in checks), "checks": as_records(columns, checks)})
    else:
        print_rows("Validation", columns, checks)
    if not all(ok for _, ok, _ in checks):
        raise typer.Exit(1)


def _views(db: duckdb.DuckDBPyConnection, rules: Rules) -> list[tuple[str, bool, str]]:
    checks = []
    for name in view_names(rules):
        try:
            row = db.execute(f"SELECT count(*) FROM {name}").fetchone()
            checks.append((f"view {name} answers", True, f"{row[0] if row else 0} rows"))
        except duckdb.Error as error:
            checks.append((f"view {name} answers", False, str(error)))
    return checks


def _promises(db: duckdb.DuckDBPyConnection) -> list[tuple[str, bool, str]]:
    events = " UNION ALL ".join(f"SELECT event_id FROM {stream}" for stream in STREAMS)
    checks = []
    for promise, query in _PROMISES.items():
        broken = db.execute(query.format(events=events)).fetchall()
        detail = f"{len(broken)} breaches, first {broken[0][0]}" if broken else "no breach"
        checks.append((promise, not broken, detail))
    return checks
