"""Event time by the minute: transactions, money, flagged transactions and signals."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from pydantic import BaseModel

from detector.pipeline.buckets import Bucket
from detector.pipeline.ports import Reader
from detector.signals.rules import Rules

HOUR = 60
_MINUTE = timedelta(minutes=1)


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


def read_minutes(rules: Rules, reader: Reader) -> list[Bucket]:
    """The newest sixty minutes that have transactions or signals, in order of time."""
    counts = ", ".join(f"signals_{name}" for name in rules.patterns)
    rows = reader.rows(
        f"SELECT window_start, transactions, amount, flagged, {counts} FROM mv_fraud_kpis_1min "
        f"ORDER BY window_start DESC LIMIT {HOUR:d}"
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


def without_gaps(minutes: list[MinuteCounts], until: datetime) -> list[MinuteCounts]:
    """Up to sixty consecutive minutes, ending with that of `until`.

    Those without activity are zero, and those before the first activity are left out.
    """
    known = {m.minute.astimezone(UTC): m for m in minutes}
    last = until.astimezone(UTC).replace(second=0, microsecond=0)
    first = min(known, default=last)
    hour = [
        last - n * _MINUTE for n in reversed(range(HOUR)) if n == 0 or last - n * _MINUTE >= first
    ]
    return [
        known.get(minute)
        or MinuteCounts(minute=minute, transactions=0, amount=Decimal(0), flagged=0, signals={})
        for minute in hour
    ]
