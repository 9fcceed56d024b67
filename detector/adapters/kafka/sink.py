"""Publishes committed work to Kafka: signals to `fraud.signals`, dead letters to `banking.dlq`."""

import threading
import time
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from detector.adapters.duckdb.store import DuckDBStore
from detector.adapters.kafka.bookmark import Bookmark
from detector.adapters.kafka.client import Trouble, connection_options, logger
from detector.adapters.kafka.messages import Outgoing, letter_message, signal_message
from detector.pipeline.work import Work
from detector.signals.rules import Rules
from producers.config import ProducerSettings

MOST_WAITING = 100_000
DRAIN_S = 5.0
RETRY_S = 1.0
SAVE_EVERY_S = 1.0

# The broker will never accept such a message.
_HOPELESS = {KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.INVALID_MSG, KafkaError.INVALID_RECORD}


@dataclass(slots=True)
class _Parcel:
    """The messages of one unit of work, and the bookmark to save once all are acknowledged."""

    bookmark: Bookmark | None
    open: int = 0
    complete: bool = True
    messages: list[Outgoing] = field(default_factory=list)


class KafkaSink:
    """Publishes after the commit, at least once, on its own thread.

    `publish` only queues, so an unavailable broker never delays detection; messages are sent when
    it is back. A bookmark beside the store records how far all messages were acknowledged; what a
    killed run had not sent is sent at the next start. One thing can be lost that way: the
    withdrawal of a signal that was committed just before a kill, because the store no longer
    contains the signal.
    """

    def __init__(self, settings: ProducerSettings, bookmark: Path, **options: Any) -> None:
        self._servers = settings.kafka_bootstrap_servers
        self._file = bookmark
        self._trouble = Trouble("publishing to Kafka")
        self._producer = Producer(
            {
                **connection_options(settings),
                "client.id": "fraud-detector",
                "acks": "all",
                # Retries indefinitely and in order; an idempotent producer could end in a fatal
                # error.
                "message.timeout.ms": 0,
                "max.in.flight.requests.per.connection": 1,
                "partitioner": "murmur2_random",
                "queue.buffering.max.messages": 10_000,
                "message.max.bytes": 2_000_000,
                "linger.ms": 5,
                "error_cb": self._explain,
                **options,
            }
        )
        self._lock = threading.Condition()
        self._queue: deque[tuple[Outgoing, _Parcel]] = deque()
        self._parcels: deque[_Parcel] = deque()
        self._stopping = False
        self._give_up_at = float("inf")
        self._retry_at = self._saved_at = 0.0
        self._saved: Bookmark | None = None
        self._reached: Bookmark | None = None
        # The bookmark before the work being queued, and the one after it.
        self._before: Bookmark | None = None
        self._latest: Bookmark | None = None
        self._committed_at = 0.0
        self._thread = threading.Thread(target=self._run, name="kafka-sink", daemon=True)

    def start(self, store: DuckDBStore, rules: Rules) -> None:
        """Queue what an earlier run may not have sent, and start sending."""
        mark = Bookmark.load(self._file)
        watermark = store.query("SELECT watermark FROM progress")[0][0]
        now = self._latest = Bookmark(watermark, datetime.now(UTC))
        if mark is None:
            # First start: what the store already contains is history and is not published.
            self._reached = now
            self._save()
        else:
            edge = mark.first_change(store, rules.lateness)
            signals = store.signals_since(edge) if edge else ()
            letters = store.dead_letters_since(mark.committed_at)
            messages = [signal_message(signal, "repeated") for signal in signals]
            self._enqueue([*messages, *map(letter_message, letters)], now)
        self._thread.start()

    def publish(self, work: Work) -> None:
        """Queue the changed signals and the dead letters of the work."""
        if work.committed_at != self._committed_at:
            # Work that was committed together is published one by one; the bookmark must not pass
            # any of it until the last is queued.
            self._committed_at, self._before = work.committed_at, self._latest
        new = {signal.signal_id for signal in work.new_signals}
        messages = [
            signal_message(signal, "new" if signal.signal_id in new else "updated")
            for signal in work.signals.values()
            if signal is not None
        ]
        messages += [
            signal_message(signal, "withdrawn")
            for signal in work.withdrawn_signals
            if work.signals.get(signal.signal_id) is None
        ]
        messages += map(letter_message, work.dead_letters)
        self._latest = Bookmark(work.watermark, datetime.now(UTC))
        self._enqueue(messages, self._before)

    @property
    def waiting(self) -> int:
        """Number of messages that Kafka has not acknowledged."""
        with self._lock:
            return sum(parcel.open for parcel in self._parcels)

    def close(self) -> None:
        """Send what is queued, for a few seconds at most; the rest is sent at the next start."""
        with self._lock:
            self._stopping = True
            self._give_up_at = time.monotonic() + DRAIN_S
            self._lock.notify_all()
        if self._thread.is_alive():
            self._thread.join()
        if not self._parcels:
            self._reached = self._latest
        self._save()
        if owed := self.waiting:
            logger.warning("%d messages did not reach Kafka; the next start sends them", owed)
            self._producer.purge()

    def _enqueue(self, messages: list[Outgoing], bookmark: Bookmark | None) -> None:
        parcel = _Parcel(bookmark, len(messages))
        with self._lock:
            self._parcels.append(parcel)
            if len(self._queue) + len(messages) > MOST_WAITING and self._queue:
                # They are in the store; the bookmark stays before them until the next start.
                parcel.complete = False
                self._trouble.arose("too many messages wait for Kafka; the next start sends them")
                return
            self._queue.extend((message, parcel) for message in messages)
            self._lock.notify_all()

    # The thread

    def _run(self) -> None:
        while True:
            with self._lock:
                if not self._queue and not self._stopping:
                    self._lock.wait(0.05)
                outgoing = bool(self._queue) and time.monotonic() >= self._retry_at
            if outgoing:
                self._send()
            self._producer.poll(0.02)
            self._turn_pages()
            if self._stopping and self._finished():
                return

    def _finished(self) -> bool:
        with self._lock:
            over = time.monotonic() >= self._give_up_at
            return over or not any(p.open for p in self._parcels if p.complete)

    def _send(self) -> None:
        """Give the client as many messages as it accepts."""
        with self._lock:
            while self._queue:
                message, parcel = self._queue[0]
                try:
                    self._producer.produce(
                        **message._asdict(), on_delivery=partial(self._delivered, message, parcel)
                    )
                except BufferError:
                    return
                except KafkaException as error:
                    self._settle(message, parcel, error.args[0])
                self._queue.popleft()

    def _delivered(
        self, message: Outgoing, parcel: _Parcel, error: KafkaError | None, _: Message
    ) -> None:
        with self._lock:
            if error is not None and error.code() not in _HOPELESS:
                if error.code() == KafkaError._PURGE_QUEUE:
                    return
                self._explain(error)
                self._queue.append((message, parcel))
                self._retry_at = time.monotonic() + RETRY_S
                return
            self._settle(message, parcel, error)

    def _settle(self, message: Outgoing, parcel: _Parcel, error: KafkaError | None) -> None:
        parcel.open -= 1
        if error is None:
            self._trouble.over("publishing again")
        else:
            logger.error("%s refuses %r: %s", message.topic, message.key, error.str())

    def _turn_pages(self) -> None:
        """Advance the bookmark past all work whose messages are acknowledged."""
        with self._lock:
            while self._parcels and self._parcels[0].complete and not self._parcels[0].open:
                self._reached = self._parcels.popleft().bookmark
        if time.monotonic() - self._saved_at >= SAVE_EVERY_S:
            self._save()

    def _save(self) -> None:
        if self._reached is not None and self._reached != self._saved:
            self._saved, self._saved_at = self._reached, time.monotonic()
            self._saved.save(self._file)

    def _explain(self, error: KafkaError) -> None:
        self._trouble.explain(error, self._servers)
