"""Card numbers are masked wherever raw bytes are kept."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.core.events import without_card_numbers


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
    "digits", ["4111111111111112", "123456789012", "41111111111111111111", "0.4111", "2026"]
)
def test_other_digits_stay(digits: str) -> None:
    """Wrong check digits, shorter runs and longer runs are no card numbers."""
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
