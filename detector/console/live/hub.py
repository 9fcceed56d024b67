"""Live updates for open screens: one stream of server-sent events, at most a second behind."""

import asyncio
import threading
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import asynccontextmanager

import msgspec
from fastapi.sse import ServerSentEvent

from detector.cases.case import Case
from detector.console.live.pulse import PulseKeeper
from detector.pipeline.work import Work
from detector.signals.signal import Signal

FLUSH_S = 0.2
PULSE_EVERY = 5  # flushes
NEWEST = 40
LISTENER_LIMIT = 500

_encode = msgspec.json.Encoder(decimal_format="string").encode


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
        self._listeners: set[asyncio.Queue[ServerSentEvent]] = set()

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

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Send updates while the context is open."""
        task = asyncio.create_task(self._run())
        try:
            yield
        finally:
            task.cancel()

    async def listen(self) -> AsyncGenerator[ServerSentEvent]:
        """Updates from now on, starting with the pulse."""
        queue: asyncio.Queue[ServerSentEvent] = asyncio.Queue(LISTENER_LIMIT)
        self._listeners.add(queue)
        try:
            yield await self._pulse()
            while True:
                yield await queue.get()
        finally:
            self._listeners.discard(queue)

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
        return [
            *(_event("signal", signal) for signal in signals),
            *(_event("case", case) for case in cases.values()),
        ]

    async def _pulse(self) -> ServerSentEvent:
        pulse = await asyncio.to_thread(self._keeper.now)
        return ServerSentEvent(event="pulse", raw_data=pulse.model_dump_json())

    def _send(self, update: ServerSentEvent) -> None:
        for queue in self._listeners:
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(update)


def _event(name: str, content: Signal | Case) -> ServerSentEvent:
    return ServerSentEvent(event=name, raw_data=_encode(content).decode())
