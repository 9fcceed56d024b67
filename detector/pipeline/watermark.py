"""How far event time has come, so that no single customer can move it for the others."""

from bisect import bisect_right, insort
from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec

COMPANY = timedelta(hours=1)
"""A time is confirmed by an event of another customer at it or at most this much later."""


class Lane(msgspec.Struct, array_like=True):
    """The state of one source's watermark, as it is stored."""

    confirmed: datetime | None
    ahead: list[tuple[datetime, str]]


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

    @property
    def newest(self) -> datetime | None:
        """The latest time, confirmed or not."""
        return self._ahead[-1][0] if self._ahead else self.confirmed

    def resume(self, confirmed: datetime | None, ahead: Iterable[tuple[datetime, str]]) -> None:
        """Continue from the confirmed time and the later times with their customers."""
        self.at = self.confirmed = confirmed
        for at, customer in ahead:
            self.advance(at, customer)

    def saved(self) -> Lane:
        """Its state, to be stored."""
        return Lane(self.confirmed, self._ahead)

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


class Watermarks:
    """One watermark per lane: a source, or a partition of one.

    `reached` is the oldest of the active ones: it decides what is late and what is forgotten. So a
    lane whose clock is ahead, or that is read while another has a backlog, makes nothing of the
    others late. A lane that adds no event for the lateness (by the clock) is no longer active; one
    whose times no other customer confirms does not count while others do. Between several lanes
    `reached` moves with each batch, not with each event, and never goes back.
    """

    def __init__(self, lateness: timedelta) -> None:
        self._lateness = lateness
        self._idle_s = max(lateness.total_seconds(), 60.0)
        self._lanes: dict[str, Watermark] = {}
        self._seen: dict[str, float] = {}
        self._awaited: set[str] = set()
        self._low: datetime | None = None
        self._gone: datetime | None = None  # the latest time of the lanes that are no more
        self._single: Watermark | None = None  # the lane that alone decides

    @property
    def at(self) -> datetime | None:
        """How far event time has come in the lane that is ahead."""
        return max((lane.at for lane in self._lanes.values() if lane.at is not None), default=None)

    @property
    def newest(self) -> datetime | None:
        """The latest time of an evaluated event, in lanes that are idle, too."""
        times = [self._gone, *(lane.newest for lane in self._lanes.values())]
        return max((at for at in times if at is not None), default=None)

    @property
    def reached(self) -> datetime | None:
        """How far event time has come in all active lanes."""
        return self._single.at if self._single is not None else self._low

    @property
    def final(self) -> datetime | None:
        """As `reached`; None while it can go back, because no other customer confirms it."""
        if self._single is not None:
            return self._single.at if self._single.confirmed is not None else None
        return self._low

    def expect(self, name: str, now: float) -> None:
        """A source has delivered something now (seconds of `time.monotonic`), or is about to.

        Until the first of its times, those of the others are not final.
        """
        self._seen[name] = now
        self._awaited.add(name)
        self._lane(name, now)

    def stop_expecting(self, name: str) -> None:
        """A source delivers by partition: wait for no event under its own name."""
        if name in self._awaited:
            self._awaited.remove(name)
            del self._lanes[name], self._seen[name]
            self._choose()

    def accept(self, name: str, at: datetime, customer: str, now: float) -> bool:
        """Take the time of an event of a lane into account; False for one that is late.

        A lane whose events are all late is not active: it keeps no time from being final.
        """
        lane = self._lane(name, now)
        if self._single is not None:
            late = self._single.is_late(at, customer)
        else:
            late = self._low is not None and at < self._low - self._lateness
        if late:
            return False
        self._seen[name] = now
        lane.advance(at, customer)
        return True

    def settle(self, now: float) -> None:
        """Move `reached` between several lanes; call after each batch."""
        if self._single is not None:
            return
        idle = [name for name, seen in self._seen.items() if now - seen > self._idle_s]
        for name in idle if len(idle) < len(self._lanes) else ():
            # One that comes back is a new lane: what the others have reached meanwhile stands.
            self._gone = self.newest
            del self._seen[name], self._lanes[name]
            self._awaited.discard(name)
        lanes = self._lanes.values()
        reached = [lane.at for lane in lanes if lane.at is not None and lane.confirmed is not None]
        if reached and all(self._lanes[name].at is not None for name in self._awaited):
            self._low = max(min(reached), self._low or min(reached))
        self._choose()

    def saved(self) -> bytes:
        """All lanes, to be stored."""
        return msgspec.json.encode({name: lane.saved() for name, lane in self._lanes.items()})

    def resume(self, final: datetime | None, lanes: str, now: float) -> None:
        """Continue from what was stored."""
        for name, saved in msgspec.json.decode(lanes, type=dict[str, Lane]).items():
            self._seen[name] = now
            lane = self._lanes[name] = Watermark(self._lateness)
            lane.resume(saved.confirmed, saved.ahead)
        self._low = final
        self._choose()

    def _lane(self, name: str, now: float) -> Watermark:
        lane = self._lanes.get(name)
        if lane is None:
            self._low = self.final
            lane = self._lanes[name] = Watermark(self._lateness)
            self._seen[name] = now
            self._choose()
        return lane

    def _choose(self) -> None:
        """A lane decides alone while there is no other and it is not behind what was reached."""
        [*lanes] = self._lanes.values()
        self._single = None
        if len(lanes) == 1:
            at, low = lanes[0].at, self._low
            if low is None or (at is not None and lanes[0].confirmed is not None and at >= low):
                self._single = lanes[0]
