"""When people spend: hours of the day and days of the week, in the customer's time zone."""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

_OFFSET_HOURS = {
    "NSW": 10.0, "VIC": 10.0, "ACT": 10.0, "TAS": 10.0, "QLD": 10.0,
    "SA": 9.5, "NT": 9.5, "WA": 8.0,
}  # fmt: skip
_WITH_SUMMER_TIME = frozenset({"NSW", "VIC", "ACT", "TAS", "SA"})
_HOUR_WEIGHTS = (
    *(0.3,) * 6, 1.0, 3.0, 3.0, 4.0, 4.0, 4.0, 6.0, 6.0, 4.5, 4.5,
    5.5, 5.5, 5.5, 3.5, 3.5, 2.0, 1.0, 1.0,
)  # fmt: skip
# Monday first; Thursday to Saturday busier, Sunday quieter.
_WEEKDAY_WEIGHTS = (1.0, 1.0, 1.0, 1.15, 1.15, 1.15, 0.9)
_MEAN = sum(_HOUR_WEIGHTS) / 24 * sum(_WEEKDAY_WEIGHTS) / 7
PEAK_ACTIVITY = max(_HOUR_WEIGHTS) * max(_WEEKDAY_WEIGHTS) / _MEAN


def utc_offset(state: str, at: datetime) -> timedelta:
    """Return the UTC offset of an Australian state, daylight saving time included."""
    offset = timedelta(hours=_OFFSET_HOURS[state])
    if state in _WITH_SUMMER_TIME:
        # Clocks change at 02:00 standard time, on the first Sundays of April and October.
        standard = (at + offset).replace(tzinfo=None)
        ends = _first_sunday_at_two(standard.year, 4)
        begins = _first_sunday_at_two(standard.year, 10)
        if standard < ends or standard >= begins:
            offset += timedelta(hours=1)
    return offset


def _first_sunday_at_two(year: int, month: int) -> datetime:
    first = date(year, month, 1)
    return datetime(year, month, 1 + (6 - first.weekday()) % 7, 2)


def activity(state: str, at: datetime) -> float:
    """Return the activity of customers of a state, with 1 as the mean over a week."""
    return _activity_of_hour(state, int(at.timestamp()) // 1800)


@lru_cache(maxsize=4096)
def _activity_of_hour(state: str, half_hour: int) -> float:
    at = datetime.fromtimestamp(half_hour * 1800, UTC)
    local = at + utc_offset(state, at)
    return _HOUR_WEIGHTS[local.hour] * _WEEKDAY_WEIGHTS[local.weekday()] / _MEAN
