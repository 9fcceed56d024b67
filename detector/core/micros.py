"""Times as whole microseconds since 1970, for files that have no type for times."""

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def micros_of(moment: datetime) -> int:
    """The microseconds of a time."""
    return (moment - _EPOCH) // _MICROSECOND


def moment_of(micros: int | None) -> datetime | None:
    """The time of so many microseconds, in UTC; None for none."""
    return None if micros is None else _EPOCH + micros * _MICROSECOND
