"""Interpreter settings for detection."""

import gc
import sys


def collect_garbage_rarely() -> None:
    """Collect cyclic garbage a hundred times less often.

    The state is large, long-lived and free of cycles; with Python's defaults the collector walks
    through it again and again, and stops every thread meanwhile.
    """
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


def take_short_turns() -> None:
    """Switch threads after one millisecond, so that detection does not delay responses."""
    sys.setswitchinterval(0.001)
