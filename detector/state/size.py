"""How much memory an object takes."""

import sys
from typing import Any


def size_of(root: Any) -> int:
    """Bytes of an object and what it refers to: containers, structs and objects with slots."""
    seen: set[int] = set()
    waiting = [root]
    total = 0
    while waiting:
        thing = waiting.pop()
        if id(thing) in seen or thing is None:
            continue
        seen.add(id(thing))
        total += sys.getsizeof(thing)
        if isinstance(thing, dict):
            waiting += [*thing.keys(), *thing.values()]
        elif isinstance(thing, list | tuple | set | frozenset):
            waiting += thing
        else:
            waiting += [
                getattr(thing, name)
                for kind in type(thing).__mro__
                for name in getattr(kind, "__slots__", ())
                if hasattr(thing, name)
            ]
    return total
