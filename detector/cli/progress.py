"""Progress of long work, on stderr."""

import time
from types import TracebackType

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from detector.pipeline.work import Work

PLAIN_EVERY_SECONDS = 5.0
_COLUMNS = (SpinnerColumn(), TextColumn("{task.description}"))


class EventProgress:
    """Counts events, or something else; a spinner in a terminal, an occasional line elsewhere.

    With a total it says how much is done and how long the rest will take.
    """

    def __init__(self, doing: str, counted: str = "events", total: int | None = None) -> None:
        self._doing = doing
        self._counted = counted
        self._total: int | None = None
        self._console = Console(stderr=True)
        self._events = 0
        self._began = self._said_at = time.monotonic()
        self._progress = Progress(
            *_COLUMNS,
            TimeElapsedColumn(),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        )
        self._task = self._progress.add_task(doing, total=None)
        self.expect(total)

    def expect(self, total: int | None) -> None:
        """Say how many there will be in all; None where that cannot be known."""
        self._total = total
        if total:
            self._progress.columns = (*_COLUMNS, BarColumn(), TimeRemainingColumn())
            self._progress.update(self._task, total=total)

    def __enter__(self) -> "EventProgress":
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def publish(self, work: Work) -> None:
        """Count the records of committed work, as a sink."""
        self.advance(work.size + work.duplicates)

    def advance(self, events: int) -> None:
        """Count more events."""
        self._events += events
        now = time.monotonic()
        rate = self._events / max(now - self._began, 1e-9)
        of = f" of {self._total:,}" if self._total else ""
        line = f"{self._doing}: {self._events:,}{of} {self._counted}, {rate:,.0f}/s"
        if self._total and self._progress.disable:
            line += f", {max(self._total - self._events, 0) / max(rate, 1):,.0f} s left"
        self._progress.update(self._task, description=line, completed=self._events)
        if self._progress.disable and now - self._said_at >= PLAIN_EVERY_SECONDS:
            self._said_at = now
            self._console.print(line, highlight=False)
