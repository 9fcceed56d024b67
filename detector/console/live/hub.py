"""Live updates for open screens: one stream of server-sent events, at most a second behind."""

import asyncio
import threading
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import NamedTuple

import msgspec
from fastapi.sse import ServerSentEvent

from detector.cases.actions import ACTIONS
from detector.cases.audit import AuditEntry
from detector.cases.case import Case
from detector.console.live.pulse import PulseKeeper
from detector.pipeline.work import Work
from detector.signals.signal import Signal

FLUSH_S = 0.2
PULSE_EVERY = 5  # flushes
NEWEST = 40
LISTENER_LIMIT = 500

_encode = msgspec.json.Encoder(decimal_format="string").encode


Updates = asyncio.Queue[ServerSentEvent | None]
"""What a screen is sent; None ends the stream."""


class Viewer(NamedTuple):
    """Someone with an open screen, and the case that it shows, if any."""

    name: str
    case_id: str | None


class Viewers(msgspec.Struct, frozen=True):
    """Who has a case open."""

    case_id: str
    names: list[str]


class ReviewUpdate(msgspec.Struct, frozen=True):
    """What a user did to a case, never what it was closed as: every role sees it."""

    case_id: str
    actor: str
    did: str
    status: str
    owner: str | None


class Hub:
    """Collects updates from the pipeline's thread and sends them to open screens on the web loop.

    A screen needs the newest signals, not all: at most forty every fifth of a second are sent, and
    a screen that cannot keep up loses the oldest.
    """

    def __init__(self, keeper: PulseKeeper) -> None:
        self._keeper = keeper
        self._lock = threading.Lock()
        self._signals: deque[Signal] = deque(maxlen=NEWEST)
        self._cases: dict[str, Case] = {}
        self._reviews: list[ReviewUpdate] = []
        # Who listens, and the case that they have open.
        self._listeners: dict[Updates, Viewer] = {}
        self._loop: asyncio.AbstractEventLoop | None = None

    def publish(self, work: Work) -> None:
        """Publish committed work; never blocks."""
        if work.new_signals or work.cases:
            self.push(work.new_signals, work.cases.values())

    def push(self, signals: Iterable[Signal], cases: Iterable[Case]) -> None:
        """Queue updates, from any thread; never blocks."""
        if self._listeners:
            with self._lock:
                self._signals.extend(signals)
                self._cases.update((case.case_id, case) for case in cases)

    def tell(self, entry: AuditEntry) -> None:
        """Queue what a user did to a case, from any thread; an audit log's listener."""
        if entry.subject_kind == "case" and self._listeners:
            after = entry.detail["after"]
            update = ReviewUpdate(
                entry.subject,
                entry.actor,
                ACTIONS[entry.action].past,
                after["status"],
                after["owner"],
            )
            with self._lock:
                self._reviews.append(update)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Send updates while the context is open."""
        self._loop = asyncio.get_running_loop()
        task = asyncio.create_task(self._run())
        try:
            yield
        finally:
            task.cancel()

    def end(self) -> None:
        """End all streams, from any thread: the server waits for open answers when it stops."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._end)

    def _end(self) -> None:
        for queue in self._listeners:
            _put(queue, None)

    async def listen(self, viewer: Viewer | None = None) -> AsyncGenerator[ServerSentEvent]:
        """Updates from now on, starting with the pulse; others of the same case see the viewer."""
        queue: Updates = asyncio.Queue(LISTENER_LIMIT)
        viewer = viewer or Viewer("", None)
        self._listeners[queue] = viewer
        self._show_viewers(viewer.case_id)
        try:
            yield await self._pulse()
            while (update := await queue.get()) is not None:
                yield update
        finally:
            del self._listeners[queue]
            self._show_viewers(viewer.case_id)

    def _show_viewers(self, case_id: str | None) -> None:
        """Tell those who have a case open who else has."""
        if case_id is None:
            return
        watching = {q: v.name for q, v in self._listeners.items() if v.case_id == case_id}
        event = _event("viewers", Viewers(case_id, sorted(set(watching.values()))))
        for queue in watching:
            _put(queue, event)

    async def _run(self) -> None:
        flush = 0
        while True:
            await asyncio.sleep(FLUSH_S)
            if not self._listeners:
                continue
            flush += 1
            for update in self._collect():
                self._send(update)
            if flush % PULSE_EVERY == 0:
                self._send(await self._pulse())

    def _collect(self) -> list[ServerSentEvent]:
        with self._lock:
            signals, self._signals = self._signals, deque(maxlen=NEWEST)
            cases, self._cases = self._cases, {}
            reviews, self._reviews = self._reviews, []
        return [
            *(_event("signal", signal) for signal in signals),
            *(_event("case", case) for case in cases.values()),
            *(_event("review", review) for review in reviews),
        ]

    async def _pulse(self) -> ServerSentEvent:
        pulse = await asyncio.to_thread(self._keeper.now)
        return ServerSentEvent(event="pulse", raw_data=pulse.model_dump_json())

    def _send(self, update: ServerSentEvent) -> None:
        for queue in self._listeners:
            _put(queue, update)


def _put(queue: Updates, update: ServerSentEvent | None) -> None:
    if queue.full():
        queue.get_nowait()
    queue.put_nowait(update)


def _event(name: str, content: Signal | Case | ReviewUpdate | Viewers) -> ServerSentEvent:
    return ServerSentEvent(event=name, raw_data=_encode(content).decode())
