"""Event time by the minute: transactions, money, flagged transactions and signals."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from pydantic import BaseModel

from detector.console.queries.where import Where
from detector.pipeline.buckets import Bucket
from detector.pipeline.ports import Reader
from detector.signals.rules import Rules

HOUR = 60
_MINUTE = timedelta(minutes=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class MinuteCounts(BaseModel):
    """One minute of event time."""

    minute: datetime
    transactions: int
    amount: Decimal
    flagged: int
    signals: dict[str, int]

    @classmethod
    def of(cls, bucket: Bucket) -> "MinuteCounts":
        """The counts of a bucket one minute wide."""
        return cls(
            minute=bucket.window_start,
            transactions=bucket.transactions,
            amount=bucket.amount,
            flagged=bucket.flagged,
            signals=bucket.signals,
        )


def read_minutes(
    rules: Rules, reader: Reader, until: datetime | None = None, most: int = HOUR
) -> list[Bucket]:
    """The newest minutes, before a time, that have transactions or signals, in order of time."""
    counts = ", ".join(f"signals_{name}" for name in rules.patterns)
    where = Where()
    if until is not None:
        where.add("window_start < ?", until)
    rows = reader.rows(
        f"SELECT window_start, transactions, amount, flagged, {counts} FROM mv_fraud_kpis_1min "
        f"WHERE {where.sql} ORDER BY window_start DESC LIMIT {most:d}",
        where.parameters,
    )
    return [
        Bucket(
            window_start=row["window_start"],
            transactions=row["transactions"],
            amount=Decimal(row["amount"]),
            flagged=row["flagged"],
            signals={name: row[f"signals_{name}"] for name in rules.patterns},
        )
        for row in reversed(rows)
    ]


def without_gaps(
    minutes: list[MinuteCounts], until: datetime, step: timedelta = _MINUTE
) -> list[MinuteCounts]:
    """Up to sixty consecutive minutes, or longer steps, ending with that of `until`.

    Those without activity are zero, and those before the first activity are left out.
    """
    known: dict[datetime, MinuteCounts] = {}
    for m in minutes:
        at = _start(m.minute, step)
        known[at] = _sum(known[at], m) if at in known else m.model_copy(update={"minute": at})
    last = _start(until, step)
    first = min(known, default=last)
    steps = [last - n * step for n in reversed(range(HOUR)) if n == 0 or last - n * step >= first]
    return [
        known.get(at)
        or MinuteCounts(minute=at, transactions=0, amount=Decimal(0), flagged=0, signals={})
        for at in steps
    ]


def _start(at: datetime, step: timedelta) -> datetime:
    return at.astimezone(UTC) - (at.astimezone(UTC) - _EPOCH) % step


def _sum(one: MinuteCounts, other: MinuteCounts) -> MinuteCounts:
    return MinuteCounts(
        minute=one.minute,
        transactions=one.transactions + other.transactions,
        amount=one.amount + other.amount,
        flagged=one.flagged + other.flagged,
        signals=dict(Counter(one.signals) + Counter(other.signals)),
    )
