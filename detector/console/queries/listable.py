"""The values that a case's events have in a column, for the named lists."""

from datetime import timedelta

from detector.console.queries.where import Where
from detector.core.data import Row
from detector.core.events import contract_fields
from detector.pipeline.ports import Reader

AROUND = timedelta(minutes=30)
MOST_VALUES = 50


def listable(reader: Reader, case: Row, column: str) -> list[str]:
    """What the customer's payments and logins had there around the case, in order."""
    where = Where()
    where.add("customer_id = ?", case["customer_id"])
    where.add("occurred_at >= ?", case["first_signal_at"] - AROUND)
    where.add("occurred_at <= ?", case["last_signal_at"] + AROUND)
    where.add(f"{column} IS NOT NULL")
    found: set[str] = set()
    for stream in ("transactions", "logins"):
        if column in contract_fields(stream):
            query = (
                f"SELECT DISTINCT {column} AS value FROM stg_{stream} WHERE {where.sql} "
                f"ORDER BY {column} LIMIT {MOST_VALUES}"
            )
            found.update(row["value"] for row in reader.rows(query, where.parameters))
    return sorted(found)
