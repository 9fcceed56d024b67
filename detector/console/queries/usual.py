"""What is usual for a customer: amounts, hours, places, devices and merchants of past payments."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo
from decimal import Decimal
from statistics import median

from pydantic import BaseModel, Field

from detector.console.queries.where import Where
from detector.core.data import Row
from detector.pipeline.ports import Reader

HISTORY = timedelta(days=90)
MOST_PAYMENTS = 300
MOST_NOW = 100
RARE = 0.02
"""A value that at most this share of the earlier payments has is unusual."""

_HABITS = {
    "place": "city",
    "device": "device_id",
    "merchant category": "merchant_category",
    "payee": "payee_id",
}
_COLUMNS = f"event_id, occurred_at, base_amount, {', '.join(_HABITS.values())}"


class Amounts(BaseModel):
    """Amounts in the base currency: what is usual is the median, `most` the 95th percentile."""

    usual: Decimal
    most: Decimal
    earlier: list[Decimal]
    now: list[Decimal]
    times: float | None = Field(description="The largest amount of the case in terms of the usual.")
    unusual: bool


class Hours(BaseModel):
    """Payments by hour of the day, 0 to 23, in the bank's zone."""

    earlier: list[int]
    now: list[int]
    unusual: list[int] = Field(description="The hours of the case at which payments are rare.")


class Value(BaseModel):
    """A value and how many of the earlier payments have it."""

    value: str
    count: int
    unusual: bool


class Habit(BaseModel):
    """The most frequent values of earlier payments, and the values of the case."""

    name: str
    payments: int = Field(description="Earlier payments with any value.")
    usual: list[Value]
    now: list[Value]


class Usual(BaseModel):
    """Up to 300 payments in the 90 days before the case, and how those of the case differ."""

    payments: int
    since: datetime
    amounts: Amounts | None
    hours: Hours
    habits: list[Habit]


def usual_for(
    reader: Reader, customer: str, before: datetime, fired: Sequence[str], zone: tzinfo
) -> Usual | None:
    """What was usual before a case, and its payments: those with these event_ids, or since then.

    None without earlier payments.
    """
    earlier = _payments(reader, customer, before - HISTORY, before, MOST_PAYMENTS)
    if not earlier:
        return None
    now = _at(reader, customer, before, fired[:MOST_NOW])
    return Usual(
        payments=len(earlier),
        since=earlier[-1]["occurred_at"],
        amounts=_amounts(earlier, now),
        hours=_hours(earlier, now, zone),
        habits=[
            habit
            for name, column in _HABITS.items()
            if (habit := _habit(name, column, earlier, now)).now or habit.usual
        ],
    )


def _payments(
    reader: Reader, customer: str, since: datetime, before: datetime, limit: int
) -> list[Row]:
    """Approved payments of a customer, newest first; deposits of cash say nothing of spending."""
    return reader.rows(
        f"""SELECT {_COLUMNS} FROM stg_transactions
        WHERE customer_id = ? AND occurred_at >= ? AND occurred_at < ? AND status = 'APPROVED'
          AND transaction_type <> 'CASH_DEPOSIT'
        ORDER BY occurred_at DESC, event_id DESC LIMIT {limit:d}""",
        [customer, since, before],
    )


def _at(reader: Reader, customer: str, since: datetime, fired: Sequence[str]) -> list[Row]:
    where = Where()
    where.add("customer_id = ?", customer)
    if fired:
        where.among("event_id", fired)
        found = reader.rows(
            f"SELECT {_COLUMNS} FROM stg_transactions WHERE {where.sql}", where.parameters
        )
        if found:
            return found
    where = Where()
    where.add("customer_id = ? AND occurred_at >= ?", customer, since)
    return reader.rows(
        f"""SELECT {_COLUMNS} FROM stg_transactions WHERE {where.sql}
        ORDER BY occurred_at, event_id LIMIT {MOST_NOW:d}""",
        where.parameters,
    )


def _amounts(earlier: Sequence[Row], now: Sequence[Row]) -> Amounts | None:
    known = sorted(row["base_amount"] for row in earlier if row["base_amount"] is not None)
    if not known:
        return None
    shown = [row["base_amount"] for row in now if row["base_amount"] is not None]
    usual = median(known)
    most = known[max(0, -(-len(known) * 95 // 100) - 1)]
    largest = max(shown, default=None)
    return Amounts(
        usual=usual,
        most=most,
        earlier=known,
        now=shown,
        times=float(largest / usual) if largest is not None and usual else None,
        unusual=largest is not None and largest > most,
    )


def _hours(earlier: Sequence[Row], now: Sequence[Row], zone: tzinfo) -> Hours:
    before, during = (
        Counter(row["occurred_at"].astimezone(zone).hour for row in rows) for rows in (earlier, now)
    )
    return Hours(
        earlier=[before[hour] for hour in range(24)],
        now=[during[hour] for hour in range(24)],
        unusual=[hour for hour in sorted(during) if before[hour] <= RARE * len(earlier)],
    )


def _habit(name: str, column: str, earlier: Sequence[Row], now: Sequence[Row]) -> Habit:
    counts = Counter(row[column] for row in earlier if row[column] is not None)
    total = counts.total()

    def value(text: str) -> Value:
        return Value(value=text, count=counts[text], unusual=counts[text] <= RARE * total)

    return Habit(
        name=name,
        payments=total,
        usual=[value(text) for text, _ in counts.most_common(3)],
        now=[value(text) for text in dict.fromkeys(row[column] for row in now) if text is not None],
    )
