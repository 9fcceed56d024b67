"""The values that a case's events have in a column, for the named lists."""

from datetime import timedelta

from detector.console.queries.where import Where
from detector.core.data import Row
from detector.core.events import contract_fields
from detector.pipeline.ports import Reader

AROUND = timedelta(minutes=30)
MOST_VALUES = 50


def listable(reader: Reader, case: Row, column: str) -> dict[str, bool]:
    """What the customer's payments and logins had there around the case.

    And whether a pattern fired at one of them.
    """
    where = Where()
    where.add("e.customer_id = ?", case["customer_id"])
    where.add("e.occurred_at >= ?", case["first_signal_at"] - AROUND)
    where.add("e.occurred_at <= ?", case["last_signal_at"] + AROUND)
    where.add(f"e.{column} IS NOT NULL")
    found: dict[str, bool] = {}
    for stream in ("transactions", "logins"):
        if column in contract_fields(stream):
            query = (
                f"SELECT e.{column} AS value, COUNT(s.event_id) AS fired FROM stg_{stream} AS e "
                "LEFT JOIN (SELECT event_id FROM mv_fraud_signals WHERE customer_id = ?) AS s "
                f"ON s.event_id = e.event_id WHERE {where.sql} GROUP BY e.{column} "
                f"ORDER BY 2 DESC, 1 LIMIT {MOST_VALUES}"
            )
            for row in reader.rows(query, [case["customer_id"], *where.parameters]):
                found[row["value"]] = row["fired"] > 0 or found.get(row["value"], False)
    return found
