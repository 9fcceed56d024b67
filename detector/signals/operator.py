"""The base of operators: everything the system needs to know about one is on its class.

An operator is a file in `signals/operators/` and a macro of the same name in the dbt project.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterator
from datetime import datetime, timedelta
from typing import Any, ClassVar, Literal

from detector.signals.conditions import Sql, noun, sql
from detector.signals.pattern import Pattern, check_known
from detector.signals.select import Findings, Key, key_where
from detector.state.sweeping import swept

Handler = tuple[Callable[[Any], Key], Callable[[Hashable, Any], Findings]]
Unit = Literal["count", "km", "money"]


class Operator(ABC):
    """One pattern's operator over one or more streams.

    Its findings are a function of the set of events so far: an event that arrives late, or ties
    with another, also yields findings about the events whose result it changes. `handlers` has, for
    each stream that it reads, the function that returns an event's key (None to ignore the event)
    and the one that processes it.
    """

    name: ClassVar[str]
    """Its name in the patterns' blocks, and of the macro."""
    parameters: ClassVar[frozenset[str]] = frozenset()
    """Which of `pattern.PARAMETERS` a block must give; it must omit those not `optional` either."""
    optional: ClassVar[frozenset[str]] = frozenset()
    facts: ClassVar[frozenset[str]] = frozenset()
    """What a reason may contain besides the fields of the event."""
    single_event: ClassVar[bool] = False
    """Whether it fires at the first suspicious event, rather than at the last of several."""

    def __init__(self, pattern: Pattern, lateness: timedelta) -> None:
        self.pattern = pattern
        self.lateness = lateness
        self.handlers: dict[str, Handler] = {pattern.source: (key_where(pattern), self.update)}
        self._span = pattern.window
        self._threshold = pattern.threshold
        self._state: dict[Hashable, Any] = {}

    @classmethod
    def check(cls, pattern: Pattern) -> None:
        """Raise `ValueError` for a block that does not fit this operator."""
        if pattern.value:
            check_known("fields", {pattern.value}, pattern.fields)

    @classmethod
    def unit(cls, pattern: Pattern) -> Unit:
        """The unit of `observed` and of the threshold."""
        return "count"

    @classmethod
    @abstractmethod
    def sentence(cls, pattern: Pattern) -> str:
        """When the pattern fires, in words, without its `where`."""

    @classmethod
    def recalled(cls, pattern: Pattern, edge: datetime) -> dict[str, Sql]:
        """The events that a restart must read to judge events from `edge` on, by stream.

        By default those that meet `where`, from two windows before the edge on: what fired in the
        window of an event decides what it newly exposes.
        """
        where = sql(pattern.where)
        since = edge - 2 * pattern.window
        return {
            pattern.source: Sql(f"{where.text} AND occurred_at >= ?", [*where.parameters, since])
        }

    @classmethod
    def reach(cls, pattern: Pattern) -> timedelta:
        """How far before the edge `recalled` looks; an operator that looks further says so."""
        return 2 * pattern.window

    @classmethod
    def support(cls, pattern: Pattern) -> Sql:
        """Which events `e` of the pattern's source a signal `s` rests on.

        By default those of its key in its window that meet `where`.
        """
        where = sql(pattern.where, "e")
        subject = " || '|' || ".join(f"e.{name}" for name in pattern.key)
        text = (
            f"{where.text} AND {subject} = s.subject "
            "AND e.occurred_at >= s.window_start AND e.occurred_at <= s.occurred_at"
        )
        return Sql(text, where.parameters)

    @abstractmethod
    def update(self, key: Hashable, event: Any) -> Findings:
        """Process an event of a key; yield a finding for every event whose result it may change."""

    @abstractmethod
    def observe(self, key: Hashable, event: Any) -> float | None:
        """What is observed at an event that was processed, fired or not.

        None without state of the key, or without anything to compare with.
        """

    def take_over(self, before: "Operator") -> None:
        """Go on with the state of an earlier version of the pattern."""
        self._state = before._state

    def forget(self, moment: datetime) -> Iterator[None]:
        """Drop the state that no event from `moment` on can need, that of some keys at each step.

        A key's state has a method for that, which takes the earliest start of a coming window and
        returns whether nothing is left.
        """
        edge = moment - self._span
        return swept(self._state, lambda state: bool(state.forget(edge)))


def key_words(pattern: Pattern) -> str:
    """The key in words: `account`, or `card and merchant`."""
    return " and ".join(noun(name) for name in pattern.key)


def events_words(pattern: Pattern) -> str:
    """The watched events in words: `card events`."""
    return pattern.source.replace("_", " ")
