"""Identifiers that are unique across runs and can never look like a card number."""

import hashlib
from collections import defaultdict
from datetime import datetime
from itertools import count

# Sixteen letters instead of hexadecimal digits, so that no long run of digits occurs.
_LETTERS = str.maketrans("0123456789abcdef", "bcdfghjkmnpqrstv")


def fingerprint(*parts: object, length: int = 12) -> str:
    """Return `length` letters that depend only on the parts."""
    text = ":".join(str(part) for part in parts)
    return hashlib.sha256(text.encode()).hexdigest()[:length].translate(_LETTERS)


def card_token(*parts: object) -> str:
    """Return a token of twelve hexadecimal digits, too short to hold a card number."""
    return "tok_" + hashlib.sha256(":".join(map(str, parts)).encode()).hexdigest()[:12]


class Identifiers:
    """Generates the ids of one run: a function of the seed, the start and a counter.

    Two runs that differ in seed or start share no id.
    """

    def __init__(self, seed: int, start: datetime) -> None:
        self.run = fingerprint(seed, start.isoformat())
        self._counts: defaultdict[str, count[int]] = defaultdict(lambda: count(1))

    def next(self, kind: str) -> str:
        """Return a new id such as `evt_bcdfghjkmnpq_12`."""
        return f"{kind}_{self.run}_{next(self._counts[kind])}"
