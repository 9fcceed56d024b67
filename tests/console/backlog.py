"""Stores with as many cases as a test needs, written straight into their tables."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from detector.adapters.duckdb.store import DuckDBStore
from detector.cases.principals import Principal

NOW = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
"""The moment at which the tests look at the queue."""

KIM, LEE, SAM = (
    Principal("kim", "analyst"),
    Principal("lee", "analyst"),
    Principal("sam", "supervisor"),
)
_COLUMNS = """case_id, account_id, customer_id, level, score, patterns, signal_count, exposure,
    first_signal_at, last_signal_at, opened_at, due_at, recommended_action, actions, withdrawn"""


def case(number: int, *, age: float = 30, due: float | None = 60, **fields: Any) -> dict[str, Any]:
    """A case opened `age` minutes before `NOW` that should be decided within `due` minutes."""
    opened = NOW - timedelta(minutes=age)
    return {
        "case_id": f"case_{number:012x}",
        "account_id": f"acc-{number}",
        "customer_id": f"cust-{number}",
        "level": "high",
        "score": 0.5,
        "patterns": "velocity",
        "signal_count": 1,
        "exposure": "100.00",
        "first_signal_at": opened,
        "last_signal_at": opened,
        "opened_at": opened,
        "due_at": None if due is None else opened + timedelta(minutes=due),
        "recommended_action": "STEP_UP",
        "actions": "STEP_UP",
        "withdrawn": False,
        **fields,
    }


def put(store: DuckDBStore, cases: Iterable[dict[str, Any]]) -> None:
    """Add cases to a store, or bring them up to date."""
    rows = [list(case.values()) for case in cases]
    marks = ", ".join("?" * len(rows[0]))
    store._connection.cursor().executemany(
        f"INSERT OR REPLACE INTO cases ({_COLUMNS}) VALUES ({marks})", rows
    )


def row_of(store: DuckDBStore, case_id: str) -> dict[str, Any]:
    """The row of an open case."""
    return store.rows("SELECT * FROM mv_open_fraud_cases WHERE case_id = ?", [case_id])[0]


def clear(store: DuckDBStore) -> None:
    """Take every case and review out of a store."""
    for table in ("cases", "case_reviews", "snoozes"):
        store._connection.cursor().execute(f"DELETE FROM {table}")
