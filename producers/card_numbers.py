"""Finds card numbers (PANs), so that none is stored: PCI DSS 3.3 and 3.4.

A card number has 13 to 19 digits, in one piece or in groups with a space or a dash between them,
starts as the ranges of the card schemes do, and passes the Luhn check (ISO/IEC 7812-1).
"""

import re

_DIGITS_ALIKE = bytes(48 if 48 <= code <= 57 else code for code in range(256))
_THIRTEEN = b"0" * 13
_RUN = re.compile(r"(?<![0-9A-Za-z.])[0-9](?:[ -]?[0-9]){12,18}(?![0-9A-Za-z])")
_SCHEMES = re.compile(r"4|5[0-8]|2[2-7]|3[0-9]|6")
# What is kept of a broken record is masked generously: also longer runs, and digits as escapes.
_KEPT_RUN = re.compile(rb"[0-9](?:[ .-]?[0-9]){12,}")
_ESCAPED = re.compile(rb"\\u003([0-9])")


def may_contain_card_number(raw: bytes) -> bool:
    """A quick check without false negatives; JSON escapes apart."""
    return _THIRTEEN in raw.translate(_DIGITS_ALIKE, b" -")


def card_number_in(text: str) -> bool:
    """Whether a text contains a card number."""
    return any(_is_card_number(_digits(match[0])) for match in _RUN.finditer(text))


def without_card_numbers(raw: bytes) -> bytes:
    """The bytes with every run of digits masked that is or contains a card number."""
    if b"\\u003" in raw:
        raw = _ESCAPED.sub(rb"\1", raw)
    return _KEPT_RUN.sub(_masked, raw)


def _masked(match: re.Match[bytes]) -> bytes:
    digits = _digits(match[0].decode())
    # A longer run may hide one anywhere in it.
    starts = range(len(digits) - 12)
    hidden = any(
        _passes_luhn(digits[start : start + length])
        for start in starts
        for length in range(13, min(19, len(digits) - start) + 1)
    )
    alone = len(digits) <= 19
    if _passes_luhn(digits) if alone else hidden:
        return re.sub(rb"[0-9]", b"*", match[0])
    return match[0]


def _digits(text: str) -> str:
    return "".join(c for c in text if c.isdecimal())


def _is_card_number(digits: str) -> bool:
    return _SCHEMES.match(digits) is not None and _passes_luhn(digits)


def _passes_luhn(digits: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit)
        if place % 2:
            value = value * 2 - 9 if value > 4 else value * 2
        total += value
    return total % 10 == 0
