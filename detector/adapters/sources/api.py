"""The source of a run whose events are all submitted through the API."""

import time

from detector.pipeline.work import Batch

TICK_SECONDS = 0.05


class ApiSource:
    """Returns no records; ends after `seconds`, or never."""

    name = "api"

    def __init__(self, seconds: float | None = None) -> None:
        self._seconds = seconds
        self._until = float("inf")

    def open(self, position: str | None) -> None:
        """Start the clock."""
        if self._seconds is not None:
            self._until = time.monotonic() + self._seconds

    def poll(self) -> Batch | None:
        """No records, after a short wait; None when the time is over."""
        time.sleep(TICK_SECONDS)
        return Batch([], "", 0.0) if time.monotonic() < self._until else None

    def lag(self) -> dict[str, int]:
        """No partitions."""
        return {}

    def acknowledge(self, position: str) -> None:
        """Nothing to acknowledge."""

    def close(self) -> None:
        """Nothing to close."""
