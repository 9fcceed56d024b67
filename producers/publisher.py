"""One producer thread: holds the events of its queue until they are delivered."""

import logging
import queue
import random
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from kafka.errors import (
    InvalidRecordError,
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
)

from producers.metrics import ProducerMetrics
from producers.models import DLQ_TOPIC, DeadLetter, Event

logger = logging.getLogger(__name__)

FLUSH_STEP_S = 1.0

# The broker will never accept such a record.
_HOPELESS = (InvalidRecordError, MessageSizeTooLargeError, RecordListTooLargeError)


class Delivery(Protocol):
    """The result of sending a record: `get` raises if the broker did not accept it."""

    def get(self, timeout: float | None = None) -> Any: ...


class KafkaClient(Protocol):
    """The part of `kafka.KafkaProducer` that publishing needs."""

    def send(self, topic: str, value: bytes, key: bytes) -> Delivery: ...

    def flush(self, timeout: float | None = None) -> Any: ...

    def close(self, timeout: float | None = None) -> Any: ...


ClientFactory = Callable[[], KafkaClient]


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How long to wait between attempts, and how long to continue once asked to stop."""

    first_s: float = 0.5
    longest_s: float = 30.0
    delivery_timeout_s: float = 60.0
    drain_s: float = 5.0

    def pauses(self, rng: random.Random) -> Iterator[float]:
        """Yield pauses that double up to the maximum, each shortened at random by up to half."""
        pause = self.first_s
        while True:
            yield pause * rng.uniform(0.5, 1.0)
            pause = min(self.longest_s, pause * 2)


class Publisher(threading.Thread):
    """Delivers one topic's events, at least once and in order per key.

    After a failure it reconnects and resends what was not acknowledged. A record that the broker
    can never accept goes to the dead letters with the reason. After `finish` it empties its queue
    and ends; what cannot be delivered within `RetryPolicy.drain_s` is `abandoned`.
    """

    def __init__(
        self,
        topic: str,
        connect: ClientFactory,
        metrics: ProducerMetrics,
        retry: RetryPolicy,
        queue_size: int = 10_000,
        batch_size: int = 500,
    ) -> None:
        super().__init__(name=f"publisher-{topic}")
        self.topic = topic
        self.queue: queue.Queue[Event] = queue.Queue(queue_size)
        self.abandoned = 0
        self._connect = connect
        self._metrics = metrics
        self._retry = retry
        self._batch_size = batch_size
        self._rng = random.Random(topic)
        self._client: KafkaClient | None = None
        self._finishing = threading.Event()
        self._give_up_at = float("inf")

    def finish(self) -> None:
        """Ask the thread to deliver what is queued and end; nothing may be queued afterwards."""
        self._give_up_at = time.monotonic() + self._retry.drain_s
        self._finishing.set()

    def run(self) -> None:
        """Deliver batches until asked to finish and the queue is empty."""
        while batch := self._next_batch():
            self._deliver(batch)
            self._metrics.queued.labels(self.topic).set(self.queue.qsize())
        self._disconnect()

    def _next_batch(self) -> list[Event]:
        """Return what is queued; empty only when all is done."""
        batch: list[Event] = []
        while not batch:
            finishing = self._finishing.is_set()
            try:
                batch.append(self.queue.get(timeout=0.1))
            except queue.Empty:
                if finishing:
                    return []
        while len(batch) < self._batch_size:
            try:
                batch.append(self.queue.get_nowait())
            except queue.Empty:
                break
        return batch

    def _deliver(self, batch: list[Event]) -> None:
        for pause in self._retry.pauses(self._rng):
            if time.monotonic() >= self._give_up_at:
                self._abandon(batch)
                return
            batch = self._attempt(batch)
            if not batch:
                return
            self._count("retried", len(batch))
            self._pause(pause)

    def _pause(self, seconds: float) -> None:
        # Asked to finish meanwhile, it retries at once; later pauses end at the deadline.
        if not self._finishing.is_set():
            self._finishing.wait(seconds)
        else:
            time.sleep(max(0.0, min(seconds, self._give_up_at - time.monotonic())))

    def _attempt(self, batch: list[Event]) -> list[Event]:
        """Send a batch and return what must be resent, or sent as a dead letter, in order."""
        began = time.monotonic()
        outcomes: list[tuple[Event, Exception | None]]
        try:
            self._client = self._client or self._connect()
            sent = [(event, self._send(self._client, event)) for event in batch]
            failure = self._flush(self._client, began + self._retry.delivery_timeout_s)
            outcomes = [(event, _failure(partial(delivery.get, 0))) for event, delivery in sent]
        except Exception as error:
            failure, outcomes = error, [(event, error) for event in batch]
        again: list[Event] = []
        for event, refusal in outcomes:
            if refusal is None:
                self._count("dead_letter" if isinstance(event, DeadLetter) else "sent")
            elif not isinstance(refusal, _HOPELESS):
                failure = refusal
                again.append(event)
            elif isinstance(event, DeadLetter):
                self._abandon([event])
            else:
                again.append(_dead_letter(event, refusal))
        if failure is None:
            self._metrics.delivery.labels(self.topic).observe(time.monotonic() - began)
        else:
            logger.warning("%s: %s; reconnecting", self.topic, failure)
            self._disconnect()
        return again

    def _flush(self, client: KafkaClient, until: float) -> Exception | None:
        """Wait for acknowledgements in steps, because `finish` may shorten the deadline."""
        while True:
            left = min(until, self._give_up_at) - time.monotonic()
            failure = _failure(partial(client.flush, max(0.1, min(left, FLUSH_STEP_S))))
            if left <= FLUSH_STEP_S or not isinstance(failure, KafkaTimeoutError):
                return failure

    def _send(self, client: KafkaClient, event: Event) -> Delivery:
        # One customer's events share a key, hence a partition, hence their order.
        key = getattr(event, "customer_id", event.event_id)
        return client.send(event.topic, value=event.to_json(), key=key.encode())

    def _abandon(self, events: list[Event]) -> None:
        self.abandoned += len(events)
        self._count("abandoned", len(events))
        logger.error("%s: %d messages abandoned", self.topic, len(events))

    def _disconnect(self) -> None:
        client, self._client = self._client, None
        if client is not None and (error := _failure(partial(client.close, timeout=5))):
            logger.warning("%s: closing the connection failed: %s", self.topic, error)

    def _count(self, result: str, number: int = 1) -> None:
        self._metrics.messages.labels(self.topic, result).inc(number)


def _failure(call: Callable[[], object]) -> Exception | None:
    try:
        call()
    except Exception as error:
        return error
    return None


def _dead_letter(event: Event, error: Exception) -> DeadLetter:
    logger.warning("%s goes to %s: %s", event.event_id, DLQ_TOPIC, error)
    return DeadLetter(
        event_id=f"dead_{event.event_id}"[:64],
        source_topic=event.topic,
        reason=f"the broker rejects it: {error}",
        payload=event.to_json()[:10_000].decode(errors="replace"),
        occurred_at=event.occurred_at,
    )
