"""The five event types as the detector decodes them.

`producers/models.py` is the contract; these structs accept and reject exactly the same records and
decode several times faster. A test keeps the two in agreement.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from operator import attrgetter
from sys import intern
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from producers.card_numbers import card_number_in, may_contain_card_number

Id = Annotated[str, Meta(min_length=1, max_length=64)]
City = Annotated[str, Meta(min_length=1, max_length=100)]
IpAddress = Annotated[str, Meta(min_length=1, max_length=45)]
# Codes: `decode` caches its check of their characters.
Country = Annotated[str, Meta(min_length=2, max_length=2)]
Currency = Annotated[str, Meta(min_length=3, max_length=3)]
CategoryCode = Annotated[str, Meta(min_length=4, max_length=4)]
CardBin = Annotated[str, Meta(min_length=6, max_length=6)]
CardLast4 = Annotated[str, Meta(min_length=4, max_length=4)]
# Starts with a letter, so a card number can never pass for a token.
CardToken = Annotated[str, Meta(pattern=r"^[A-Za-z][A-Za-z0-9_-]{3,63}(?!\n)$")]
AlertType = Annotated[str, Meta(pattern=r"^[A-Z][A-Z0-9_]{2,39}(?!\n)$")]
# A decimal string with two places: never negative, never a float.
Amount = Annotated[str, Meta(pattern=r"^(0|[1-9][0-9]{0,11})\.[0-9]{2}(?!\n)$")]
Latitude = Annotated[float, Meta(ge=-90, le=90)]
Longitude = Annotated[float, Meta(ge=-180, le=180)]
Confidence = Annotated[float, Meta(ge=0, le=1)]
Instant = Annotated[datetime, Meta(tz=True)]
Grade = Literal["LOW", "MEDIUM", "HIGH"]


class Event(msgspec.Struct, gc=False, kw_only=True):
    """Fields of every event: an identity and the time it happened (UTC)."""

    event_id: Id
    occurred_at: Instant


class Transaction(Event, gc=False, kw_only=True):
    """A payment, transfer or cash movement, completed or not. `amount` is a decimal string in
    `currency`; detection sets `base_amount`, the same in the base currency, or None without a rate.
    """

    transaction_id: Id
    account_id: Id
    customer_id: Id
    transaction_type: Literal[
        "PURCHASE", "CASH_DEPOSIT", "CASH_WITHDRAWAL", "TRANSFER", "BILL_PAYMENT"
    ]
    channel: Literal["POS", "ECOMMERCE", "ATM", "BRANCH", "MOBILE"]
    card_present: bool
    amount: Amount
    currency: Currency
    status: Literal["APPROVED", "DECLINED", "REVERSED"]
    card_token: CardToken | None = None
    card_bin: CardBin | None = None
    card_last4: CardLast4 | None = None
    merchant_id: Id | None = None
    merchant_category: CategoryCode | None = None
    merchant_country: Country | None = None
    city: City | None = None
    latitude: Latitude | None = None
    longitude: Longitude | None = None
    device_id: Id | None = None
    ip_address: IpAddress | None = None
    payee_id: Id | None = None
    # Not in the contract: what a record has here is dropped, whatever its type.
    base_amount: Any = None


class Login(Event, gc=False, kw_only=True):
    """A sign-in attempt."""

    customer_id: Id
    outcome: Literal["SUCCESS", "FAILURE"]
    failure_reason: Literal["BAD_PASSWORD", "MFA_FAILED", "UNKNOWN_USER", "LOCKED"] | None = None
    device_id: Id | None = None
    ip_address: IpAddress | None = None
    country: Country | None = None


class CardEvent(Event, gc=False, kw_only=True):
    """A step in the life cycle of a card."""

    card_token: CardToken
    account_id: Id
    customer_id: Id
    event_type: Literal[
        "ISSUED",
        "ACTIVATED",
        "PIN_CHANGED",
        "LIMIT_CHANGED",
        "WALLET_PROVISIONED",
        "BLOCKED",
        "UNBLOCKED",
        "REPLACED",
        "EXPIRED",
    ]


class FraudAlert(Event, gc=False, kw_only=True):
    """An alert about a customer, raised by another system of the bank."""

    customer_id: Id
    alert_type: AlertType
    severity: Literal["LOW", "MEDIUM", "HIGH", "CRITICAL"]
    confidence: Confidence
    rule_id: Id
    account_id: Id | None = None
    transaction_id: Id | None = None


class KycProfile(Event, kw_only=True):
    """A customer's profile, valid from `occurred_at` on."""

    customer_id: Id
    account_ids: list[Id]
    registered_device_ids: list[Id]
    risk_tier: Grade
    kyc_status: Literal["VERIFIED", "PENDING", "EXPIRED", "REJECTED"]
    is_pep: bool
    country: Country
    home_latitude: Latitude
    home_longitude: Longitude
    segment: Literal["RETAIL", "PREMIUM", "STUDENT", "BUSINESS", "CASH_BUSINESS"]


customer_of: Callable[[Any], str] = attrgetter("customer_id")
"""The customer of an event; every type has one."""
time_of: Callable[[Any], datetime] = attrgetter("occurred_at")
"""The time of an event."""

STREAMS: dict[str, type[Event]] = {
    "transactions": Transaction,
    "logins": Login,
    "card_events": CardEvent,
    "alerts": FraudAlert,
    "kyc_profiles": KycProfile,
}
"""Stream name -> event type; the topic of a stream is `banking.` + its name."""
DERIVED = {"transactions": ("base_amount",)}
"""Fields of a stream that detection sets; they are not in the contract."""


def contract_fields(stream: str) -> tuple[str, ...]:
    """The fields of a stream's records, in the order of the contract."""
    derived = DERIVED.get(stream, ())
    return tuple(f for f in STREAMS[stream].__struct_fields__ if f not in derived)


STREAM_OF = {kind: stream for stream, kind in STREAMS.items()}


Identity = tuple[str, str]
"""What makes an event the same: its stream and its event_id."""


class Record(msgspec.Struct, frozen=True, gc=False):
    """One record from a source: its raw bytes and its origin."""

    stream: str
    raw: bytes
    origin: str
    offset: int


RECORD_LIMIT = 1 << 20
"""Maximum size of a record in bytes, the default of a Kafka topic."""

EARLIEST_YEAR = 1970
"""Earliest `occurred_at`; some systems write "0001-01-01" for an unknown time."""

_CODE_FIELDS = ("currency", "merchant_country", "merchant_category", "card_bin", "card_last4")
_CODES_OF: dict[str, Callable[[Any], tuple[str | None, ...]] | None] = {
    "transactions": attrgetter(*_CODE_FIELDS),
    "logins": lambda event: (event.country,),
    "card_events": None,
    "alerts": None,
    "kyc_profiles": lambda event: (event.country,),
}
_READERS = {
    name: (msgspec.json.Decoder(kind).decode, _CODES_OF[name]) for name, kind in STREAMS.items()
}
# A regular expression in the type would run for every record; codes repeat, so checks are cached.
_known_codes: set[str | None] = {None}
# The decoder rounds what is finer than a microsecond; elsewhere such digits are dropped.
_TOO_PRECISE = re.compile(rb'("occurred_at"\s*:\s*"[^"]{19}\.[0-9]{6})[0-9]+')
_LETTERS, _DIGITS = re.compile("[A-Z]+"), re.compile("[0-9]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_DOTS = re.compile(rb'"\.\.?"')


def is_plain(raw: bytes) -> bool:
    """Whether no text or time in some JSON, of one record or of many, needs a closer look.

    In JSON a control character needs a backslash, and only escapes hide digits.
    """
    try:
        raw.decode()  # the decoder reads only the fields that it knows
    except UnicodeDecodeError:
        return False
    return not (
        b"\\" in raw
        or b"\x7f" in raw
        or _DOTS.search(raw)
        or _TOO_PRECISE.search(raw)
        or may_contain_card_number(raw)
    )


def decode(record: Record, plain: bool = False) -> Event:
    """Decode a record into an event with its time in UTC; `plain` where `is_plain` has said so.

    Raises `ValueError` with a reason that names the field when the record breaks the contract.
    """
    reader = _READERS.get(record.stream)
    if reader is None:
        raise ValueError(f"unknown stream {record.stream!r}; known are {', '.join(STREAMS)}")
    raw = record.raw
    if len(raw) > RECORD_LIMIT:
        raise ValueError(f"longer than {RECORD_LIMIT} bytes; its first part is kept")
    if not raw:
        raise ValueError("empty: a blank line, or a record without a value (a tombstone)")
    read, codes_of = reader
    plain = plain or is_plain(raw)
    try:
        event = read(raw if plain else _TOO_PRECISE.sub(rb"\1", raw))
        # UTC times share one tzinfo object, which makes comparing them several times faster.
        if event.occurred_at.tzinfo is not UTC:
            event.occurred_at = event.occurred_at.astimezone(UTC)
        if not plain:
            raw.decode()
    except (msgspec.MsgspecError, UnicodeDecodeError, OverflowError, RecursionError) as error:
        raise ValueError(str(error)) from error
    if type(event) is Transaction:
        event.base_amount = None
    if event.occurred_at.year < EARLIEST_YEAR:
        raise ValueError(f"a time is not before {EARLIEST_YEAR} - at `$.occurred_at`")
    if not plain:
        _check_texts(event)
    if codes_of and not _known_codes.issuperset(codes := codes_of(event)):
        _check_codes(codes)
    return event


def share_texts(event: Transaction) -> None:
    """Make the texts that few values take one object each, since windows keep events for minutes.

    Those of one account are left alone: to look up so many takes longer than it saves.
    """
    event.currency = intern(event.currency)
    if event.card_bin is not None:
        event.card_bin = intern(event.card_bin)
    if event.card_last4 is not None:
        event.card_last4 = intern(event.card_last4)
    if event.merchant_id is not None:
        event.merchant_id = intern(event.merchant_id)
    if event.merchant_category is not None:
        event.merchant_category = intern(event.merchant_category)
    if event.merchant_country is not None:
        event.merchant_country = intern(event.merchant_country)
    if event.city is not None:
        event.city = intern(event.city)


def _check_codes(codes: tuple[str | None, ...]) -> None:
    """Check that countries and currencies are capital letters, and numeric codes digits."""
    for code in codes:
        if code is None:
            continue
        kind, wanted = ("digits", _DIGITS) if len(code) > 3 else ("capital letters", _LETTERS)
        if not wanted.fullmatch(code):
            raise ValueError(f"{code!r} is not a code of {len(code)} {kind}")
        _known_codes.add(code)


def _check_texts(event: Event) -> None:
    """Check ids and other texts for what no terminal, URL or store can bear, and for card numbers.

    Raises `ValueError` that names the field, and not its content.
    """
    for name in event.__struct_fields__:
        value = getattr(event, name)
        for text in value if isinstance(value, list) else (value,):
            if type(text) is not str:
                continue
            if _CONTROL.search(text):
                raise ValueError(f"contains a control character - at `$.{name}`")
            if text in (".", ".."):
                raise ValueError(f"{text!r} is no name - at `$.{name}`")
            if card_number_in(text):
                raise ValueError(f"contains a card number; send a token - at `$.{name}`")
