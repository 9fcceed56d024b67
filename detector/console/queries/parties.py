"""Customers and accounts: profile, cards, and the entities they used."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from pydantic import BaseModel

from detector.console.queries.where import Where
from detector.pipeline.ports import Reader

SHOWN = 20
"""Maximum number of accounts, cards, devices and so on that a page lists."""


class Profile(BaseModel):
    """The KYC profile in force since a time; `customer_since` is that of the first one."""

    since: datetime
    customer_since: datetime
    account_ids: list[str]
    registered_device_ids: list[str]
    risk_tier: str
    kyc_status: str
    is_pep: bool
    country: str
    home_latitude: float
    home_longitude: float
    segment: str


class Card(BaseModel):
    """A card by its token; `last_event` is its latest life-cycle step."""

    card_token: str
    card_bin: str | None
    card_last4: str | None
    account_id: str
    transactions: int
    last_at: datetime
    last_event: str | None = None


class Entity(BaseModel):
    """A device, an IP address or a merchant, and how it was used; money in the base currency.

    `registered` is whether the profile in force lists a device.
    """

    id: str
    transactions: int
    amount: Decimal
    declined: int
    logins: int
    failed_logins: int
    first_at: datetime
    last_at: datetime
    registered: bool | None = None
    note: str | None = None


class Entities(BaseModel):
    """The most recently used entities of each kind."""

    devices: list[Entity]
    ip_addresses: list[Entity]
    merchants: list[Entity]


def profile_of(reader: Reader, customer_id: str) -> Profile | None:
    """The latest profile of a customer; None without one."""
    rows = reader.rows(
        """SELECT * FROM stg_kyc_profiles WHERE customer_id = ?
        ORDER BY occurred_at DESC, event_id DESC LIMIT 1""",
        [customer_id],
    )
    if not rows:
        return None
    [first] = reader.rows(
        "SELECT MIN(occurred_at) AS at FROM stg_kyc_profiles WHERE customer_id = ?", [customer_id]
    )
    times = {"since": rows[0]["occurred_at"], "customer_since": first["at"]}
    return Profile.model_validate({**rows[0], **times})


def customer_of(reader: Reader, account_id: str) -> str | None:
    """The customer of an account: of its latest transaction, else of a profile, else None."""
    for source, test in (
        ("stg_transactions", "account_id = ?"),
        ("stg_kyc_profiles", "? = ANY(account_ids)"),
    ):
        rows = reader.rows(
            f"""SELECT customer_id FROM {source} WHERE {test}
            ORDER BY occurred_at DESC, event_id DESC LIMIT 1""",
            [account_id],
        )
        if rows:
            return str(rows[0]["customer_id"])
    return None


def cards_of(reader: Reader, column: str, value: str) -> list[Card]:
    """The cards of a customer or an account (`column` says which), the latest used first."""
    rows = reader.rows(
        f"""SELECT card_token, MAX(card_bin) AS card_bin, MAX(card_last4) AS card_last4,
          MAX(account_id) AS account_id, COUNT(*) AS transactions, MAX(occurred_at) AS last_at
        FROM stg_transactions WHERE {column} = ? AND card_token IS NOT NULL
        GROUP BY card_token ORDER BY last_at DESC, card_token LIMIT {SHOWN}""",
        [value],
    )
    events = reader.rows(
        f"""SELECT card_token, event_type FROM stg_card_events WHERE {column} = ?
        ORDER BY occurred_at, event_id""",
        [value],
    )
    latest = {row["card_token"]: row["event_type"] for row in events}
    return [
        Card.model_validate({**row, "last_event": latest.get(row["card_token"])}) for row in rows
    ]


def entities_of(
    reader: Reader,
    account: str | None,
    customer: str | None,
    registered: Sequence[str] = (),
    since: datetime | None = None,
    until: datetime | None = None,
) -> Entities:
    """The entities that an account (with its customer's logins), or a customer, has used."""

    def found(kind: str) -> list[Entity]:
        return _used(reader, kind, account, customer, since, until)

    devices = found("device_id")
    for device in devices:
        device.registered = device.id in registered
    return Entities(
        devices=devices, ip_addresses=found("ip_address"), merchants=found("merchant_id")
    )


def _used(
    reader: Reader,
    column: str,
    account: str | None,
    customer: str | None,
    since: datetime | None,
    until: datetime | None,
) -> list[Entity]:
    spent, signed_in = Where(), Where()
    if account is not None:
        spent.add("account_id = ?", account)
    else:
        spent.add("customer_id = ?", customer)
    signed_in.add("customer_id = ?", customer)
    for where in (spent, signed_in):
        where.add(f"{column} IS NOT NULL")
        if since is not None:
            where.add("occurred_at >= ?", since)
        if until is not None:
            where.add("occurred_at <= ?", until)
    note = "merchant_category" if column == "merchant_id" else "CAST(NULL AS VARCHAR)"
    uses = f"""SELECT {column} AS id, COALESCE(base_amount, 0) AS amount, 1 AS paid,
        CASE WHEN status = 'DECLINED' THEN 1 ELSE 0 END AS declined,
        0 AS signed_in, 0 AS failed, occurred_at, {note} AS note
      FROM stg_transactions WHERE {spent.sql}"""
    parameters = spent.parameters
    if column != "merchant_id":
        uses += f""" UNION ALL SELECT {column}, 0, 0, 0, 1,
          CASE WHEN outcome = 'FAILURE' THEN 1 ELSE 0 END, occurred_at, country
        FROM stg_logins WHERE {signed_in.sql}"""
        parameters = parameters + signed_in.parameters
    rows = reader.rows(
        f"""SELECT id, SUM(paid) AS transactions, SUM(amount) AS amount, SUM(declined) AS declined,
          SUM(signed_in) AS logins, SUM(failed) AS failed_logins, MIN(occurred_at) AS first_at,
          MAX(occurred_at) AS last_at, MAX(note) AS note
        FROM ({uses}) AS uses GROUP BY id ORDER BY last_at DESC, id LIMIT {SHOWN}""",
        parameters,
    )
    return [Entity.model_validate(row) for row in rows]
