"""The service: it publishes all the bank makes, survives failures, and stops cleanly."""

import json
import random
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable
from dataclasses import replace
from itertools import count, islice
from typing import Any

import pytest
from kafka.errors import KafkaConnectionError, KafkaTimeoutError, MessageSizeTooLargeError
from prometheus_client import start_http_server

from producers.bank import SyntheticBank
from producers.config import ProducerSettings
from producers.main import ProducerService
from producers.models import DLQ_TOPIC, TOPICS
from producers.publisher import RetryPolicy
from producers.tests.conftest import START

QUICK = RetryPolicy(first_s=0.001, longest_s=0.01, delivery_timeout_s=1, drain_s=0.3)


class FakeBroker:
    """Keeps what it acknowledged in memory; fails on request."""

    def __init__(self) -> None:
        self.records: list[tuple[str, bytes, bytes]] = []
        self.connections = 0
        self.open = 0
        self.refuse_connections = 0
        self.lose: Callable[[str, bytes], bool] = lambda _topic, _value: False
        self.too_large: Callable[[str, bytes], bool] = lambda _topic, _value: False
        self._lock = threading.Lock()

    def connect(self) -> Any:
        with self._lock:
            self.connections += 1
            if self.refuse_connections > 0:
                self.refuse_connections -= 1
                raise KafkaConnectionError("nobody there")
            self.open += 1
        return FakeClient(self)

    def take(self, topic: str, key: bytes, value: Any) -> Any:
        with self._lock:
            if self.too_large(topic, value):
                return MessageSizeTooLargeError("too large")
            if self.lose(topic, value):
                return KafkaConnectionError("connection lost")
            self.records.append((topic, key, value))
            return None

    def ids(self, topic: str | None = None) -> Any:
        return [json.loads(v)["event_id"] for t, _, v in self.records if topic in (None, t)]


class FakeClient:
    """Buffers records like the real client; only a flush brings them to the broker."""

    def __init__(self, broker: Any) -> None:
        self._broker = broker
        self._buffer: list[tuple[FakeDelivery, str, bytes, bytes]] = []

    def send(self, topic: str, value: Any, key: bytes) -> Any:
        delivery = FakeDelivery()
        self._buffer.append((delivery, topic, key, value))
        return delivery

    def flush(self, timeout: float | None = None) -> None:
        for delivery, topic, key, value in self._buffer:
            delivery.error = self._broker.take(topic, key, value)
        self._buffer.clear()

    def close(self, timeout: float | None = None) -> None:
        self._broker.open -= 1


class FakeDelivery:
    """Not delivered until the broker says otherwise."""

    def __init__(self) -> None:
        self.error = TimeoutError("not delivered yet")

    def get(self, timeout: float | None = None) -> None:
        if self.error:
            raise self.error


@pytest.fixture
def broker() -> Any:
    return FakeBroker()


@pytest.fixture
def service(small: Callable[..., ProducerSettings], broker: Any) -> Any:
    """A service on the fake broker whose clock runs an hour at each look."""

    def build(max_events: int = 1_500, retry: Any = QUICK, clock: Any = None, **values: Any) -> Any:
        return ProducerService(
            small(**values),
            broker.connect,
            start=START,
            clock=clock or count(0, 3_600).__next__,
            retry=retry,
            max_events=max_events,
        )

    return build


@pytest.fixture
def expected(small: Callable[..., ProducerSettings]) -> Any:
    """The ids of the first events the bank makes, by default 1,500."""
    return [e.event_id for _, e in islice(SyntheticBank(small(), START), 1_500)]


def sample(service: Any, name: str, **labels: Any) -> Any:
    return service.metrics.registry.get_sample_value(name, labels) or 0.0


def test_all_the_bank_makes_is_published(service: Any, broker: Any, expected: Any) -> None:
    """Every event arrives once, and the service ends with 0."""
    assert service().run() == 0
    assert sorted(broker.ids()) == sorted(expected)


def test_events_go_to_their_topics(service: Any, broker: Any) -> None:
    """Each record is valid on the topic it is on, and all five topics have some."""
    service().run()
    for topic, _, value in broker.records:
        TOPICS[topic].model_validate_json(value)
    assert {topic for topic, _, _ in broker.records} == set(TOPICS)


def test_the_key_is_the_customer(service: Any, broker: Any) -> None:
    """One customer's events share a partition, so they keep their order."""
    service().run()
    for _, key, value in broker.records:
        assert key.decode() == json.loads(value)["customer_id"]


def test_a_topic_keeps_the_order_of_the_bank(service: Any, broker: Any, expected: Any) -> None:
    """Within a topic, events arrive as they were made."""
    service().run()
    for topic in TOPICS:
        arrived = broker.ids(topic)
        assert arrived == sorted(arrived, key=expected.index)


def test_no_truth_is_published(service: Any, broker: Any) -> None:
    """The labels stay inside."""
    service(max_events=2_500, fraud_rate=0.5).run()
    assert not any(b"is_fraud" in v or b"scenario" in v for _, _, v in broker.records)


def test_it_waits_for_a_broker_that_is_away(service: Any, broker: Any, expected: Any) -> None:
    """ActionRefused connections are tried again until one stands; nothing is lost."""
    broker.refuse_connections = 12
    assert service(retry=RetryPolicy(0.001, 0.01, 1, 5)).run() == 0
    assert sorted(broker.ids()) == sorted(expected)


def test_lost_records_are_sent_again_over_a_new_connection(
    service: Any, broker: Any, expected: Any
) -> None:
    """Every seventh attempt is lost, and still every event arrives."""
    attempts = count(1)
    broker.lose = lambda *_: next(attempts) % 7 == 0
    running = service(retry=RetryPolicy(0.001, 0.01, 1, 5))
    assert running.run() == 0
    assert sorted(broker.ids()) == sorted(expected)
    assert broker.connections > 5
    assert sample(
        running, "producer_messages_total", topic="banking.kyc_profiles", result="retried"
    )


def test_a_record_that_is_too_large_is_dead_lettered(
    service: Any, broker: Any, expected: Any
) -> None:
    """It goes to the dead letters with reason and payload; the others arrive."""
    unlucky = f'{expected[3]}"'.encode()
    broker.too_large = lambda topic, value: topic != DLQ_TOPIC and unlucky in value
    assert service().run() == 0
    (letter,) = [json.loads(v) for t, _, v in broker.records if t == DLQ_TOPIC]
    assert letter["source_topic"] == "banking.kyc_profiles"
    assert "too large" in letter["reason"]
    assert json.loads(letter["payload"])["event_id"] == expected[3]
    assert len(broker.records) == len(expected)


def test_a_dead_letter_that_is_refused_is_given_up(
    service: Any, broker: Any, expected: Any
) -> None:
    """It is counted as abandoned and the service says so by its exit code."""
    unlucky = f'{expected[3]}"'.encode()
    broker.too_large = lambda _, value: unlucky in value
    running = service()
    assert running.run() == 1
    assert sum(p.abandoned for p in running.publishers.values()) == 1
    assert len(broker.records) == len(expected) - 1


def test_what_cannot_be_delivered_at_the_end_is_counted(service: Any, broker: Any) -> None:
    """A broker that stays away costs the drain time, not for ever, and the exit code is 1."""
    broker.lose = lambda *_: True
    running = service(max_events=700)
    began = time.monotonic()
    assert running.run() == 1
    assert time.monotonic() - began < 5
    assert sum(p.abandoned for p in running.publishers.values()) == 700


def test_stopping_drains_what_was_made(service: Any, broker: Any) -> None:
    """Stopped in the middle, all that was queued arrives and every connection is closed."""
    running = service(max_events=None, clock=time.monotonic, transaction_rate=200.0)
    threading.Timer(0.5, running.stop).start()
    assert running.run() == 0
    assert len(broker.records) >= 500
    assert all(publisher.queue.empty() for publisher in running.publishers.values())
    assert broker.open == 0


def test_stopping_cuts_a_long_wait_for_the_broker_short(
    service: Any, broker: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A flush that began before the stop may not take its whole minute after it."""
    flushing = threading.Event()

    def flush(client: Any, timeout: float | None = None) -> None:
        flushing.set()
        time.sleep(timeout or 0)
        raise KafkaTimeoutError("nobody answers")

    monkeypatch.setattr(FakeClient, "flush", flush)
    monkeypatch.setattr("producers.publisher.FLUSH_STEP_S", 0.05)
    patient = replace(QUICK, delivery_timeout_s=60, drain_s=0.3)
    running = service(max_events=10, retry=patient)
    began = time.monotonic()
    assert running.run() == 1
    assert flushing.is_set()
    assert time.monotonic() - began < 5


def test_stopping_leaves_no_thread_behind(service: Any) -> None:
    """Bank and publishers have ended when `run` returns."""
    before = threading.active_count()
    service().run()
    assert threading.active_count() == before


def test_the_bank_keeps_the_pace_of_the_clock(service: Any, broker: Any) -> None:
    """In half a second of real time, half a second of the bank's time is published."""
    running = service(max_events=None, clock=time.monotonic, transaction_rate=100.0)
    threading.Timer(0.5, running.stop).start()
    running.run()
    made = len(broker.ids("banking.transactions"))
    assert 15 <= made <= 100


def test_a_full_queue_holds_the_bank_back(
    small: Callable[..., ProducerSettings], broker: Any
) -> None:
    """With room for ten events a queue, and a slow broker, nothing is lost."""
    broker.lose = lambda *_: random.random() < 0.2
    running = ProducerService(
        small(),
        broker.connect,
        start=START,
        clock=count(0, 3_600).__next__,
        retry=RetryPolicy(0.001, 0.005, 1, 5),
        queue_size=10,
        max_events=900,
    )
    assert running.run() == 0
    assert len(broker.records) == 900


def test_a_bank_that_fails_ends_the_service_with_an_error(
    service: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The failure is no silent end: what was made is delivered and the exit code is 1."""
    running = service()
    monkeypatch.setattr(running, "_put", lambda *_: 1 / 0)
    assert running.run() == 1


def test_pauses_grow_and_vary() -> None:
    """Exponential backoff up to the longest pause, with jitter, never zero."""
    policy = RetryPolicy(first_s=1, longest_s=8)
    pauses = list(islice(policy.pauses(random.Random(1)), 8))
    for pause, full in zip(pauses, (1, 2, 4, 8, 8, 8, 8, 8), strict=True):
        assert full / 2 <= pause <= full
    assert len(set(pauses)) == len(pauses)


def test_metrics_count_what_was_sent(service: Any, broker: Any) -> None:
    """Messages by topic and result, scenario events, target rates."""
    running = service(max_events=3_000)
    running.run()
    for topic in TOPICS:
        sent = sample(running, "producer_messages_total", topic=topic, result="sent")
        assert sent == len(broker.ids(topic))
        assert sample(running, "producer_queue_messages", topic=topic) == 0
    assert sample(running, "producer_target_rate", topic="banking.transactions") == 20
    assert sample(running, "producer_delivery_seconds_count", topic="banking.logins") > 0
    assert sample(running, "scenario_events_total", scenario="velocity") > 0


def test_metrics_are_served_on_loopback(service: Any) -> None:
    """A scrape finds the names that dashboards use."""
    running = service()
    running.run()
    server, thread = start_http_server(0, addr="127.0.0.1", registry=running.metrics.registry)
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}/metrics") as page:
            text = page.read().decode()
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    assert "producer_messages_total" in text and "scenario_events_total" in text


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_process_cleanly(number: int) -> None:
    """The real program stops on the signal and, with nothing undelivered, exits with 0."""
    program = (
        "import producers.main as m, producers.tests.test_main as t\n"
        "broker = t.FakeBroker()\n"
        "m.connect_to_kafka = lambda settings: broker.connect()\n"
        "raise SystemExit(m.main())\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        env={"METRICS_PORT": "0", "PYTHONPATH": ":".join(filter(None, sys.path))},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    first_line = process.stderr.readline()
    process.send_signal(number)
    _, rest = process.communicate(timeout=15)
    assert "publishing to" in first_line
    assert process.returncode == 0, rest
    assert "0 messages were not delivered" in rest


def test_a_bad_setting_ends_the_process_with_its_explanation() -> None:
    """Exit code 2 and one line on stderr, no traceback."""
    done = subprocess.run(
        [sys.executable, "-m", "producers.main"],
        env={"FRAUD_RATE": "7", "PYTHONPATH": ":".join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 2
    assert "FRAUD_RATE is '7'" in done.stderr and "Traceback" not in done.stderr
