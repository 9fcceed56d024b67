"""Publishing to Kafka: signals and dead letters, after the commit, at least once."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Message, Producer

from detector.adapters.duckdb.store import DuckDBStore
from detector.adapters.kafka import KafkaSink
from detector.adapters.kafka import sink as kafka_sink
from detector.core.events import Event, Record
from detector.pipeline.detector import Detector
from detector.pipeline.pipeline import Pipeline
from detector.pipeline.work import merged
from producers.config import ProducerSettings
from producers.models import DLQ_TOPIC
from tests import build
from tests.adapters.kafka.broker import Broker
from tests.adapters.kafka.support import (
    Fraud,
    Group,
    bank_log,
    event_ids,
    everything_in,
    findings,
    fresh_topics,
    hours_ago,
    send,
    sent_ids,
    until,
)

SIGNALS = "fraud.signals"


class Played(build.ListSource):
    """Batches that are played from the first, wherever the store stands."""

    def open(self, position: str | None) -> None:
        """Begin with the first batch."""


class Publisher:
    """A store with a sink, fed by hand."""

    def __init__(self, address: str, folder: Path, **options: Any) -> None:
        settings = ProducerSettings(_env_file=None, kafka_bootstrap_servers=address)
        self.store = DuckDBStore(folder / "store.duckdb", build.REAL)
        self.bookmark = folder / "bookmark"
        self.sink = KafkaSink(settings, self.bookmark, **options)

    def start(self) -> "Publisher":
        """Begin to publish."""
        self.sink.start(self.store, build.REAL)
        return self

    def feed(self, *batches: list[Event], publish: bool = True) -> None:
        """Detect, commit and publish batches."""
        source = Played([build.records(batch) for batch in batches])
        sinks = [self.sink] if publish else []
        Pipeline(build.REAL, source, self.store, sinks, clock=lambda: build.NOW).run()

    def close(self) -> None:
        """End both."""
        self.sink.close()
        self.store.close()


def _burst(start: float, account: str = "acc-1", count: int = 5) -> list[Event]:
    return [build.transaction(start + n, account) for n in range(count)]


def _told(address: str, topic: str = SIGNALS) -> list[tuple[str, str]]:
    """(key, change) of each message, as they stand on the topic."""
    return [
        ((m.key() or b"").decode(), json.loads(m.value() or b"")["change"])
        for m in everything_in(address, topic)
    ]


@pytest.fixture
def address(broker: Broker) -> Iterator[str]:
    """A broker with fresh topics of one partition."""
    fresh_topics(broker.address, partitions=1)
    yield broker.address


def test_signals_are_published_when_new_changed_and_withdrawn(address: str, tmp_path: Path) -> None:
    """Keyed by signal_id, in order, each with everything an analyst gets."""
    publisher = Publisher(address, tmp_path).start()
    burst = _burst(10)
    late = build.transaction(9)  # makes the count of the fifth a six, and of the fourth a five
    publisher.feed(burst, [late])
    publisher.close()
    fifth, fourth = (f"velocity:{burst[n].event_id}" for n in (4, 3))
    told = _told(address)
    assert told[0] == (fifth, "new")
    assert sorted(told[1:]) == sorted([(fourth, "new"), (fifth, "updated")])
    last = [json.loads(m.value() or b"") for m in everything_in(address, SIGNALS)]
    newest = {value["signal_id"]: value for value in last}[fifth]
    assert newest["observed"] == 6
    assert newest["reason"] and newest["evidence"]


def test_a_withdrawn_signal_is_published_as_withdrawn(address: str, tmp_path: Path) -> None:
    """A late profile registers the device: the takeover was none."""
    publisher = Publisher(address, tmp_path).start()
    used = build.online(100, device_id="d-9", amount="900.00")
    publisher.feed([used], [build.profile(90, devices=["d-9"])])
    publisher.close()
    name = f"account_takeover:{used.event_id}"
    assert _told(address) == [(name, "new"), (name, "withdrawn")]


def test_what_a_killed_run_owed_is_sent_at_the_next_start(address: str, tmp_path: Path) -> None:
    """Committed, but never told: the bookmark knows. What was told, before or then, is not told
    again, however often it starts."""
    publisher = Publisher(address, tmp_path).start()
    told = _burst(10)
    publisher.feed(told)
    publisher.close()
    publisher = Publisher(address, tmp_path)  # never started: as if killed before it could send
    owed = _burst(1_000)
    publisher.feed(owed, publish=False)
    publisher.store.close()
    for _ in range(2):
        Publisher(address, tmp_path).start().close()
    assert _told(address) == [
        (f"velocity:{told[4].event_id}", "new"),
        (f"velocity:{owed[4].event_id}", "repeated"),
    ]


def test_work_committed_together_is_repeated_until_all_is_published(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed between the first and the second: both stand in the store by one commit."""
    monkeypatch.setattr(kafka_sink, "SAVE_EVERY_S", 0)
    publisher = Publisher(address, tmp_path).start()
    detector = Detector(build.REAL, lambda _: set(), clock=lambda: build.NOW)
    first, second = (_burst(start) for start in (10, 1_000))
    works = [detector.process("", build.batch(events, "")) for events in (first, second)]
    publisher.store.commit(merged(works))
    publisher.sink.publish(works[0])
    until(lambda: publisher.sink.waiting == 0)
    time.sleep(0.2)  # time enough to move the bookmark
    publisher.store.close()
    Publisher(address, tmp_path).start().close()
    assert (f"velocity:{second[4].event_id}", "repeated") in _told(address)
    publisher.sink.close()


def test_a_late_event_among_what_was_owed_repeats_what_it_may_have_changed(
    address: str, tmp_path: Path
) -> None:
    """The count of a published signal has grown since, and was not published."""
    publisher = Publisher(address, tmp_path).start()
    burst = _burst(10)
    publisher.feed([*burst, build.login(200)])
    publisher.close()
    publisher = Publisher(address, tmp_path)  # never started: as if killed before it could send
    publisher.feed([build.transaction(9)], publish=False)
    publisher.store.close()
    Publisher(address, tmp_path).start().close()
    fifth, fourth = (f"velocity:{burst[n].event_id}" for n in (4, 3))
    assert _told(address) == [(fifth, "new"), (fourth, "repeated"), (fifth, "repeated")]
    told = [json.loads(m.value() or b"") for m in everything_in(address, SIGNALS)]
    assert [value["observed"] for value in told] == [5, 5, 6]


def test_a_first_start_on_an_old_store_tells_only_what_is_new(address: str, tmp_path: Path) -> None:
    """What was found before Kafka was asked for is history."""
    publisher = Publisher(address, tmp_path)
    publisher.feed(_burst(10), publish=False)
    publisher.start()
    later = _burst(2_000)
    publisher.feed(later)
    publisher.close()
    assert _told(address) == [(f"velocity:{later[4].event_id}", "new")]


def test_a_missing_broker_delays_signals_and_nothing_else(broker: Broker, tmp_path: Path) -> None:
    """Detection commits meanwhile; when the broker is back the signals are sent, in order."""
    fresh_topics(broker.address, partitions=1)
    publisher = Publisher(broker.address, tmp_path).start()
    first, second = _burst(10), _burst(1_000)
    publisher.feed(first)
    until(lambda: publisher.sink.waiting == 0)
    broker.stop()
    try:
        publisher.feed(second)
        assert publisher.store.query("SELECT count(*) FROM fraud_signals") == [(2,)]
    finally:
        broker.start()
    until(lambda: publisher.sink.waiting == 0)
    publisher.close()
    assert [key for key, _ in _told(broker.address)] == [
        f"velocity:{burst[4].event_id}" for burst in (first, second)
    ]


def test_a_stop_without_a_broker_keeps_what_is_owed(tmp_path: Path, broker: Broker) -> None:
    """It ends within seconds; the next start sends the rest."""
    fresh_topics(broker.address, partitions=1)
    publisher = Publisher("127.0.0.1:9", tmp_path).start()
    burst = _burst(10)
    publisher.feed(burst)
    publisher.close()
    publisher = Publisher(broker.address, tmp_path).start()
    publisher.close()
    assert _told(broker.address) == [(f"velocity:{burst[4].event_id}", "repeated")]


def test_a_message_the_broker_rejects_is_logged_and_delays_no_other(
    address: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Too large for the client: dropped with a line in the log; the next one goes out."""
    publisher = Publisher(address, tmp_path, **{"message.max.bytes": 1_000}).start()
    huge = [Record("logins", b"x" * 5_000, "test", 1)]
    source = build.ListSource([huge])
    Pipeline(build.REAL, source, publisher.store, [publisher.sink], clock=lambda: build.NOW).run()
    until(lambda: publisher.sink.waiting == 0 and "refuses" in caplog.text)
    publisher.close()
    assert everything_in(address, DLQ_TOPIC) == []


POISON: list[tuple[bytes | None, str]] = [
    (b'{"event_id":', "truncated"),
    (b"not json at all", "malformed"),
    (None, "empty"),
    (b"", "empty"),
    (b'{"event_id":"e-1","occurred_at":"2026-01-05T09:00:00Z"}', "customer_id"),
    (b'\xff\xfe{"event_id":1}', "malformed"),
    (b'{"event_id":"e-2","note":"4111111111111111"}', "occurred_at"),
    (b"\x00" * 2_000, "malformed"),
]


def test_poison_becomes_dead_letters_while_good_events_flow(broker: Broker, tmp_path: Path) -> None:
    """In the store and on banking.dlq: raw bytes, reason and origin; card numbers are masked."""
    fresh_topics(broker.address, partitions=1)
    log = bank_log(600, hours_ago(1))
    send(broker.address, log[:300])
    producer = Producer({"bootstrap.servers": broker.address})
    for raw, _ in POISON:
        producer.produce("banking.logins", raw, key=b"k")
    assert producer.flush(10) == 0
    send(broker.address, log[300:])

    store = tmp_path / "store.duckdb"
    reader = Fraud(broker.address, store, "--group", "poison")
    until(Group(broker.address, "poison").has_all)
    assert reader.stop()["dead_letters"] == len(POISON)

    tables = findings(store)
    assert event_ids(tables) == sent_ids(log)
    first = min(row[3] for row in tables["dead_letters"])
    rows = {row[3] - first: row for row in tables["dead_letters"]}
    told = {int(_header(m, "offset")) - first: m for m in everything_in(broker.address, DLQ_TOPIC)}
    assert rows.keys() == told.keys() == set(range(len(POISON)))
    for number, (raw, reason) in enumerate(POISON):
        row, message = rows[number], told[number]
        kept = (raw or b"").replace(b"4111111111111111", b"*" * 16)
        assert row[0] == _header(message, "stream") == "logins"
        assert reason in row[1] and row[1] == _header(message, "reason")
        assert row[2] == _header(message, "origin") == "banking.logins[0]"
        assert row[4] == (message.value() or b"") == kept


def _header(message: Message, name: str) -> str:
    value = dict(message.headers() or [])[name]
    assert isinstance(value, bytes)
    return value.decode()
