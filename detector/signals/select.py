"""A pattern's `where` and `key` as functions of an event."""

import re
from collections.abc import Callable, Hashable, Sequence
from typing import Any
from weakref import WeakKeyDictionary

from detector.signals.conditions import python
from detector.signals.pattern import Pattern
from detector.signals.signal import Finding

Key = Hashable | None
Findings = Sequence[Finding]
Route = tuple[Pattern, Callable[[Any], Key], Callable[[Hashable, Any], Findings]]
"""A pattern, the key of an event for it, and what its operator does with the two."""
_FIELD = re.compile(r"\bevent\.(\w+)")


def key_where(pattern: Pattern) -> Callable[[Any], Key]:
    """A function that returns the key of an event that meets the pattern's `where`, else None.

    Also None where part of the key is missing.
    """
    where = " and ".join(map(python, pattern.where)) or "True"
    return _compiled(f"({_key(pattern)}) if {where} else None")


def key_of(pattern: Pattern) -> Callable[[Any], Key]:
    """A function that returns the key of any event; None where part of it is missing."""
    return _compiled(_key(pattern))


def fused(routes: Sequence[Route]) -> Callable[[Any], list[tuple[Pattern, Findings]]]:
    """One function of an event: each pattern whose operator has findings about it, with these.

    It is written out as code, in which each field is read once: several times faster than a loop
    over the routes.
    """
    body, names = list[str](), dict[str, Any]()
    for n, (pattern, key, update) in enumerate(routes):
        names |= {f"pattern_{n}": pattern, f"update_{n}": update}
        body += [
            f"key = {_EXPRESSIONS[key]}",
            f"if key is not None and (findings := update_{n}(key, event)):",
            f"    found.append((pattern_{n}, findings))",
        ]
    fields = sorted({name for line in body for name in _FIELD.findall(line)})
    body = [f"{name} = event.{name}" for name in fields] + [
        _FIELD.sub(r"\1", line) for line in ["found = []", *body, "return found"]
    ]
    exec("def function(event):\n" + "\n".join(f"    {line}" for line in body), names)
    function: Callable[[Any], list[tuple[Pattern, Findings]]] = names["function"]
    return function


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
