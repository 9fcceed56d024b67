"""outlier: an amount far above what is usual for its key."""

from array import array
from bisect import bisect_left
from collections.abc import Hashable, Sequence
from datetime import datetime, timedelta
from math import exp, floor, log, sqrt
from operator import attrgetter, mul
from typing import Any, NamedTuple

import msgspec

from detector.core.events import time_of
from detector.core.text import amount
from detector.signals.conditions import Sql, noun, sql
from detector.signals.operator import events_words, key_words
from detector.signals.pattern import Pattern, Prior
from detector.signals.remembering import Remembering
from detector.signals.select import Findings
from detector.signals.signal import Finding
from detector.state.ordered_events import comes_after, order_of

STEPS = 100
"""Logarithms are kept as whole steps, so that their sums are exact in every engine."""

TAIL = 1.645
"""Standard deviations below which 95 % of a normal distribution lie."""


class Usual(NamedTuple):
    """What is usual for a key: mean and deviation of the logarithm, in steps."""

    mean: float
    deviation: float


class Settled(msgspec.Struct, array_like=True):
    """What the store keeps of a key: the steps of the last events before a time."""

    until: datetime
    steps: list[int]


class History:
    """The recent measures of a key, in steps: `older` are those that late events cannot change,
    before `until`; of the others there are the `events`.
    """

    __slots__ = ("events", "older", "steps", "until")

    def __init__(self) -> None:
        self.until: datetime | None = None
        self.older = array("h")
        self.events: list[Any] = []
        self.steps = array("h")


class Outlier(Remembering):
    """Fires when the logarithm of `measure` is `threshold` deviations above the key's mean.

    The history is the last `history` events of the key before this one that meet `where`, shrunk
    towards `prior`; a key with fewer events than that is worth fires at nothing, nor does any
    measure below `least`.
    """

    name = "outlier"
    parameters = frozenset({"measure", "least", "history", "prior"})
    facts = frozenset({"usual", "most", "times"})
    single_event = True
    schema = Settled

    @classmethod
    def check(cls, pattern: Pattern) -> None:
        """The measure must be a number."""
        pattern.check_numbers({pattern.measure or ""})

    @classmethod
    def sentence(cls, pattern: Pattern) -> str:
        """`a transaction with an amount of 200 or more, 3 deviations above the last 30 of …`."""
        return (
            f"a {events_words(pattern).removesuffix('s')} with {noun(pattern.measure or '')} of "
            f"{amount(pattern.least or 0)} or more, {amount(pattern.threshold)} standard "
            f"deviations above the mean (of logarithms) of the last {pattern.history} of the "
            f"{key_words(pattern)}"
        )

    @classmethod
    def recalled(cls, pattern: Pattern, edge: datetime) -> dict[str, Sql]:
        """The last events of each key before the edge, and all from then on."""
        where = sql(pattern.where)
        meets = " AND ".join([where.text, *(f"{name} IS NOT NULL" for name in pattern.key)])
        last = (
            "SELECT event_id FROM (SELECT event_id, row_number() OVER (PARTITION BY "
            f"{', '.join(pattern.key)} ORDER BY occurred_at DESC, event_id DESC) AS place "
            f"FROM stg_{pattern.source} WHERE {meets} AND occurred_at < ?) WHERE place <= ?"
        )
        text = f"({meets} AND occurred_at >= ?) OR event_id IN ({last})"
        values = where.parameters
        return {pattern.source: Sql(text, [*values, edge, *values, edge, pattern.history])}

    @classmethod
    def recent(cls, pattern: Pattern, edge: datetime) -> dict[str, Sql]:
        """All from the edge on that meet `where`."""
        where = sql(pattern.where)
        text = f"{where.text} AND occurred_at >= ?"
        return {pattern.source: Sql(text, [*where.parameters, edge])}

    @classmethod
    def support(cls, pattern: Pattern) -> Sql:
        """The event that fired."""
        return Sql("e.event_id = s.event_id", [])

    def __init__(self, pattern: Pattern, lateness: timedelta) -> None:
        super().__init__(pattern, lateness)
        assert pattern.prior is not None and pattern.history is not None
        self._measure_of = attrgetter(pattern.measure or "")
        self._least = pattern.least or 0.0
        self._history = pattern.history
        self._prior = pattern.prior

    def update(self, key: Hashable, event: Any) -> Findings:
        measure = float(self._measure_of(event) or 0)
        if measure <= 0:
            return ()
        known = self._state.get(key)
        if known is None:
            known = self._state[key] = History()
        elif known.until is not None and event.occurred_at < known.until:
            return ()  # a restart feeds some events that are settled
        events = known.events
        if not events or comes_after(event, events[-1]):
            events.append(event)
            known.steps.append(steps(measure))
            if measure < self._least:
                return ()
            found = self._judge(known, len(events) - 1)
            return (found,) if found.observed is not None else ()
        place = bisect_left(events, order_of(event), key=order_of)
        events.insert(place, event)
        known.steps.insert(place, steps(measure))
        # The event is in the history of those after it, and displaces another.
        affected = range(place, min(len(events), place + self._history + 1))
        return [self._judge(known, n) for n in affected]

    def observe(self, key: Hashable, event: Any) -> float | None:
        known = self._state.get(key)
        if known is None:
            return None
        place = bisect_left(known.events, order_of(event), key=order_of)
        if place == len(known.events) or known.events[place].event_id != event.event_id:
            return None
        return _deviations(known.steps[place], self._usual(known, place))

    def saved(self, key: Hashable) -> Settled | None:
        """The steps that late events cannot change."""
        known = self._state[key]
        return Settled(known.until, known.older.tolist()) if known.until is not None else None

    def load(self, key: Hashable, known: Settled) -> None:
        """Take up the steps."""
        state = self._state[key] = History()
        state.until, state.older = known.until, array("h", known.steps)

    def settle(self, key: Hashable, moment: datetime) -> bool:
        """Keep only the steps of what late events cannot change."""
        known = self._state.get(key)
        if known is None:
            return True
        done = bisect_left(known.events, moment, key=time_of)
        if done:
            known.older.extend(known.steps[:done])
            known.until = moment
            del known.events[:done], known.steps[:done], known.older[: -self._history or None]
            self.changed.add(key)
        return not known.events

    def _usual(self, known: History, place: int) -> Usual:
        recent = known.steps[max(0, place - self._history) : place]
        missing = self._history - len(recent)
        older = known.older[max(0, len(known.older) - missing) :]
        return usual([*older, *recent], self._prior)

    def _judge(self, known: History, place: int) -> Finding:
        event, value = known.events[place], known.steps[place]
        if place + len(known.older) < self._prior.events:
            return Finding(event, None, {})
        measure = float(self._measure_of(event))
        normal = self._usual(known, place)
        observed = _deviations(value, normal)
        if measure < self._least or observed < self._threshold:
            return Finding(event, None, {})
        middle = max(1, floor(exp(normal.mean / STEPS)))
        facts = {
            "usual": middle,
            "most": floor(exp((normal.mean + TAIL * normal.deviation) / STEPS)),
            "times": floor(measure / middle),
        }
        return Finding(event, observed, facts)


def steps(measure: float) -> int:
    """The natural logarithm of a measure above 0, in whole steps."""
    return floor(STEPS * log(measure))


def usual(values: Sequence[int], prior: Prior) -> Usual:
    """Mean and deviation of the steps, with the prior's events among them.

    The sums are whole numbers and the operations are in a fixed order, so that SQL engines get the
    same floating-point result.
    """
    centre, spread = steps(prior.usual), floor(STEPS * prior.spread)
    count = len(values) + prior.events
    mean = (sum(values) + prior.events * centre) / count
    square = sum(map(mul, values, values)) + prior.events * (spread * spread + centre * centre)
    return Usual(mean, sqrt(square / count - mean * mean))


def _deviations(value: int, normal: Usual) -> float:
    return floor((value - normal.mean) / normal.deviation * 10) / 10
