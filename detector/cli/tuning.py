"""Interpreter settings for detection."""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager


def collect_garbage_rarely() -> None:
    """Look for cyclic garbage among new objects in short pauses, and hardly ever among all.

    The state is large, long-lived and free of cycles; with Python's defaults the collector walks
    through it again and again, and stops every thread meanwhile: for 0.4 s for a million objects.
    New objects are looked at while they are in the processor's cache.
    """
    gc.freeze()
    gc.set_threshold(2_000, 2, 500_000)


def take_short_turns() -> None:
    """Switch threads after one millisecond, so that detection does not delay responses."""
    sys.setswitchinterval(0.001)


@contextmanager
def without_collecting() -> Iterator[None]:
    """Collect no garbage meanwhile: of what modules make while they are imported, little is."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
