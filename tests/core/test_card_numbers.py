"""Card numbers are masked wherever raw bytes are kept."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.core.events import Record, decode
from producers.card_numbers import without_card_numbers
from producers.models import Transaction
from tests import build


@pytest.mark.parametrize(
    "number",
    ["4111111111111111", "378282246310005", "6011000990139424", "4222222222222", "6304" + "0" * 15],
)
def test_a_card_number_is_masked(number: str) -> None:
    """13 to 19 digits that pass the Luhn check disappear, and nothing around them does."""
    text = f'{{"card_token": "{number}", "amount": "12.50"}}'
    masked = without_card_numbers(text.encode()).decode()
    assert masked == text.replace(number, "*" * len(number))


@pytest.mark.parametrize(
    "digits", ["4111111111111112", "123456789012", "0.4111", "2026", "99999999999999999999"]
)
def test_other_digits_stay(digits: str) -> None:
    """Wrong check digits and shorter runs are no card numbers, nor is one inside all zeros."""
    assert without_card_numbers(digits.encode()) == digits.encode()


@given(st.integers(10**11, 10**18 - 1))
def test_any_number_with_its_check_digit_is_masked(body: int) -> None:
    """The check digit computed the long way round always gives a number that is masked."""
    doubled = [int(d) * (2 if n % 2 == 0 else 1) for n, d in enumerate(reversed(str(body)))]
    check = -sum(d // 10 + d % 10 for d in doubled) % 10
    others = [f"{body}{digit}".encode() for digit in range(10) if digit != check]
    number = f"{body}{check}".encode()
    assert without_card_numbers(b"x" + number + b",") == b"x" + b"*" * len(number) + b","
    assert all(without_card_numbers(other) == other for other in others)


@pytest.mark.parametrize(
    "number",
    [
        "4111 1111 1111 1111",
        "4111-1111-1111-1111",
        "3782 822463 10005",
        "00004111111111111111999",
        "\\u0034\\u0031\\u0031\\u0031111111111111",
    ],
)
def test_spaced_dashed_escaped_and_longer_ones_are_masked_too(number: str) -> None:
    """Nothing of the number is left in the bytes of a dead letter."""
    masked = without_card_numbers(f'{{"note": "{number}", "n": 1}}'.encode()).decode()
    assert not any(digit.isdecimal() for digit in masked.replace('"n": 1', ""))


HIDDEN = ["4111111111111111", "4111 1111 1111 1111", "5500-0000-0000-0004", "x 378282246310005 y"]


@pytest.mark.parametrize("number", HIDDEN)
@pytest.mark.parametrize(
    "field", ["account_id", "customer_id", "device_id", "city", "merchant_id", "event_id"]
)
def test_an_event_with_a_card_number_is_refused(field: str, number: str) -> None:
    """By both readers of the contract; the reason names the field and not the number."""
    record = json.loads(build.raw(build.transaction(0))) | {field: number}
    with pytest.raises(ValueError, match=rf"card number.*\$\.{field}") as refused:
        decode(Record("transactions", json.dumps(record).encode(), "test", 1))
    assert number not in str(refused.value)
    with pytest.raises(ValueError, match="card number"):
        Transaction.model_validate_json(json.dumps(record))


@pytest.mark.parametrize(
    "text",
    [
        "550e8400-e29b-41d4-a716-446655440000",
        "12345678-1234-4123-8123-123456789012",
        "1234567890123456789",
        "4111111111111112",
        "2026-01-05T00:00:00.000000Z",
        "151.2093456789123",
    ],
)
def test_ids_and_numbers_that_only_look_alike_are_accepted(text: str) -> None:
    """UUIDs, times, coordinates and numbers with a wrong check digit."""
    record = json.loads(build.raw(build.transaction(0))) | {"device_id": text}
    event = decode(Record("transactions", json.dumps(record).encode(), "test", 1))
    assert event.device_id == text  # type: ignore[attr-defined]
    assert Transaction.model_validate_json(json.dumps(record)).device_id == text
