"""How the interpreter is set while it detects."""

import gc
import sys


def collect_garbage_rarely() -> None:
    """Look for cycles of garbage a hundred times more seldom.

    The state is large, lives long and holds no cycles; Python's defaults walk through all of it
    again and again, and everybody waits meanwhile.
    """
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


def take_short_turns() -> None:
    """Let a waiting thread run after a millisecond, so that detection does not hold up answers."""
    sys.setswitchinterval(0.001)
