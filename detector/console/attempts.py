"""Sign-in attempts: the more of them fail for a name, the longer the next has to wait."""

from collections import OrderedDict

FREE = 3
LONGEST_WAIT = 60.0
_REMEMBERED = 10_000


class Attempts:
    """Counts the failed attempts of each name; time is the caller's, in seconds.

    An attempt counts as failed from its start until it succeeds, so that many at once do not
    slip through together. Waiting attempts do not make the wait longer.
    """

    def __init__(self) -> None:
        self._failed: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def start(self, name: str, now: float) -> float:
        """Begin an attempt; a positive answer is how long to wait before trying again."""
        count, not_before = self._failed.get(name, (0, 0.0))
        if now < not_before:
            return not_before - now
        count += 1
        wait = 0.0 if count < FREE else min(LONGEST_WAIT, 2.0 ** (count - FREE))
        self._failed[name] = (count, now + wait)
        self._failed.move_to_end(name)
        if len(self._failed) > _REMEMBERED:
            self._failed.popitem(last=False)
        return 0.0

    def succeeded(self, name: str) -> None:
        """The name is clean again."""
        self._failed.pop(name, None)
