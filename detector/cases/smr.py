"""Suspicious matter reports: the reporting deadline, and a draft of the grounds from events."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from typing import Any, Literal

from pytz.tzinfo import BaseTzInfo

PartyRole = Literal["SUSPECT", "VICTIM", "ASSOCIATE", "COUNTERPARTY"]

BUSINESS_DAYS = 3
TERRORISM_HOURS = 24


def due_at(
    formed_at: datetime, terrorism: bool, zone: BaseTzInfo, holidays: Collection[date]
) -> datetime:
    """The reporting deadline, in UTC.

    24 hours for a suspicion of terrorism financing. Otherwise three business days: counted from the
    day after the suspicion formed, to the end of the third day that is neither at a weekend nor a
    holiday, in the bank's time zone.
    """
    if terrorism:
        return formed_at.astimezone(UTC) + timedelta(hours=TERRORISM_HOURS)
    day, left = formed_at.astimezone(zone).date(), BUSINESS_DAYS
    while left:
        day += timedelta(days=1)
        left -= is_business_day(day, holidays)
    midnight = datetime.combine(day + timedelta(days=1), time())
    return zone.localize(midnight).astimezone(UTC)


def is_business_day(day: date, holidays: Collection[date]) -> bool:
    """Monday to Friday, except holidays, which differ between states."""
    return day.weekday() < 5 and day not in holidays


def grounds(
    case: Mapping[str, Any],
    signals: Sequence[Mapping[str, Any]],
    cash: Sequence[Mapping[str, Any]],
    profile: Mapping[str, Any] | None,
    zone: tzinfo,
) -> str:
    """A draft of who, what, when, where and how much.

    `signals` are the case's, `cash` the account's cash transactions, both in order of time. The
    reasons for suspicion are left to the analyst.
    """
    parts = [_who(case, profile), _when_and_how_much(cash, zone)]
    parts += [f"{_moment(t['occurred_at'], zone)}: {_line(t)}." for t in cash]
    if signals:
        parts.append("What detection saw:")
        parts += [f"{_moment(s['occurred_at'], zone)}: {s['reason']}" for s in signals]
    parts.append("Why this is suspicious, and what the bank did about it: ")
    return "\n".join(parts)


def _who(case: Mapping[str, Any], profile: Mapping[str, Any] | None) -> str:
    known = ""
    if profile is not None:
        exposed = "a" if profile["is_pep"] else "not a"
        known = (
            f" The customer is of segment {profile['segment']}, country {profile['country']}, "
            f"identity {profile['kyc_status']}, risk tier {profile['risk_tier']}, "
            f"{exposed} politically exposed person."
        )
    return f"Account {case['account_id']} of customer {case['customer_id']}.{known}"


def _when_and_how_much(cash: Sequence[Mapping[str, Any]], zone: tzinfo) -> str:
    if not cash:
        return "No cash transactions in the period of the case."
    total = sum((Decimal(t["amount"]) for t in cash), Decimal(0))
    places = sorted({t["city"] or f"unknown place ({t['channel']})" for t in cash})
    currencies = "/".join(sorted({t["currency"] for t in cash}))
    times = [t["occurred_at"] for t in cash]
    return (
        f"{len(cash)} cash transactions of {currencies} {total:,.2f} in all, between "
        f"{_moment(times[0], zone)} and {_moment(times[-1], zone)} ({zone}), "
        f"at {len(places)} place{'s' if len(places) > 1 else ''}: {', '.join(places)}."
    )


def _line(transaction: Mapping[str, Any]) -> str:
    kind = transaction["transaction_type"].replace("_", " ").lower()
    amount = f"{transaction['currency']} {Decimal(transaction['amount']):,.2f}"
    where = f"{transaction['city'] or 'unknown place'} ({transaction['channel'].lower()})"
    return f"{kind} of {amount} at {where}, transaction {transaction['transaction_id']}"


def _moment(at: datetime, zone: tzinfo) -> str:
    return at.astimezone(zone).strftime("%d %b %Y %H:%M:%S")
