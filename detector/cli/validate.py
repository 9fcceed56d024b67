"""`fraud validate`: checks the rules and the invariants of the stored data."""

import typer

from detector.adapters.duckdb.views import view_names
from detector.cli.options import DEFAULT_STORE, AsJson, Store
from detector.cli.output import as_records, print_json, print_rows
from detector.cli.targets import ClusterUrl, opened
from detector.core.errors import InputError
from detector.core.events import STREAMS
from detector.pipeline.ports import Reader
from detector.signals.loading import load_rules
from detector.signals.rules import Rules

# Each query returns rows that must not exist.
_PROMISES = {
    "every signal is about a stored event": (
        "SELECT signal_id FROM mv_fraud_signals AS s WHERE {kept} AND NOT EXISTS "
        "(SELECT 1 FROM ({events}) AS e WHERE e.event_id = s.event_id)"
    ),
    "every signal meets its threshold": (
        "SELECT signal_id FROM mv_fraud_signals WHERE observed < threshold"
    ),
    "no event is stored twice": (
        "SELECT event_id FROM ({events}) AS e GROUP BY event_id HAVING count(*) > 1"
    ),
    "risk scores lie within 0 and 1": (
        "SELECT account_id FROM risk_history WHERE risk_score <= 0 OR risk_score > 1"
    ),
    "every attribution has its signal": (
        "SELECT signal_id FROM account_signals AS a WHERE NOT EXISTS "
        "(SELECT 1 FROM mv_fraud_signals AS s WHERE s.signal_id = a.signal_id)"
    ),
    "every account signal has a risk score": (
        "SELECT account_id FROM account_signals AS a WHERE NOT EXISTS (SELECT 1 FROM risk_history "
        "AS r WHERE r.account_id = a.account_id AND r.occurred_at = a.occurred_at)"
    ),
    "every open case has signals": (
        "SELECT case_id FROM mv_open_fraud_cases WHERE signal_count = 0 AND NOT withdrawn"
    ),
}


_NOT_ARCHIVED = (
    "s.occurred_at >= (SELECT coalesce(max(until), TIMESTAMPTZ '1900-01-01') FROM archived)"
)


def validate(store: Store = DEFAULT_STORE, url: ClusterUrl = None, as_json: AsJson = False) -> None:
    """Check the rules, and the data of the store or RisingWave. Exit code 1 on failure."""
    rules = load_rules()
    with opened(store, url) as reader:
        checks = [("rules are well-formed", True, f"{len(rules.patterns)} patterns")]
        checks += _views(reader, rules)
        checks += _promises(reader, in_store=url is None)
    columns = ["check", "ok", "detail"]
    if as_json:
        print_json({"ok": all(c[1] for c in checks), "checks": as_records(columns, checks)})
    else:
        print_rows("Validation", columns, checks)
    if not all(ok for _, ok, _ in checks):
        raise typer.Exit(1)


def _views(reader: Reader, rules: Rules) -> list[tuple[str, bool, str]]:
    checks = []
    for name in view_names(rules):
        try:
            [row] = reader.rows(f"SELECT count(*) AS n FROM {name}")
            checks.append((f"view {name} answers", True, f"{row['n']} rows"))
        except InputError as error:
            checks.append((f"view {name} answers", False, str(error)))
    return checks


def _promises(reader: Reader, in_store: bool) -> list[tuple[str, bool, str]]:
    prefix = "" if in_store else "stg_"
    events = " UNION ALL ".join(f"SELECT event_id FROM {prefix}{stream}" for stream in STREAMS)
    kept = _NOT_ARCHIVED if in_store else "true"
    checks = []
    for promise, query in _PROMISES.items():
        broken = [
            next(iter(row.values())) for row in reader.rows(query.format(events=events, kept=kept))
        ]
        detail = f"{len(broken)} breaches, first {broken[0]}" if broken else "no breach"
        checks.append((promise, not broken, detail))
    return checks
