"""The clock of a suspicious matter report, and the grounds that events give."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import pytz
from hypothesis import given
from hypothesis import strategies as st

from detector.cases.smr import due_at, grounds, is_business_day

SYDNEY = pytz.timezone("Australia/Sydney")


def sydney(*moment: int) -> datetime:
    return SYDNEY.localize(datetime(*moment))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("formed", "due"),
    [
        ((2026, 3, 2, 10, 30), (2026, 3, 6, 0, 0)),
        ((2026, 3, 2, 23, 59), (2026, 3, 6, 0, 0)),
        ((2026, 3, 3, 0, 0), (2026, 3, 7, 0, 0)),
        ((2026, 3, 4, 9, 0), (2026, 3, 10, 0, 0)),
        ((2026, 3, 6, 17, 0), (2026, 3, 12, 0, 0)),
        ((2026, 3, 7, 12, 0), (2026, 3, 12, 0, 0)),
        ((2026, 4, 2, 12, 0), (2026, 4, 8, 0, 0)),
    ],
    ids=["Monday", "Monday late", "Tuesday", "over a weekend", "Friday", "Saturday", "DST ends"],
)
def test_three_business_days_end_at_midnight(formed: tuple[int, ...], due: tuple[int, ...]) -> None:
    """The day itself does not count, weekends do not count."""
    assert due_at(sydney(*formed), False, SYDNEY, []) == sydney(*due)


def test_holidays_stop_the_clock() -> None:
    """Easter 2026 in New South Wales: Friday and Monday do not count."""
    easter = [date(2026, 4, 3), date(2026, 4, 6)]
    assert due_at(sydney(2026, 4, 2, 12, 0), False, SYDNEY, easter) == sydney(2026, 4, 10, 0, 0)


def test_the_day_is_that_of_the_bank() -> None:
    """Late on a Monday in London is Tuesday in Sydney."""
    formed = datetime(2026, 3, 2, 20, 0, tzinfo=UTC)
    assert due_at(formed, False, SYDNEY, []) == sydney(2026, 3, 7, 0, 0)


def test_terrorism_leaves_a_day() -> None:
    """Weekend or not."""
    formed = sydney(2026, 3, 7, 12, 0)
    assert due_at(formed, True, SYDNEY, []) == formed + timedelta(hours=24)


@given(
    st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1)),
    st.sets(st.dates(date(2020, 1, 1), date(2035, 2, 1)), max_size=40),
)
def test_exactly_three_business_days_lie_in_between(at: datetime, holidays: set[date]) -> None:
    """Whatever the calendar."""
    formed = SYDNEY.localize(at)
    due = due_at(formed, False, SYDNEY, holidays).astimezone(SYDNEY)
    assert due.time().isoformat() == "00:00:00"
    day, counted = formed.date() + timedelta(days=1), 0
    while day < due.date():
        counted += is_business_day(day, holidays)
        day += timedelta(days=1)
    assert counted == 3
    assert is_business_day(due.date() - timedelta(days=1), holidays)


def deposit(minute: int, amount: str, **fields: Any) -> dict[str, Any]:
    return {
        "transaction_id": f"t-{minute}",
        "occurred_at": datetime(2026, 3, 2, 1, minute, tzinfo=UTC),
        "transaction_type": "CASH_DEPOSIT",
        "channel": "BRANCH",
        "city": "Melbourne",
        "amount": Decimal(amount),
        "base_amount": Decimal(amount),
        "account_id": "acc-4",
        "currency": "AUD",
        **fields,
    }


def test_the_grounds_say_who_what_when_where_and_how_much() -> None:
    """In the bank's own time; why is left to a person."""
    case = {"account_ids": "acc-4", "customer_id": "cust-4"}
    cash = [deposit(0, "9100.00"), deposit(30, "9200.50", city=None, channel="ATM")]
    signals = [{"occurred_at": cash[1]["occurred_at"], "reason": "2 cash transactions."}]
    profile = {
        "segment": "RETAIL", "country": "AU", "kyc_status": "VERIFIED", "risk_tier": "LOW",
        "is_pep": False,
    }  # fmt: skip
    text = grounds(case, signals, cash, profile, SYDNEY, "AUD")
    for fact in (
        "Customer cust-4, accounts acc-4.", "not a politically exposed person",
        "2 cash transactions of AUD 18,300.50 in all",
        "between 02 Mar 2026 12:00:00 and 02 Mar 2026 12:30:00 (Australia/Sydney)",
        "at 2 places: Melbourne, unknown place (ATM)",
        "cash deposit of AUD 9,100.00 at Melbourne (branch), account acc-4, transaction t-0.",
        "02 Mar 2026 12:30:00: 2 cash transactions.",
    ):  # fmt: skip
        assert fact in text
    assert text.splitlines()[-1].startswith("Why this is suspicious")


def test_grounds_without_cash_or_profile_invent_nothing() -> None:
    """What is not known is not said."""
    text = grounds({"account_ids": "", "customer_id": "c"}, [], [], None, SYDNEY, "AUD")
    assert "No cash transactions" in text
    assert "politically" not in text and "detection" not in text
