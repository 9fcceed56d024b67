"""Formatting of values on pages; core.js and time.js do the same in the browser."""

from collections.abc import Callable, Sequence
from contextvars import ContextVar
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from math import log10
from typing import Any

from detector.console.http.categories import category
from detector.core.text import DASH, label, phrase

_ZONE: ContextVar[tzinfo] = ContextVar("zone", default=UTC)
MINUS = "\N{MINUS SIGN}"
Number = int | float | Decimal
_STEPS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


def money(value: Number | str | None) -> str:
    """Australian dollars with cents: `$1,234.50`."""
    if value is None:
        return DASH
    amount = Decimal(str(value))
    return f"{MINUS if amount < 0 else ''}${abs(amount):,.2f}"


def dollars(value: Number | str | None) -> str:
    """Australian dollars, whole: `$1,235`."""
    if value is None:
        return DASH
    amount = round(Decimal(str(value)))
    return f"{MINUS if amount < 0 else ''}${abs(amount):,}"


def number(value: Number | None, digits: int = 0) -> str:
    """A number with thousands separated; a dash for None."""
    return DASH if value is None else f"{value:,.{digits}f}"


def filesize(value: Number | None) -> str:
    """Bytes in the unit that fits: `81.3 MB`; a dash for None."""
    if value is None:
        return DASH
    power = min(3, int(log10(max(abs(float(value)), 1.0)) / 3))
    return f"{value / 1000**power:,.{1 if power else 0}f} {('B', 'kB', 'MB', 'GB')[power]}"


def percent(value: Number | None, digits: int = 1) -> str:
    """A value in percent."""
    return DASH if value is None else f"{value:,.{digits}f}%"


def score(value: Number | None) -> str:
    """A risk score with two decimals."""
    return DASH if value is None else f"{value:.2f}"


def duration(seconds: Number | None) -> str:
    """A duration in its largest unit, with a second unit below two: `1 h 5 min`, `3 d`."""
    if seconds is None:
        return DASH
    left = round(seconds)
    for position, (size, unit) in enumerate(_STEPS):
        if left >= size:
            whole, rest = divmod(left, size)
            if whole == 1 and position + 1 < len(_STEPS):
                small, small_unit = _STEPS[position + 1]
                if rest // small:
                    return f"{whole} {unit} {rest // small} {small_unit}"
            return f"{whole} {unit}"
    return "0 s"


def ago(at: datetime | None, now: datetime) -> str:
    """How long before `now` (or after it) a time is."""
    if at is None:
        return DASH
    seconds = (now - at).total_seconds()
    if abs(seconds) < 1:
        return "now"
    span = duration(abs(seconds))
    return f"{span} ago" if seconds > 0 else f"in {span}"


def left(at: datetime, now: datetime) -> str:
    """The time until a deadline, or since it passed."""
    seconds = (at - now).total_seconds()
    return f"{duration(seconds)} left" if seconds >= 0 else f"{duration(-seconds)} overdue"


def show_in(zone: tzinfo) -> None:
    """Show times in this zone, for the rest of the request; otherwise they are in UTC."""
    _ZONE.set(zone)


def local(at: datetime) -> datetime:
    """A time in the zone in which times are shown now."""
    return at.astimezone(_ZONE.get())


def zone() -> str:
    """The name of the zone in which times are shown now, such as AEDT."""
    return datetime.now(_ZONE.get()).tzname() or "UTC"


def clock(at: datetime | None) -> str:
    """The time of day where the bank is."""
    return DASH if at is None else local(at).strftime("%H:%M:%S")


def utc(at: datetime | None) -> str:
    """Date and time in UTC, to be shown beside local times."""
    return DASH if at is None else at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def moment(at: datetime | None) -> str:
    """Date and time where the bank is."""
    return DASH if at is None else local(at).strftime("%d %b %Y %H:%M:%S")


def iso(at: datetime | None) -> str:
    """Date and time in ISO 8601."""
    return "" if at is None else at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def spark(values: Sequence[float], places: int) -> str:
    """The points of a line through the values, the last at the right end of a box 100 by 20."""
    peak = max(values, default=0) or 1
    step, first = 100 / (places - 1), places - len(values)
    return " ".join(
        f"{(first + n) * step:.1f},{19 - 18 * v / peak:.1f}" for n, v in enumerate(values)
    )


FILTERS: dict[str, Callable[..., Any]] = {
    f.__name__: f
    for f in (
        money,
        dollars,
        number,
        filesize,
        percent,
        score,
        duration,
        ago,
        left,
        clock,
        moment,
        utc,
        iso,
        label,
        phrase,
        category,
    )
}
