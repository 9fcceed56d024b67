"""The two readers of the contract accept and reject the same records.

`producers.models` is the contract, `detector.core.events` the fast reader of it.
"""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.core.events import (
    EARLIEST_YEAR,
    RECORD_LIMIT,
    STREAMS,
    Record,
    contract_fields,
    decode,
)
from producers.models import TOPICS
from tests import build

WHOLE = {
    stream: {f: v for f, v in json.loads(build.raw(event)).items() if f in contract_fields(stream)}
    for stream, event in build.every_kind().items()
}


def _fast(stream: str, raw: bytes) -> dict[str, Any] | None:
    try:
        event = decode(Record(stream, raw, "test", 1))
    except ValueError:
        return None
    return {name: getattr(event, name) for name in contract_fields(stream)}


def _contract(stream: str, raw: bytes) -> dict[str, Any] | None:
    try:
        event = TOPICS[f"banking.{stream}"].model_validate_json(raw)
    except ValueError:
        return None
    return {n: str(v) if isinstance(v, Decimal) else v for n, v in event.model_dump().items()}


def agreed(stream: str, record: dict[str, Any] | bytes) -> bool:
    """Whether the record is accepted, having checked that both readers read the same from it."""
    raw = record if isinstance(record, bytes) else json.dumps(record).encode()
    fast, contract = _fast(stream, raw), _contract(stream, raw)
    assert fast == contract
    return fast is not None


@pytest.mark.parametrize("stream", STREAMS)
def test_both_readers_know_the_same_fields(stream: str) -> None:
    """A field added to one side is missed on the other at once."""
    truth = {"is_fraud", "fraud_scenario", "scenario_instance"}
    assert set(contract_fields(stream)) == set(TOPICS[f"banking.{stream}"].model_fields) - (truth)


@pytest.mark.parametrize("stream", STREAMS)
def test_a_whole_record_is_accepted_with_and_without_its_optional_fields(stream: str) -> None:
    """Null, absent and present are all fine for what may be missing."""
    assert agreed(stream, WHOLE[stream])
    optional = {
        f for f in WHOLE[stream] if not TOPICS[f"banking.{stream}"].model_fields[f].is_required()
    }
    assert agreed(stream, {k: v for k, v in WHOLE[stream].items() if k not in optional})
    assert agreed(stream, {**WHOLE[stream], **dict.fromkeys(optional)})


@pytest.mark.parametrize(
    ("stream", "field"), [(s, f) for s, record in WHOLE.items() for f in record]
)
def test_a_field_that_is_required_can_be_neither_absent_nor_null(stream: str, field: str) -> None:
    """Field by field, both readers know what an event cannot do without."""
    required = TOPICS[f"banking.{stream}"].model_fields[field].is_required()
    absent = {k: v for k, v in WHOLE[stream].items() if k != field}
    assert agreed(stream, absent) is not required
    assert agreed(stream, {**absent, field: None}) is not required
    assert not agreed(stream, {**absent, field: {"nested": 1}})


TIMES = {
    "2026-01-05T00:00:00Z": True,
    "2026-01-05T00:00:00.5Z": True,
    "2026-01-05T00:00:00.123456Z": True,
    "2026-01-05T00:00:00+10:00": True,
    "2026-01-05T00:00:00-11:30": True,
    "2026-01-05T00:00:00+1000": True,
    "2026-01-05T00:00:00-00:00": True,
    "2026-01-05t00:00:00z": True,
    "2026-01-05 00:00:00Z": True,
    "2024-02-29T00:00:00Z": True,
    "1970-01-01T00:00:00Z": True,
    "9999-12-31T23:59:59Z": True,
    "2026-01-05T00:00:00": False,
    "2026-01-05T00:00Z": False,
    "2026-01-05": False,
    "2026-02-29T00:00:00Z": False,
    "2026-13-01T00:00:00Z": False,
    "2026-01-05T24:00:00Z": False,
    "2026-01-05T23:59:60Z": False,
    "2026-01-05T00:00:00+24:00": False,
    "2026-01-05T00:00:00+10:60": False,
    "2026-01-05T00:00:00+10": False,
    "2026-01-05T00:00:00.Z": False,
    "2026-01-05T00:00:00,5Z": False,
    "2026-01-05_00:00:00Z": False,
    "2026-01-05T00:00:00Z\n": False,
    " 2026-01-05T00:00:00Z": False,
    "20260105T000000Z": False,
    "\u0662026-01-05T00:00:00Z": False,
    "1969-12-31T23:59:59Z": False,
    "1970-01-01T00:00:00+01:00": False,
    "0001-01-01T00:00:00Z": False,
    "0001-01-01T00:00:00+01:00": False,
    "0000-01-01T00:00:00Z": False,
    "9999-12-31T23:59:59-01:00": False,
    "now": False,
    "": False,
    1767571200: False,
    1767571200.5: False,
    True: False,
}


@pytest.mark.parametrize(("text", "fine"), TIMES.items(), ids=repr)
@pytest.mark.parametrize("stream", STREAMS)
def test_times_are_rfc_3339_with_an_offset_from_1970_on(stream: str, text: Any, fine: bool) -> None:
    """A naive time, a Unix number or a moment that cannot be is refused by both."""
    assert agreed(stream, {**WHOLE[stream], "occurred_at": text}) is fine


AMOUNTS = {
    "0.00": True,
    "0.01": True,
    "9999.99": True,
    "999999999999.99": True,
    "1000000000000.00": False,
    "-1.00": False,
    "-0.00": False,
    "+1.00": False,
    "01.00": False,
    "1": False,
    "1.0": False,
    "1.000": False,
    ".50": False,
    "1,00": False,
    "1e2": False,
    "1_0.00": False,
    "NaN": False,
    "Infinity": False,
    "1.00\n": False,
    " 1.00": False,
    "\u0661.00": False,
    "": False,
    1: False,
    1.25: False,
}


@pytest.mark.parametrize(("amount", "fine"), AMOUNTS.items(), ids=repr)
def test_amounts_are_decimal_strings_with_two_places(amount: Any, fine: bool) -> None:
    """Never negative, never a float, never a third decimal."""
    assert agreed("transactions", {**WHOLE["transactions"], "amount": amount}) is fine


TEXTS = {
    ("account_id", "x" * 64): True,
    ("account_id", "x" * 65): False,
    ("account_id", "😀" * 64): True,
    ("account_id", "😀" * 65): False,
    ("account_id", ""): False,
    ("account_id", " "): True,
    ("account_id", "\u0000"): False,
    ("account_id", "a\nb"): False,
    ("account_id", "a\x7f"): False,
    ("account_id", ".."): False,
    ("account_id", "a\u2028"): True,
    ("account_id", "\ud800"): False,
    ("event_id", "\udc00"): False,
    ("account_id", "\ud83d\ude00"): True,
    ("account_id", 5): False,
    ("city", "x" * 100): True,
    ("city", "x" * 101): False,
    ("city", ""): False,
    ("ip_address", "x" * 45): True,
    ("ip_address", "x" * 46): False,
    ("card_token", "tok1"): True,
    ("card_token", "tok"): False,
    ("card_token", "t" + "x" * 63): True,
    ("card_token", "t" + "x" * 64): False,
    ("card_token", "tok 1"): False,
    ("card_token", "tök1"): False,
    ("card_token", "tok1\n"): False,
    ("card_bin", "411111"): True,
    ("card_bin", "41111"): False,
    ("card_bin", "\uff1411111"): False,
    ("card_bin", "411111\n"): False,
    ("card_last4", 1111): False,
    ("card_last4", "111a"): False,
    ("merchant_country", "au"): False,
    ("merchant_country", "A1"): False,
    ("merchant_country", "AUS"): False,
    ("merchant_country", "ÅU"): False,
    ("merchant_country", "AU\n"): False,
    ("currency", "AU"): False,
    ("currency", "aud"): False,
    ("currency", "123"): False,
    ("merchant_category", "541"): False,
    ("merchant_category", "ABCD"): False,
    ("merchant_category", "5411"): True,
    ("card_present", 1): False,
    ("card_present", "true"): False,
    ("status", "approved"): False,
    ("latitude", 90): True,
    ("latitude", -90.0): True,
    ("latitude", 90.0001): False,
    ("latitude", "1"): False,
    ("latitude", True): False,
    ("latitude", 10**400): False,
    ("longitude", 180): True,
    ("longitude", -180.5): False,
}


@pytest.mark.parametrize(("field", "value"), TEXTS, ids=lambda v: repr(v)[:24])
def test_every_field_keeps_to_its_form(field: str, value: Any) -> None:
    """Lengths count characters, codes are exact, and a number is no text."""
    record = {**WHOLE["transactions"], field: value}
    assert agreed("transactions", record) is TEXTS[field, value]


def test_a_code_seen_in_one_field_does_not_open_another() -> None:
    """Each kind of code is judged for its own field, whatever was read before."""
    assert agreed("transactions", {**WHOLE["transactions"], "card_last4": "5411"})
    assert not agreed("transactions", {**WHOLE["transactions"], "merchant_country": "54"})
    assert not agreed("transactions", {**WHOLE["transactions"], "card_bin": "AUDAUD"})
    assert not agreed("logins", {**WHOLE["logins"], "country": "54"})


@pytest.mark.parametrize(
    ("field", "value", "fine"),
    [
        ("account_ids", [], True),
        ("account_ids", ["a", "a"], True),
        ("account_ids", ["x" * 65], False),
        ("account_ids", [""], False),
        ("account_ids", [None], False),
        ("account_ids", "acc-1", False),
        ("account_ids", {"acc-1": 1}, False),
        ("registered_device_ids", [1], False),
        ("is_pep", 0, False),
        ("risk_tier", "CRITICAL", False),
        ("segment", "", False),
        ("home_latitude", None, False),
    ],
)
def test_profiles_keep_to_their_form(field: str, value: Any, fine: bool) -> None:
    """Lists are lists of ids, and flags are true or false."""
    assert agreed("kyc_profiles", {**WHOLE["kyc_profiles"], field: value}) is fine


@pytest.mark.parametrize("number", ["4111111111111111", "378282246310005", "5555555555554444"])
@pytest.mark.parametrize("stream", ["transactions", "card_events"])
def test_a_card_number_never_passes_for_a_token(stream: str, number: str) -> None:
    """A card number in place of a token is rejected."""
    assert not agreed(stream, {**WHOLE[stream], "card_token": number})


RAW = json.dumps(WHOLE["transactions"]).encode()
SHAPES = {
    "spaces around": (b" \r\n\t" + RAW + b" \n", True),
    "a key written with an escape": (RAW.replace(b'"account_id"', b'"account\\u005fid"'), True),
    "a key twice": (RAW[:-1] + b', "account_id": "acc-9"}', True),
    "an unknown key": (RAW[:-1] + b', "more": {"deep": [1, null, "x"]}}', True),
    "a byte order mark": (b"\xef\xbb\xbf" + RAW, False),
    "UTF-16": (RAW.decode().encode("utf-16"), False),
    "Latin-1": (RAW.replace(b"Sydney", b"S\xe9dney"), False),
    "Latin-1 in an unknown key": (RAW[:-1] + b', "\xe9": 1}', False),
    "Latin-1 in an unknown field": (RAW[:-1] + b', "more": "\xe9"}', False),
    "a surrogate in bytes": (RAW.replace(b"Sydney", b"\xed\xa0\x80"), False),
    "a raw control character": (RAW.replace(b"Sydney", b"Syd\x01ney"), False),
    "two records": (RAW + RAW, False),
    "half a record": (RAW[: len(RAW) // 2], False),
    "a zero byte after": (RAW + b"\x00", False),
    "a trailing comma": (RAW[:-1] + b",}", False),
    "a comment": (RAW + b" // fine", False),
    "single quotes": (RAW.replace(b'"', b"'"), False),
    "a list": (b"[" + RAW + b"]", False),
    "null": (b"null", False),
    "a number": (b"5", False),
    "nothing": (b"", False),
    "an empty object": (b"{}", False),
    "NaN": (RAW.replace(b"-33.8688", b"NaN"), False),
    "Infinity": (RAW.replace(b"-33.8688", b"-Infinity"), False),
    "a leading zero": (RAW.replace(b"-33.8688", b"033"), False),
    "an endless number": (RAW.replace(b"-33.8688", b"1" + b"0" * 5000), False),
    "too large an exponent": (RAW.replace(b"-33.8688", b"1e400"), False),
    "a tiny number": (RAW.replace(b"-33.8688", b"1e-400"), True),
    "nesting without end": (RAW[:-1] + b', "more": ' + b"[" * 300_000, False),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_json_is_read_as_json(shape: str) -> None:
    """What is not one JSON object in UTF-8 is rejected, even in fields that are not read."""
    raw, fine = SHAPES[shape]
    assert agreed("transactions", raw) is fine


@given(data=st.data())
@settings(max_examples=600)
def test_both_readers_agree_on_any_mutation(data: st.DataObject) -> None:
    """A value swapped for any other, a key dropped or added: one verdict, one reading."""
    stream = data.draw(st.sampled_from(list(STREAMS)))
    record = dict(WHOLE[stream])
    for field in data.draw(st.lists(st.sampled_from(list(record)), max_size=2, unique=True)):
        if data.draw(st.booleans()):
            record[field] = data.draw(_ANYTHING)
        else:
            del record[field]
    extra = data.draw(st.dictionaries(st.text(_WRITABLE, max_size=5), _ANYTHING, max_size=2))
    agreed(stream, {**extra, **record})


_WRITABLE = st.characters(exclude_categories=["Cs"])
_SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(_WRITABLE, max_size=70),
    st.text("ABCdef019_-. \n", max_size=8),
    st.from_regex(r"-?[0-9]{1,13}\.[0-9]{1,3}", fullmatch=True),
    st.from_regex(r"[A-Z]{2,4}|[0-9]{4}|[0-9]{6}", fullmatch=True),
    st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1)).map(
        lambda t: t.isoformat() + ("Z" if t.second % 2 else "+05:30")
    ),
)
_ANYTHING = st.one_of(
    _SCALARS,
    st.lists(_SCALARS, max_size=2),
    st.dictionaries(st.text(_WRITABLE, max_size=3), _SCALARS, max_size=2),
)


@given(data=st.data())
def test_whatever_the_contract_writes_the_detector_reads_back(data: st.DataObject) -> None:
    """A valid event of the producers arrives with every value it was sent with."""
    stream = data.draw(st.sampled_from(list(STREAMS)))
    named = st.characters(exclude_categories=["Cs", "Cc"])
    ids = st.text(named, min_size=1, max_size=64).filter(lambda text: text not in (".", ".."))
    record = {**WHOLE[stream], "event_id": data.draw(ids), "customer_id": data.draw(ids)}
    at = data.draw(st.datetimes(datetime(1970, 1, 2), datetime(2200, 1, 1))).replace(tzinfo=UTC)
    record["occurred_at"] = at.isoformat()
    event = TOPICS[f"banking.{stream}"].model_validate_json(json.dumps(record))
    read = _fast(stream, event.to_json())
    assert read == _contract(stream, event.to_json())
    assert read is not None
    assert read["occurred_at"] == at
    assert read["event_id"] == record["event_id"]


def test_the_truth_in_a_payload_is_ignored() -> None:
    """A record that claims to be fraud says nothing to either reader."""
    record = {**WHOLE["transactions"], "is_fraud": True, "fraud_scenario": "velocity"}
    assert agreed("transactions", record)
    event = decode(Record("transactions", json.dumps(record).encode(), "test", 1))
    assert not {"is_fraud", "fraud_scenario"} & set(event.__struct_fields__)


def test_a_time_with_an_offset_is_read_in_utc() -> None:
    """All times inside are UTC, whatever they were outside."""
    record = {**WHOLE["logins"], "occurred_at": "2026-01-05T10:30:00+10:30"}
    event = decode(Record("logins", json.dumps(record).encode(), "test", 1))
    assert event.occurred_at == datetime(2026, 1, 5, tzinfo=UTC)
    assert event.occurred_at.utcoffset() == timedelta(0)


def test_a_refusal_names_the_field() -> None:
    """The reason in a dead letter tells where to look."""
    record = {**WHOLE["transactions"], "amount": "-5.00"}
    with pytest.raises(ValueError, match=r"\$\.amount"):
        decode(Record("transactions", json.dumps(record).encode(), "test", 1))
    del record["amount"]
    with pytest.raises(ValueError, match="missing required field `amount`"):
        decode(Record("transactions", json.dumps(record).encode(), "test", 1))
    old = {**WHOLE["logins"], "occurred_at": "0001-01-01T00:00:00Z"}
    with pytest.raises(ValueError, match=rf"{EARLIEST_YEAR}.*\$\.occurred_at"):
        decode(Record("logins", json.dumps(old).encode(), "test", 1))


def test_an_unknown_stream_is_refused_with_what_is_known() -> None:
    """A record of another topic is not guessed at."""
    with pytest.raises(ValueError, match=r"'loans' not|unknown stream 'loans'.*transactions"):
        decode(Record("loans", b"{}", "test", 1))


def test_a_record_as_long_as_the_limit_is_read_and_one_byte_more_is_not() -> None:
    """The limit is what a topic carries."""
    raw = RAW[:-1] + b" " * (RECORD_LIMIT - len(RAW)) + b"}"
    decode(Record("transactions", raw, "test", 1))
    with pytest.raises(ValueError, match="longer than"):
        decode(Record("transactions", raw + b" ", "test", 1))
