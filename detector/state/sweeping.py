"""Forgetting a little at a time, so that no event waits for all of it."""

from collections.abc import Callable, Hashable, Iterator
from typing import TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

PIECE = 200
"""Entries looked at in one step: a fraction of a millisecond."""


def swept(states: dict[K, V], is_over: Callable[[V], bool]) -> Iterator[None]:
    """Drop the entries whose value is over, some at each step; others may change meanwhile."""
    keys = list(states)
    for first in range(0, len(keys), PIECE):
        for key in keys[first : first + PIECE]:
            if key in states and is_over(states[key]):
                del states[key]
        yield
