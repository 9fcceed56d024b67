"""Throttles sign-in: the more attempts fail, the longer the wait."""

from collections import OrderedDict

FREE = 3
LONGEST_WAIT = 60.0
_REMEMBERED = 10_000


class Throttle:
    """Counts the failed attempts of each name or address; the caller gives the time, in seconds.

    The first `free` attempts do not have to wait.

    An attempt counts as failed from its start until it succeeds, so that concurrent attempts do
    not all get through. Attempts during a wait do not extend it.
    """

    def __init__(self, free: int = FREE) -> None:
        self._free = free
        self._failed: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def start(self, name: str, now: float) -> float:
        """Start an attempt; a positive result is how long to wait before trying again."""
        count, not_before = self._failed.get(name, (0, 0.0))
        if now < not_before:
            return not_before - now
        count += 1
        over = min(count - self._free, 10)
        wait = 0.0 if over < 0 else min(LONGEST_WAIT, 2.0**over)
        self._failed[name] = (count, now + wait)
        self._failed.move_to_end(name)
        if len(self._failed) > _REMEMBERED:
            self._failed.popitem(last=False)
        return 0.0

    def succeeded(self, name: str) -> None:
        """Reset the count of the name."""
        self._failed.pop(name, None)
