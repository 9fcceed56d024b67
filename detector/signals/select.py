"""A pattern's `where` and `key` as functions of an event."""

from collections.abc import Callable, Hashable, Sequence
from typing import Any
from weakref import WeakKeyDictionary

from detector.signals.conditions import python
from detector.signals.pattern import Pattern

Key = Hashable | None


def key_where(pattern: Pattern) -> Callable[[Any], Key]:
    """A function that returns the key of an event that meets the pattern's `where`, else None.

    Also None where part of the key is missing.
    """
    where = " and ".join(map(python, pattern.where)) or "True"
    return _compiled(f"({_key(pattern)}) if {where} else None")


def key_of(pattern: Pattern) -> Callable[[Any], Key]:
    """A function that returns the key of any event; None where part of it is missing."""
    return _compiled(_key(pattern))


def together(functions: Sequence[Callable[[Any], Key]]) -> Callable[[Any], tuple[Key, ...]]:
    """One function that returns what these return, in order: faster than calling each."""
    expressions = "".join(f"({_EXPRESSIONS[function]}), " for function in functions)
    found: Callable[[Any], tuple[Key, ...]] = eval(f"lambda event: ({expressions})")
    return found


def _compiled(expression: str) -> Callable[[Any], Key]:
    # One expression is several times faster than a function per condition.
    function: Callable[[Any], Key] = eval(f"lambda event: {expression}")
    _EXPRESSIONS[function] = expression
    return function


_EXPRESSIONS: WeakKeyDictionary[Callable[[Any], Key], str] = WeakKeyDictionary()


def _key(pattern: Pattern) -> str:
    parts = [f"event.{name}" for name in pattern.key]
    if len(parts) == 1:
        return parts[0]
    return f"None if None in (key := ({', '.join(parts)})) else key"
