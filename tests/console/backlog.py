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


def case(number: int, *, age: float = 30, due: float = 60, **fields: Any) -> dict[str, Any]:
    """A case opened `age` minutes before `NOW` that should be decided within `due` minutes."""
    opened = NOW - timedelta(minutes=age)
    return {
        "case_id": f"case_{number:012x}",
        "customer_id": f"cust-{number}",
        "account_ids": f"acc-{number}",
        "level": "high",
        "score": 0.5,
        "patterns": "velocity",
        "signal_count": 1,
        "exposure": "100.00",
        "already_gone": "0.00",
        "first_signal_at": opened,
        "last_signal_at": opened,
        "opened_at": opened,
        "due_at": opened + timedelta(minutes=due),
        "recommended_action": "STEP_UP",
        "actions": "STEP_UP",
        "withdrawn": False,
        **fields,
    }


def put(store: DuckDBStore, cases: Iterable[dict[str, Any]]) -> None:
    """Add cases to a store, or bring them up to date."""
    cases = list(cases)
    marks = ", ".join("?" * len(cases[0]))
    store._connection.cursor().executemany(
        f"INSERT OR REPLACE INTO cases ({', '.join(cases[0])}) VALUES ({marks})",
        [list(case.values()) for case in cases],
    )


def fire(store: DuckDBStore, case: dict[str, Any], pattern: str) -> None:
    """Add a signal of a pattern on the account of a case."""
    customer, account, at = case["customer_id"], case["account_ids"], case["opened_at"]
    store._connection.cursor().execute(
        "INSERT INTO fraud_signals VALUES (?, ?, 'R', 'HIGH', 0.5, ?, ?, ?, 'e', ?, ?, 1, 1, NULL, "
        "'because', '{}', [])",
        [f"{pattern}:{customer}", pattern, customer, account, account, at, at],
    )


def row_of(store: DuckDBStore, case_id: str) -> dict[str, Any]:
    """The row of an open case."""
    return store.rows("SELECT * FROM mv_open_fraud_cases WHERE case_id = ?", [case_id])[0]


def clear(store: DuckDBStore) -> None:
    """Take every case and review out of a store."""
    for table in ("cases", "case_reviews", "snoozes", "fraud_signals"):
        store._connection.cursor().execute(f"DELETE FROM {table}")
