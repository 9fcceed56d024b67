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
    base: str,
) -> str:
    """A draft of who, what, when, where and how much; the total in the base currency.

    `signals` are the case's, `cash` the customer's cash transactions, both in order of time. The
    reasons for suspicion are left to the analyst.
    """
    parts = [_who(case, profile), _when_and_how_much(cash, zone, base)]
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
    accounts = f", accounts {case['account_ids']}" if case["account_ids"] else ""
    return f"Customer {case['customer_id']}{accounts}.{known}"


def _when_and_how_much(cash: Sequence[Mapping[str, Any]], zone: tzinfo, base: str) -> str:
    if not cash:
        return "No cash transactions in the period of the case."
    total = sum((Decimal(t["base_amount"] or 0) for t in cash), Decimal(0))
    places = sorted({t["city"] or f"unknown place ({t['channel']})" for t in cash})
    unknown = sorted({t["currency"] for t in cash if t["base_amount"] is None})
    without = f" without those in {', '.join(unknown)}, which has no rate," if unknown else ""
    times = [t["occurred_at"] for t in cash]
    return (
        f"{len(cash)} cash transactions of {base} {total:,.2f} in all,{without} between "
        f"{_moment(times[0], zone)} and {_moment(times[-1], zone)} ({zone}), "
        f"at {len(places)} place{'s' if len(places) > 1 else ''}: {', '.join(places)}."
    )


def _line(transaction: Mapping[str, Any]) -> str:
    kind = transaction["transaction_type"].replace("_", " ").lower()
    amount = f"{transaction['currency']} {Decimal(transaction['amount']):,.2f}"
    where = f"{transaction['city'] or 'unknown place'} ({transaction['channel'].lower()})"
    return (
        f"{kind} of {amount} at {where}, account {transaction['account_id']}, "
        f"transaction {transaction['transaction_id']}"
    )


def _moment(at: datetime, zone: tzinfo) -> str:
    return at.astimezone(zone).strftime("%d %b %Y %H:%M:%S")
