"""A pattern's `where` and `key` as functions of an event."""

from collections.abc import Callable, Hashable
from typing import Any

from detector.core.rules import Condition, Pattern

Key = Hashable | None


def key_where(pattern: Pattern) -> Callable[[Any], Key]:
    """A function that gives the key of an event that meets the pattern's `where`, else None.

    Also None where a part of the key is missing.
    """
    where = " and ".join(map(_expression, pattern.where)) or "True"
    return _compiled(f"({_key(pattern)}) if {where} else None")


def key_of(pattern: Pattern) -> Callable[[Any], Key]:
    """A function that gives the key of any event, None where a part of it is missing."""
    return _compiled(_key(pattern))


def _compiled(expression: str) -> Callable[[Any], Key]:
    """A function of `event`; one expression is several times faster than a function a condition.

    Only field names that the rules have checked and `repr` of plain values ever go in.
    """
    function: Callable[[Any], Key] = eval(f"lambda event: {expression}")
    return function


def _key(pattern: Pattern) -> str:
    parts = [f"event.{name}" for name in pattern.key]
    if len(parts) == 1:
        return parts[0]
    return f"None if None in (key := ({', '.join(parts)})) else key"


def _expression(condition: Condition) -> str:
    field = f"event.{condition.field}"
    present = f"{field} is not None"
    parts = []
    if condition.is_null is not None:
        parts.append(f"{field} is None" if condition.is_null else present)
    if condition.equals is not None:
        parts.append(f"{field} == {condition.equals!r}")
    if condition.in_ is not None:
        parts.append(f"{field} in {tuple(condition.in_)!r}")
    if condition.not_in is not None:
        parts += [present, f"{field} not in {tuple(condition.not_in)!r}"]
    # Amounts are decimal strings; floats keep their order.
    if condition.at_least is not None:
        parts += [present, f"float({field}) >= {condition.at_least!r}"]
    if condition.below is not None:
        parts += [present, f"float({field}) < {condition.below!r}"]
    return " and ".join(parts)
