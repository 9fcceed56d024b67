"""The activity of an account or a customer: transactions, logins, card events, alerts."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Literal

from pydantic import BaseModel

from detector.console.queries.where import Where
from detector.core.data import Row
from detector.pipeline.ports import Reader

_TEXT = "CAST(NULL AS VARCHAR)"
# Of what is no transaction, typed: RisingWave adapts no bare NULL. The amount has two places.
_AMOUNT = "NULLIF(0.00, 0.00)"
_NO_PAYMENT = ", ".join(
    [
        *[_TEXT] * 5, _AMOUNT, _TEXT, "CAST(NULL AS BOOLEAN)",
        *["CAST(NULL AS DOUBLE PRECISION)"] * 2, _AMOUNT,
    ]
)  # fmt: skip
# The same columns from every stream, in this order.
_SELECTS = {
    "transaction": """SELECT occurred_at, event_id, 'transaction' AS kind, account_id, customer_id,
      transaction_type AS what, status AS outcome, device_id, ip_address,
      merchant_country AS country, card_token, card_last4, channel, merchant_id,
      merchant_category, city, amount, currency, card_present, latitude, longitude,
      base_amount, CAST(NULL AS VARCHAR) AS source
    FROM stg_transactions""",
    "login": f"""SELECT occurred_at, event_id, 'login', CAST(NULL AS VARCHAR), customer_id,
      COALESCE(failure_reason, 'SIGNED_IN'), outcome, device_id, ip_address, country,
      CAST(NULL AS VARCHAR), {_NO_PAYMENT}, {_TEXT}
    FROM stg_logins""",
    "card": f"""SELECT occurred_at, event_id, 'card', account_id, customer_id,
      event_type, CAST(NULL AS VARCHAR), CAST(NULL AS VARCHAR), CAST(NULL AS VARCHAR),
      CAST(NULL AS VARCHAR), card_token, {_NO_PAYMENT}, {_TEXT}
    FROM stg_card_events""",
    "alert": f"""SELECT occurred_at, event_id, 'alert', account_id, customer_id,
      alert_type, severity, CAST(NULL AS VARCHAR), CAST(NULL AS VARCHAR), CAST(NULL AS VARCHAR),
      CAST(NULL AS VARCHAR), {_NO_PAYMENT}, rule_id
    FROM stg_alerts""",
}
_OF_ACCOUNT = {"transaction", "card"}


class Activity(BaseModel):
    """One event of any stream. `what` is its type, `outcome` its status or severity.

    `source` is the rule that another system's alert comes from.
    `fired` names the patterns that fired at it.
    """

    at: datetime
    event_id: str
    kind: Literal["transaction", "login", "card", "alert"]
    account_id: str | None
    customer_id: str
    what: str
    outcome: str | None
    device_id: str | None
    ip_address: str | None
    country: str | None
    card_token: str | None
    card_last4: str | None
    channel: str | None
    merchant_id: str | None
    merchant_category: str | None
    city: str | None
    amount: Decimal | None
    currency: str | None
    base_amount: Decimal | None
    card_present: bool | None
    latitude: float | None
    longitude: float | None
    source: str | None
    fired: list[str]

    @property
    def failed(self) -> bool:
        """Whether it was refused: a declined payment, a failed login."""
        return self.outcome in ("DECLINED", "FAILURE")


def activities(
    reader: Reader,
    *,
    account: str | None = None,
    customer: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    before: tuple[datetime, str] | None = None,
    limit: int = 50,
) -> list[Activity]:
    """The newest events first. An account's own events, with its customer's logins and alerts."""
    parts, parameters = [], []
    for kind, select in _SELECTS.items():
        where = Where()
        if account is not None and kind in _OF_ACCOUNT:
            where.add("account_id = ?", account)
        elif customer is not None:
            where.add("customer_id = ?", customer)
        else:
            continue
        if since is not None:
            where.add("occurred_at >= ?", since)
        if until is not None:
            where.add("occurred_at <= ?", until)
        if before is not None:
            at, event_id = before
            where.add("(occurred_at < ? OR (occurred_at = ? AND event_id < ?))", at, at, event_id)
        parts.append(f"{select} WHERE {where.sql}")
        parameters += where.parameters
    if not parts:
        return []
    rows = reader.rows(
        f"""SELECT * FROM ({" UNION ALL ".join(parts)}) AS activity
        ORDER BY occurred_at DESC, event_id DESC LIMIT {limit:d}""",
        parameters,
    )
    fired = _fired(reader, rows)
    return [
        Activity.model_validate(
            {**row, "at": row["occurred_at"], "fired": fired.get(row["event_id"], [])}
        )
        for row in rows
    ]


def _fired(reader: Reader, rows: Sequence[Row]) -> dict[str, list[str]]:
    if not rows:
        return {}
    where = Where()
    where.among("event_id", [row["event_id"] for row in rows])
    where.add("occurred_at BETWEEN ? AND ?", rows[-1]["occurred_at"], rows[0]["occurred_at"])
    found: dict[str, list[str]] = {}
    for row in reader.rows(
        f"""SELECT event_id, pattern FROM mv_fraud_signals WHERE {where.sql}
        ORDER BY weight DESC, pattern""",
        where.parameters,
    ):
        found.setdefault(row["event_id"], []).append(row["pattern"])
    return found
