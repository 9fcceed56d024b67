"""A pattern's `where` and `key` as functions of an event."""

import ast
from collections.abc import Callable, Hashable, Sequence
from typing import Any
from weakref import WeakKeyDictionary

from detector.signals.conditions import names, python
from detector.signals.pattern import Pattern
from detector.signals.signal import Finding

Key = Hashable | None
Findings = Sequence[Finding]
Route = tuple[Pattern, Callable[[Any], Key], Callable[[Hashable, Any], Findings]]
"""A pattern, the key of an event for it, and what its operator does with the two."""


def key_where(pattern: Pattern) -> Callable[[Any], Key]:
    """A function that returns the key of an event that meets the pattern's `where`, else None.

    Also None where part of the key is missing.
    """
    where = " and ".join(map(python, pattern.where)) or "True"
    return _compiled(f"({_key(pattern)}) if {where} else None", names(pattern.where))


def key_of(pattern: Pattern) -> Callable[[Any], Key]:
    """A function that returns the key of any event; None where part of it is missing."""
    return _compiled(_key(pattern))


def fused(routes: Sequence[Route]) -> Callable[[Any], list[tuple[Pattern, Findings]]]:
    """One function of an event: each pattern whose operator has findings about it, with these.

    It is written out as code, in which each field is read once: several times faster than a loop
    over the routes.
    """
    known: dict[str, Any] = {}
    lines = ["def function(event):", "    found = []"]
    for n, (pattern, key, update) in enumerate(routes):
        expression, called = _EXPRESSIONS[key]
        known |= {f"pattern_{n}": pattern, f"update_{n}": update, **called}
        lines += [
            f"    key = {expression}",
            f"    if key is not None and (findings := update_{n}(key, event)):",
            f"        found.append((pattern_{n}, findings))",
        ]
    code = ast.parse("\n".join([*lines, "    return found"]))
    fields = _Fields()
    body = fields.visit(code).body[0].body
    body[:0] = ast.parse("\n".join(f"field_{f} = event.{f}" for f in sorted(fields.read))).body
    exec(compile(ast.fix_missing_locations(code), "<patterns>", "exec"), known)
    function: Callable[[Any], list[tuple[Pattern, Findings]]] = known["function"]
    return function


class _Fields(ast.NodeTransformer):
    """Turns `event.amount` into `field_amount`, and remembers which fields there are."""

    def __init__(self) -> None:
        self.read: set[str] = set()

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        """Replace an attribute of `event`."""
        if not (isinstance(node.value, ast.Name) and node.value.id == "event"):
            return self.generic_visit(node)
        self.read.add(node.attr)
        return ast.Name(f"field_{node.attr}", ast.Load())


def _compiled(expression: str, called: dict[str, Any] | None = None) -> Callable[[Any], Key]:
    # One expression is several times faster than a function per condition.
    function: Callable[[Any], Key] = eval(f"lambda event: {expression}", dict(called or {}))
    _EXPRESSIONS[function] = (expression, called or {})
    return function


_EXPRESSIONS: WeakKeyDictionary[Callable[[Any], Key], tuple[str, dict[str, Any]]] = (
    WeakKeyDictionary()
)


def _key(pattern: Pattern) -> str:
    parts = [f"event.{name}" for name in pattern.key]
    if len(parts) == 1:
        return parts[0]
    return f"None if None in (key := ({', '.join(parts)})) else key"
