"""How far event time has come, so that no single customer can move it for the others."""

from bisect import bisect_right, insort
from collections.abc import Iterable
from datetime import datetime, timedelta

COMPANY = timedelta(hours=1)
"""A time is confirmed by an event of another customer at it or at most this much later."""


class Watermark:
    """The newest event time, at most half the lateness past the newest confirmed one.

    Until a time is confirmed, it is the oldest of the customers' newest times. The order of events
    has no effect on it, so the batch models compute the same (macros/watermark.sql).
    """

    __slots__ = ("_ahead", "_lateness", "_step", "at", "confirmed")

    def __init__(self, lateness: timedelta) -> None:
        self._lateness = lateness
        self._step = min(lateness / 2, COMPANY)
        self.at: datetime | None = None
        self.confirmed: datetime | None = None
        # Unconfirmed times and their customers, in order, all newer than `confirmed`.
        self._ahead: list[tuple[datetime, str]] = []

    def resume(self, confirmed: datetime | None, ahead: Iterable[tuple[datetime, str]]) -> None:
        """Continue from the confirmed time and the later times with their customers."""
        self.at = self.confirmed = confirmed
        for at, customer in ahead:
            self.advance(at, customer)

    def is_late(self, at: datetime, customer: str) -> bool:
        """Whether an event is further behind the watermark than the lateness."""
        if self.at is None or at >= self.at - self._lateness:
            return False
        return self.confirmed is not None or any(name == customer for _, name in self._ahead)

    def advance(self, at: datetime, customer: str) -> None:
        """Take the time of an evaluated event into account."""
        if self.confirmed is not None and at <= self.confirmed:
            return
        ahead = self._ahead
        if len(ahead) == 1:
            last, other = ahead[0]
            if other != customer and last <= at <= last + self._step:
                # Most events: the next one, of another customer, confirms the last.
                self.confirmed, self.at, ahead[0] = last, at, (at, customer)
                if at == last:
                    ahead.clear()
                return
        confirmed = self._confirmed_by(at, customer)
        if len(ahead) > 1 and at > ahead[-1][0] and self._continues(at, customer):
            ahead[-1] = (at, customer)
        else:
            insort(ahead, (at, customer))
        if confirmed is not None:
            self.confirmed = confirmed
            del ahead[: bisect_right(ahead, confirmed, key=lambda entry: entry[0])]
        if self.confirmed is None:
            self.at = min({name: time for time, name in ahead}.values())
        else:
            newest = ahead[-1][0] if ahead else self.confirmed
            self.at = min(newest, self.confirmed + self._step)

    def _confirmed_by(self, at: datetime, customer: str) -> datetime | None:
        """The newest time that the event confirms, or that confirms it."""
        ahead = self._ahead
        place = bisect_right(ahead, at, key=lambda entry: entry[0])
        for time, name in ahead[place:]:
            if time - at > COMPANY:
                break
            if name != customer:
                return at
        for time, name in reversed(ahead[:place]):
            if at - time > COMPANY:
                break
            if name != customer:
                return time
        return None

    def _continues(self, at: datetime, customer: str) -> bool:
        """Whether the last time is useless: between two of its customer within the hour."""
        (first, one), (_, other) = self._ahead[-2:]
        return one == other == customer and at - first <= COMPANY
