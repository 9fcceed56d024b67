"""News for every open screen: one stream of server-sent events, at most a second behind."""

import asyncio
import threading
from collections import deque
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from fastapi.sse import ServerSentEvent

from detector.cases.case import Case
from detector.console.pulse import PulseKeeper
from detector.pipeline.work import Work
from detector.signals.signal import Signal

FLUSH_S = 0.2
PULSE_EVERY = 5  # flushes
NEWEST = 40
LISTENER_LIMIT = 500

_encode = msgspec.json.Encoder(decimal_format="string").encode


class Hub:
    """Collects news from the pipeline's thread and hands it to all listeners of the web's loop.

    A screen needs the newest, not every one: of a flood of signals the last forty of each fifth
    of a second go out, and a listener that does not keep up misses the oldest.
    """

    def __init__(self, keeper: PulseKeeper) -> None:
        self._keeper = keeper
        self._lock = threading.Lock()
        self._signals: deque[Signal] = deque(maxlen=NEWEST)
        self._cases: dict[str, Case] = {}
        self._listeners: set[asyncio.Queue[ServerSentEvent]] = set()

    def publish(self, work: Work) -> None:
        """Take in committed work; never waits."""
        if work.new_signals or work.cases:
            self.tell(work.new_signals, work.cases.values())

    def tell(self, signals: Iterable[Signal], cases: Iterable[Case]) -> None:
        """Take in news, from whichever thread; never waits."""
        if self._listeners:
            with self._lock:
                self._signals.extend(signals)
                self._cases.update((case.case_id, case) for case in cases)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Spread news as long as the context is open."""
        task = asyncio.create_task(self._spread())
        try:
            yield
        finally:
            task.cancel()

    async def listen(self) -> AsyncIterator[ServerSentEvent]:
        """News from now on, beginning with the pulse."""
        queue: asyncio.Queue[ServerSentEvent] = asyncio.Queue(LISTENER_LIMIT)
        self._listeners.add(queue)
        try:
            yield await self._pulse()
            while True:
                yield await queue.get()
        finally:
            self._listeners.discard(queue)

    async def _spread(self) -> None:
        flush = 0
        while True:
            await asyncio.sleep(FLUSH_S)
            if not self._listeners:
                continue
            flush += 1
            for news in self._collect():
                self._send(news)
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

    def _send(self, news: ServerSentEvent) -> None:
        for queue in self._listeners:
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(news)


def _event(name: str, content: Any) -> ServerSentEvent:
    return ServerSentEvent(event=name, raw_data=_encode(content).decode())
