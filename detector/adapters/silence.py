"""A source that has nothing: all events are submitted from outside, by the API."""

import time

from detector.pipeline.work import Batch

TICK_SECONDS = 0.05


class Silence:
    """Ends after so many seconds, or never."""

    name = "api"

    def __init__(self, seconds: float | None = None) -> None:
        self._seconds = seconds
        self._until = float("inf")

    def open(self, position: str | None) -> None:
        """Begin to count the seconds."""
        if self._seconds is not None:
            self._until = time.monotonic() + self._seconds

    def poll(self) -> Batch | None:
        """No records, after a short wait; None when the time is over."""
        time.sleep(TICK_SECONDS)
        return Batch([], "", 0.0) if time.monotonic() < self._until else None

    def acknowledge(self, position: str) -> None:
        """Nothing ever comes from here."""

    def close(self) -> None:
        """It holds nothing open."""
