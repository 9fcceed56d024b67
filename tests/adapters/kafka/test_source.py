"""Positions, the group and the store: what is read where, once."""

import logging
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, KafkaError, TopicPartition

from detector.adapters.duckdb.store import DuckDBStore
from detector.adapters.kafka import KafkaSource
from detector.adapters.kafka import source as kafka_source
from detector.adapters.kafka.client import connection_options
from detector.core.errors import InputError
from detector.pipeline.pipeline import Pipeline
from detector.pipeline.work import Work
from producers.config import ProducerSettings
from producers.models import Event
from tests import build
from tests.adapters.kafka.broker import Broker
from tests.adapters.kafka.support import (
    BANK_TOPICS,
    Group,
    bank_log,
    event_ids,
    findings,
    fresh_topics,
    hours_ago,
    send,
    sent_ids,
    until,
)
from tests.adapters.kafka.topics import admin_of, create_topics, end_offsets

QUICK = {
    "session.timeout.ms": 2_000,
    "heartbeat.interval.ms": 300,
    "topic.metadata.refresh.interval.ms": 500,
}


def _settings(address: str, **more: Any) -> ProducerSettings:
    return ProducerSettings(_env_file=None, kafka_bootstrap_servers=address, **more)


class Reader:
    """A pipeline on its own store in a thread, as a member of a group."""

    def __init__(self, address: str, group: str, path: Path) -> None:
        self.group = Group(address, group)
        self.store = DuckDBStore(path, build.REAL)
        self.source = KafkaSource(_settings(address), group, **QUICK)
        self.pipeline = Pipeline(build.REAL, self.source, self.store)
        self.error: BaseException | None = None
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "Reader":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.pipeline.stop()
        self._thread.join(20)
        self.store.close()

    def __str__(self) -> str:
        offsets, ends = self.group.offsets(), end_offsets(self.group.address, BANK_TOPICS)
        told = {key: (offsets[key], end) for key, end in ends.items() if offsets[key] != end}
        return (
            f"for a reader with {_events(self.store)} events, at {self.store.position('kafka')}, "
            f"of {sorted(self.source.partitions)}; the group lags with {told}"
        )

    def _run(self) -> None:
        try:
            self.pipeline.run()
        except BaseException as error:
            self.error = error.with_traceback(None)

    def has_all(self) -> None:
        """Wait until the group has no lag."""
        self.until(self.group.has_all)

    def until(self, condition: Callable[[], bool]) -> None:
        """Wait for something that this reader brings about; what ends it ends the wait."""
        until(lambda: self.error is not None or condition(), what=self)
        if self.error:
            raise self.error


@pytest.fixture
def log(broker: Broker) -> Iterator[list[tuple[str, Event]]]:
    """Fresh topics and a log of 3,000 events that is not sent yet."""
    fresh_topics(broker.address)
    yield bank_log(3_000, hours_ago(1))


def test_offsets_reach_the_group_only_after_the_commit(
    broker: Broker, tmp_path: Path, log: list[tuple[str, Event]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a commit is under way the group's offsets stand still."""
    send(broker.address, log)
    commit, began, release = DuckDBStore.commit, threading.Event(), threading.Event()

    def slow(store: DuckDBStore, work: Work) -> None:
        began.set()
        assert release.wait(20)
        commit(store, work)

    monkeypatch.setattr(DuckDBStore, "commit", slow)
    with Reader(broker.address, "order", tmp_path / "store.duckdb") as reader:
        assert began.wait(20)
        assert reader.group.read() == 0
        release.set()
        reader.has_all()


def test_a_crash_between_store_and_group_reads_nothing_twice(
    broker: Broker, tmp_path: Path, log: list[tuple[str, Event]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store's position is the truth; the group's is behind and does not matter."""
    send(broker.address, log)
    path = tmp_path / "store.duckdb"
    acknowledge = KafkaSource.acknowledge

    def crash(source: KafkaSource, position: str) -> None:
        raise build.Crash

    monkeypatch.setattr(KafkaSource, "acknowledge", crash)
    with pytest.raises(build.Crash), Reader(broker.address, "crash", path) as reader:
        reader.has_all()
    assert reader.group.read() == 0
    kept = event_ids(findings(path))
    assert kept
    monkeypatch.setattr(KafkaSource, "acknowledge", acknowledge)
    with Reader(broker.address, "crash", path) as reader:
        reader.has_all()
    tables = build.contents(path)
    assert event_ids(tables) == sent_ids(log)
    assert tables["progress"][0][-1] == 0  # duplicates


def test_a_failed_offset_commit_is_retried(
    broker: Broker, tmp_path: Path, log: list[tuple[str, Event]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when no further event comes: a constant lag would raise an alarm."""
    refused: list[Any] = []

    class Refusing(Consumer):
        """A client whose first offsets get lost on the way."""

        def __init__(self, options: dict[str, Any]) -> None:
            super().__init__(options)
            self._answer = options["on_commit"]

        def commit(self, **given: Any) -> Any:
            if not given["asynchronous"] or len(refused) == 2:
                return super().commit(**given)
            refused.append(given["offsets"])
            self._answer(KafkaError(KafkaError.REQUEST_TIMED_OUT), [])
            return None

    monkeypatch.setattr(kafka_source, "Consumer", Refusing)
    send(broker.address, log[:500])
    with Reader(broker.address, "refused", tmp_path / "store.duckdb") as reader:
        reader.has_all()
    assert len(refused) == 2


def test_records_sent_twice_are_counted_and_kept_once(
    broker: Broker, tmp_path: Path, log: list[tuple[str, Event]]
) -> None:
    """Producers deliver at least once."""
    send(broker.address, log)
    send(broker.address, log[500:700])
    with Reader(broker.address, "twice", tmp_path / "store.duckdb") as reader:
        reader.has_all()
    tables = build.contents(tmp_path / "store.duckdb")
    assert event_ids(tables) == sent_ids(log)
    assert tables["progress"][0][-1] == 200


@pytest.mark.parametrize("first", ["transactions", "everything"])
def test_a_restored_copy_of_a_store_reads_again_what_it_lacks(
    broker: Broker, tmp_path: Path, log: list[tuple[str, Event]], first: str
) -> None:
    """Although the group says that this very store has been further, be it with partitions that
    the copy has read before or with others."""
    path, copy = tmp_path / "store.duckdb", tmp_path / "copy.duckdb"
    before = [pair for pair in log[:1_000] if first in {"everything", pair[0].split(".")[1]}]
    sent = {event.event_id for _, event in before}
    after = [pair for pair in log if pair[1].event_id not in sent]
    send(broker.address, before)
    with Reader(broker.address, f"restored-{first}", path) as reader:
        reader.has_all()
    shutil.copy(path, copy)
    send(broker.address, after)
    for each in (path, copy):
        with Reader(broker.address, f"restored-{first}", each) as reader:
            reader.until(lambda: _events(reader.store) == len(log))
    assert findings(copy) == findings(path)


def _events(store: DuckDBStore) -> int:
    streams = [topic.removeprefix("banking.") for topic in BANK_TOPICS]
    return sum(store.query(f"SELECT count(*) FROM {stream}")[0][0] for stream in streams)


def test_stores_that_share_a_group_share_the_events(
    broker: Broker, tmp_path: Path, log: list[tuple[str, Event]]
) -> None:
    """One joins, the other leaves and comes back, all in the middle: no event is lost, none is in
    two stores, and what a customer does between two moves is seen in one place."""
    first, second = tmp_path / "first.duckdb", tmp_path / "second.duckdb"
    a = Reader(broker.address, "shared", first)
    with Reader(broker.address, "shared", second) as b:
        with a:
            send(broker.address, log[:500])
            a.has_all()
            until(lambda: bool(a.source.partitions) and bool(b.source.partitions))
            send(broker.address, log[500:1_500])
            a.has_all()
            assert _events(a.store) and _events(b.store)
            assert {n for _, n in a.source.partitions}.isdisjoint(n for _, n in b.source.partitions)
        send(broker.address, log[1_500:2_000])
        b.has_all()
        with Reader(broker.address, "shared", first) as a:
            send(broker.address, log[2_000:2_500])
            b.has_all()
            until(lambda: bool(a.source.partitions))
            send(broker.address, log[2_500:])
            b.has_all()
    mine, theirs = event_ids(findings(first)), event_ids(findings(second))
    assert sorted(mine + theirs) == sent_ids(log)
    between = {event.event_id: event for _, event in log[500:1_500]}
    customers = [
        {between[name].customer_id for name in ids if name in between}  # type: ignore[attr-defined]
        for ids in (mine, theirs)
    ]
    assert customers[0].isdisjoint(customers[1])


def test_topics_may_come_later_than_their_reader(
    broker: Broker, tmp_path: Path, log: list[tuple[str, Event]]
) -> None:
    """Until then it waits; what does not exist is no error."""
    for done in admin_of(broker.address).delete_topics(BANK_TOPICS).values():
        done.result()
    with Reader(broker.address, "early", tmp_path / "store.duckdb") as reader:
        create_topics(broker.address, BANK_TOPICS, 2)
        send(broker.address, log)
        reader.has_all()
    assert event_ids(findings(tmp_path / "store.duckdb")) == sent_ids(log)


@pytest.mark.parametrize("rest", [1_000, 0])
def test_what_retention_took_is_said_and_the_rest_is_read(
    broker: Broker,
    tmp_path: Path,
    log: list[tuple[str, Event]],
    caplog: pytest.LogCaptureFixture,
    rest: int,
) -> None:
    """A store that was away for too long says how much it missed, also of partitions in which
    nothing is left."""
    path = tmp_path / "store.duckdb"
    send(broker.address, log[:1_000])
    with Reader(broker.address, f"retention-{rest}", path) as reader:
        reader.has_all()
    send(broker.address, log[1_000:2_000])
    gone = [
        TopicPartition(*key, end)
        for key, end in end_offsets(broker.address, BANK_TOPICS).items()
        if end
    ]
    for deleted in admin_of(broker.address).delete_records(gone).values():
        deleted.result()
    send(broker.address, log[2_000 : 2_000 + rest])
    with (
        caplog.at_level(logging.WARNING),
        Reader(broker.address, f"retention-{rest}", path) as reader,
    ):
        reader.has_all()
    assert event_ids(findings(path)) == sent_ids(log[:1_000] + log[2_000 : 2_000 + rest])
    missed = [int(r.args[1]) for r in caplog.records if "deleted by retention" in r.message]  # type: ignore[index,arg-type]
    assert sum(missed) == 1_000


def test_a_second_process_on_a_copy_of_the_store_shuts_the_first_out(
    broker: Broker, tmp_path: Path, log: list[tuple[str, Event]]
) -> None:
    """Two readers with one identity would overwrite each other; the older ends with the reason."""
    path, copy = tmp_path / "store.duckdb", tmp_path / "copy.duckdb"
    send(broker.address, log)
    with Reader(broker.address, "fenced", path) as reader:
        reader.has_all()
    shutil.copy(path, copy)
    with Reader(broker.address, "fenced", path) as older:
        until(lambda: bool(older.source.partitions))
        with Reader(broker.address, "fenced", copy) as newer:
            until(lambda: older.error is not None)
            assert newer.error is None
    assert isinstance(older.error, InputError) and "copy of this store" in str(older.error)


def test_a_reader_fenced_after_an_outage_joins_again_once(
    broker: Broker, tmp_path: Path, log: list[tuple[str, Event]]
) -> None:
    """Brokers may take the member that returns for a second one; the copy is fenced in its turn."""
    path, copy = tmp_path / "store.duckdb", tmp_path / "copy.duckdb"
    send(broker.address, log[:1_000])
    with Reader(broker.address, "again", path) as reader:
        reader.has_all()
    shutil.copy(path, copy)
    with Reader(broker.address, "again", path) as older:
        until(lambda: bool(older.source.partitions))
        older.source._trouble.arose("the broker is away")
        with Reader(broker.address, "again", copy) as newer:
            until(lambda: newer.error is not None)
        send(broker.address, log[1_000:])
        older.has_all()
        assert older.error is None
    assert event_ids(findings(path)) == sent_ids(log)


def test_settings_that_cannot_work_are_refused_with_a_sentence(tmp_path: Path) -> None:
    """At the start, before anything is read."""
    settings = _settings(
        "localhost:1", kafka_security_protocol="SSL", kafka_ssl_cafile=str(tmp_path / "none.pem")
    )
    with pytest.raises(InputError, match="settings cannot be used"):
        KafkaSource(settings).open(None)


def test_security_settings_reach_the_client_by_its_names() -> None:
    """The producers' variables serve the detector too."""
    settings = _settings(
        "a:1,b:2",
        kafka_security_protocol="SASL_SSL",
        kafka_sasl_mechanism="SCRAM-SHA-512",
        kafka_sasl_username="fraud",
        kafka_sasl_password="s3cret",
        kafka_ssl_cafile="ca.pem",
    )
    options = connection_options(settings)
    expected = {
        "bootstrap.servers": "a:1,b:2",
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": "fraud",
        "sasl.password": "s3cret",
        "ssl.ca.location": "ca.pem",
    }
    assert {name: options[name] for name in expected} == expected
