"""The event contract: five Pydantic models, one per topic of the bank.

It defines what a topic carries. Validation is strict: a number is not an amount, a naive time is
not a time, and an identifier is never empty. `is_fraud`, `fraud_scenario` and `scenario_instance`
are an event's labels; they can be read in Python, are in no payload, and cannot be set by one.
"""

import json
import re
import sys
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    StringConstraints,
)
from pydantic_core import CoreSchema, core_schema

from producers.card_numbers import card_number_in

AMOUNT_PATTERN = r"^(0|[1-9][0-9]{0,11})\.[0-9]{2}(?!\n)$"
TIME_PATTERN = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?"
    r"([Zz]|[+-][0-9]{2}:?[0-9]{2})(?!\n)$"
)
_CENT = Decimal("0.01")
_AMOUNT_LIMIT = Decimal(10) ** 12
_TIME = re.compile(TIME_PATTERN)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_EARLIEST_YEAR = 1970  # some systems write "0001-01-01" for an unknown time


def _to_cents(value: Decimal) -> Decimal:
    if not value.is_finite() or value.is_signed() or value >= _AMOUNT_LIMIT:
        raise ValueError("an amount must be from 0.00 to 999999999999.99")
    if value.as_tuple().exponent == -2:
        return value
    cents = value.quantize(_CENT)
    if cents != value:
        raise ValueError("an amount has at most two decimals")
    return cents


def _to_utc(value: datetime) -> datetime:
    if value.utcoffset() is None:
        raise ValueError("a time needs an offset from UTC")
    try:
        value = value if value.tzinfo is UTC else value.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("the time is out of range") from error
    if value.year < _EARLIEST_YEAR:
        raise ValueError(f"a time must not be before {_EARLIEST_YEAR}")
    return value


def _rfc3339(value: str) -> str:
    if not _TIME.match(value):
        raise ValueError("a time is an RFC 3339 string such as 2026-01-05T00:00:00.123000Z")
    return value


def _text(value: str) -> str:
    if _CONTROL.search(value):
        raise ValueError("a text has no control characters")
    if value in (".", ".."):
        raise ValueError(f"{value!r} is no name")
    if card_number_in(value):
        raise ValueError("a text has no card number; send a token")
    return value


class _Amount:
    """A non-negative `Decimal` with two decimals; in JSON a string such as "12.50"."""

    @classmethod
    def __get_pydantic_core_schema__(cls, _: Any, __: GetCoreSchemaHandler) -> CoreSchema:
        text = core_schema.str_schema(pattern=AMOUNT_PATTERN, regex_engine="python-re")
        return core_schema.json_or_python_schema(
            json_schema=core_schema.no_info_after_validator_function(Decimal, text),
            python_schema=core_schema.no_info_after_validator_function(
                _to_cents, core_schema.is_instance_schema(Decimal)
            ),
            serialization=core_schema.plain_serializer_function_ser_schema(
                str, return_schema=text, when_used="json"
            ),
        )


class _UtcTime:
    """An aware `datetime` in UTC; in JSON an RFC 3339 string with `Z` or an offset."""

    @classmethod
    def __get_pydantic_core_schema__(cls, _: Any, __: GetCoreSchemaHandler) -> CoreSchema:
        def moment(strict: bool) -> CoreSchema:
            return core_schema.no_info_after_validator_function(
                _to_utc, core_schema.datetime_schema(strict=strict)
            )

        text = core_schema.no_info_after_validator_function(
            _rfc3339, core_schema.str_schema(strict=True)
        )
        return core_schema.json_or_python_schema(
            json_schema=core_schema.chain_schema([text, moment(strict=False)]),
            python_schema=moment(strict=True),
        )


class _Truth:
    """A label that Python code sets and reads; ignored in a payload."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        unknown = False if source is bool else None
        return core_schema.json_or_python_schema(
            json_schema=core_schema.no_info_plain_validator_function(lambda _: unknown),
            python_schema=handler(source),
        )


Id = Annotated[str, StringConstraints(min_length=1, max_length=64), AfterValidator(_text)]
City = Annotated[str, StringConstraints(min_length=1, max_length=100), AfterValidator(_text)]
IpAddress = Annotated[str, StringConstraints(min_length=1, max_length=45), AfterValidator(_text)]
Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}(?!\n)$")]
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}(?!\n)$")]
MerchantCategory = Annotated[str, StringConstraints(pattern=r"^[0-9]{4}(?!\n)$")]
# A token starts with a letter, so a card number cannot be mistaken for one.
CardToken = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_-]{3,63}(?!\n)$")]
CardBin = Annotated[str, StringConstraints(pattern=r"^[0-9]{6}(?!\n)$")]
CardLast4 = Annotated[str, StringConstraints(pattern=r"^[0-9]{4}(?!\n)$")]
AlertType = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]{2,39}(?!\n)$")]
Latitude = Annotated[float, Field(ge=-90, le=90)]
Longitude = Annotated[float, Field(ge=-180, le=180)]
Confidence = Annotated[float, Field(ge=0, le=1)]
Amount = Annotated[Decimal, _Amount]
UtcTime = Annotated[datetime, _UtcTime]

TransactionType = Literal["PURCHASE", "CASH_DEPOSIT", "CASH_WITHDRAWAL", "TRANSFER", "BILL_PAYMENT"]
Channel = Literal["POS", "ECOMMERCE", "ATM", "BRANCH", "MOBILE"]
TransactionStatus = Literal["APPROVED", "DECLINED", "REVERSED"]
FailureReason = Literal["BAD_PASSWORD", "MFA_FAILED", "UNKNOWN_USER", "LOCKED"]
CardEventType = Literal[
    "ISSUED", "ACTIVATED", "PIN_CHANGED", "LIMIT_CHANGED", "WALLET_PROVISIONED",
    "BLOCKED", "UNBLOCKED", "REPLACED", "EXPIRED",
]  # fmt: skip
Severity = Literal["LOW", "MEDIUM", "HIGH", "CRITICAL"]
RiskTier = Literal["LOW", "MEDIUM", "HIGH"]
KycStatus = Literal["VERIFIED", "PENDING", "EXPIRED", "REJECTED"]
Segment = Literal["RETAIL", "PREMIUM", "STUDENT", "BUSINESS", "CASH_BUSINESS"]


class Event(BaseModel):
    """Fields of every event: a globally unique id, and the time in the bank's world."""

    model_config = ConfigDict(
        frozen=True,
        strict=True,
        extra="ignore",
        regex_engine="python-re",
        allow_inf_nan=False,
    )
    topic: ClassVar[str]

    event_id: Id
    occurred_at: UtcTime

    def to_json(self) -> bytes:
        """Return the payload as compact UTF-8 JSON, without labels."""
        return self.__pydantic_serializer__.to_json(self)


class LabelledEvent(Event):
    """An event with labels that exist only in Python."""

    is_fraud: Annotated[bool, _Truth] = Field(default=False, exclude=True)
    fraud_scenario: Annotated[str | None, _Truth] = Field(default=None, exclude=True)
    scenario_instance: Annotated[str | None, _Truth] = Field(default=None, exclude=True)


class Transaction(LabelledEvent):
    """A movement of money on an account, approved or not."""

    topic: ClassVar[str] = "banking.transactions"

    transaction_id: Id
    account_id: Id
    customer_id: Id
    transaction_type: TransactionType
    channel: Channel
    card_present: bool
    amount: Amount
    currency: Currency
    status: TransactionStatus
    card_token: CardToken | None = None
    card_bin: CardBin | None = None
    card_last4: CardLast4 | None = None
    merchant_id: Id | None = None
    merchant_category: MerchantCategory | None = None
    merchant_country: Country | None = None
    city: City | None = None
    latitude: Latitude | None = None
    longitude: Longitude | None = None
    device_id: Id | None = None
    ip_address: IpAddress | None = None
    payee_id: Id | None = None


class Login(LabelledEvent):
    """A sign-in attempt."""

    topic: ClassVar[str] = "banking.logins"

    customer_id: Id
    outcome: Literal["SUCCESS", "FAILURE"]
    failure_reason: FailureReason | None = None
    device_id: Id | None = None
    ip_address: IpAddress | None = None
    country: Country | None = None


class CardEvent(Event):
    """A step in the life cycle of a card."""

    topic: ClassVar[str] = "banking.card_events"

    card_token: CardToken
    account_id: Id
    customer_id: Id
    event_type: CardEventType


class FraudAlert(LabelledEvent):
    """An alert of another system of the bank."""

    topic: ClassVar[str] = "banking.alerts"

    customer_id: Id
    alert_type: AlertType
    severity: Severity
    confidence: Confidence
    rule_id: Id
    account_id: Id | None = None
    transaction_id: Id | None = None


class KycProfile(Event):
    """A customer's profile, valid from `occurred_at` on; replaces the previous one."""

    topic: ClassVar[str] = "banking.kyc_profiles"

    customer_id: Id
    account_ids: list[Id]
    registered_device_ids: list[Id]
    risk_tier: RiskTier
    kyc_status: KycStatus
    is_pep: bool
    country: Country
    home_latitude: Latitude
    home_longitude: Longitude
    segment: Segment


TOPICS: dict[str, type[Event]] = {
    model.topic: model for model in (Transaction, Login, CardEvent, FraudAlert, KycProfile)
}
DLQ_TOPIC = "banking.dlq"


class DeadLetter(Event):
    """An event that could not be sent, or should not have been requested, with the reason."""

    topic: ClassVar[str] = DLQ_TOPIC

    source_topic: str
    reason: str
    payload: str


def json_schemas() -> dict[str, dict[str, Any]]:
    """Return the JSON Schema of each topic's payload."""
    return {topic: model.model_json_schema(mode="serialization") for topic, model in TOPICS.items()}


if __name__ == "__main__":
    json.dump(json_schemas(), sys.stdout, indent=2)
    sys.stdout.write("\n")
