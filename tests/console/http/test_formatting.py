"""How values read."""

from datetime import UTC, datetime, timedelta

import pytest

from detector.console.http import formatting as words
from detector.core.text import DASH, label

_NOW = datetime(2026, 1, 5, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0 s"), (59.4, "59 s"), (60, "1 min"), (95, "1 min 35 s"), (3600, "1 h"),
     (3900, "1 h 5 min"), (7300, "2 h"), (90_000, "1 d 1 h"), (864_000, "10 d")],
)  # fmt: skip
def test_spans_are_said_in_their_largest_unit(seconds: float, said: str) -> None:
    """With a second unit only where the first is one."""
    assert words.duration(seconds) == said


def test_moments_are_said_from_now() -> None:
    """Past, future and deadline."""
    assert words.ago(_NOW - timedelta(minutes=3), _NOW) == "3 min ago"
    assert words.ago(_NOW + timedelta(hours=2), _NOW) == "in 2 h"
    assert words.ago(_NOW, _NOW) == "now"
    assert words.left(_NOW + timedelta(minutes=10), _NOW) == "10 min left"
    assert words.left(_NOW - timedelta(minutes=10), _NOW) == "10 min overdue"


def test_money_and_numbers_are_grouped() -> None:
    """Australian dollars with and without cents; what is not there is a dash."""
    assert words.money("1234.5") == "$1,234.50"
    assert words.money("-3") == "\N{MINUS SIGN}$3.00"
    assert words.dollars("26773.50") == "$26,774"
    assert words.number(None) == DASH
    assert words.percent(1.234, 2) == "1.23%"


def test_constants_read_as_words() -> None:
    """Acronyms stay capitals."""
    assert label("BLOCK_CARD") == "Block card"
    assert label("REFER_AML") == "Refer AML"
    assert label(None) == DASH
