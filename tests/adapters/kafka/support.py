"""What the tests here do again and again: fill the topics, run the detector, look at both."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, KafkaException, Message, Producer, TopicPartition

from producers.bank import SyntheticBank
from producers.config import ProducerSettings
from producers.models import DLQ_TOPIC, TOPICS, Event
from tests import build
from tests.adapters.kafka.topics import create_topics, end_offsets

BANK_TOPICS = list(TOPICS)
ALL_TOPICS = [*BANK_TOPICS, DLQ_TOPIC, "fraud.signals"]
_ROOT = Path(__file__).parents[2]
STARTED: list[subprocess.Popen[bytes]] = []
"""The processes of the test that runs now."""


def fresh_topics(address: str, partitions: int = 2) -> None:
    """All topics of the bank, empty."""
    create_topics(address, ALL_TOPICS, partitions)


def bank_log(events: int, start: datetime, **settings: Any) -> list[tuple[str, Event]]:
    """The first events of a busy, fraudulent bank, in order of time."""
    chosen = {"seed": 11, "transaction_rate": 20, "login_rate": 8, "fraud_rate": 0.2, **settings}
    bank = SyntheticBank(ProducerSettings(_env_file=None, customer_pool_size=400, **chosen), start)
    return [(topic, e) for topic, e in islice(bank, events) if topic in TOPICS]


def send(address: str, events: Iterable[tuple[str, Event]]) -> None:
    """Publish events as the producers do, each stamped with its own time."""
    producer = Producer(
        {
            "bootstrap.servers": address,
            "partitioner": "murmur2_random",
            "queue.buffering.max.messages": 1_000_000,
        }
    )
    for topic, event in events:
        key = getattr(event, "customer_id", event.event_id)
        at = int(event.occurred_at.timestamp() * 1000)
        producer.produce(topic, event.to_json(), key=key.encode(), timestamp=at)
        producer.poll(0)
    assert producer.flush(30) == 0


PATIENCE_S = 120.0
"""Ample for a broker's restart on a busy machine; only a failing test waits this long."""


class Fraud:
    """`fraud run --source kafka` as a separate process."""

    def __init__(self, address: str, store: Path, *options: str, **environment: str) -> None:
        self._log = store.with_suffix(".log")
        command = "from detector.cli.app import main; main()"
        self._errors = self._log.open("ab")
        self.process = subprocess.Popen(
            [sys.executable, "-c", command, "run", "--source", "kafka", "--bootstrap", address,
             "--store", str(store), "--no-console", "--json", *options],
            stdout=subprocess.PIPE,
            stderr=self._errors,
            cwd=_ROOT,
            env={**os.environ, **environment},
        )  # fmt: skip
        STARTED.append(self.process)

    @property
    def log(self) -> str:
        """The stderr of this process and of earlier ones on the same store."""
        return self._log.read_text(errors="replace")

    def __str__(self) -> str:
        return f"exit code {self.process.poll()}, log: {self.log[-2000:]}"

    def stop(self) -> dict[str, Any]:
        """Ask it to end and return its summary."""
        self.process.send_signal(signal.SIGINT)
        return self.ended()

    def ended(self) -> dict[str, Any]:
        """Wait for its end and return its summary."""
        try:
            out, _ = self.process.communicate(timeout=PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.kill()
            raise
        self._errors.close()
        assert self.process.returncode == 0, self.log
        summary: dict[str, Any] = json.loads(out)
        return summary

    def kill(self) -> None:
        """End it at once, as a crash would."""
        self.process.kill()
        self.process.communicate()
        self._errors.close()


def until(condition: Callable[[], bool], seconds: float = PATIENCE_S, what: object = "") -> None:
    """Wait for an effect of another process; `what` explains a failure."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds} s in vain {what}"
        time.sleep(0.05)


class Group:
    """A consumer group as lag tools see it."""

    def __init__(self, address: str, name: str) -> None:
        self.address = address
        self._consumer = Consumer({"bootstrap.servers": address, "group.id": name, "log_level": 0})

    def offsets(self) -> dict[tuple[str, int], int]:
        """The committed offset of each partition of the bank's topics, 0 where there is none."""
        ends = end_offsets(self.address, BANK_TOPICS)
        known = self._consumer.committed([TopicPartition(*key) for key in ends], timeout=10)
        return {(p.topic, p.partition): max(0, p.offset) for p in known}

    def read(self) -> int:
        """Number of records that the group has committed."""
        with suppress(KafkaException):
            return sum(self.offsets().values())
        return 0

    def has_all(self) -> bool:
        """Whether there is no lag."""
        with suppress(KafkaException):
            return self.offsets() == end_offsets(self.address, BANK_TOPICS)
        return False


def everything_in(address: str, topic: str) -> list[Message]:
    """All records of a topic."""
    ends = {key: end for key, end in end_offsets(address, [topic]).items() if end}
    consumer = Consumer({"bootstrap.servers": address, "group.id": "reader"})
    consumer.assign([TopicPartition(*key, 0) for key in ends])
    found: list[Message] = []
    deadline = time.monotonic() + 20
    while len(found) < sum(ends.values()):
        assert time.monotonic() < deadline
        found += [m for m in consumer.consume(1_000, 0.1) if m.error() is None]
    consumer.close()
    return found


def findings(store: Path) -> dict[str, list[tuple[Any, ...]]]:
    """What a store holds, without who read it from where."""
    tables = build.contents(store)
    for name in ("source_positions", "progress"):
        tables.pop(name)
    return tables


def event_ids(tables: dict[str, list[tuple[Any, ...]]]) -> list[str]:
    """The ids of all stored events; a doubled event is there twice."""
    streams = [topic.removeprefix("banking.") for topic in BANK_TOPICS]
    return sorted(row[0] for stream in streams for row in tables[stream])


def sent_ids(log: Sequence[tuple[str, Event]]) -> list[str]:
    """The ids of the events of a log."""
    return sorted(event.event_id for _, event in log)


def hours_ago(hours: float) -> datetime:
    """A time in the past."""
    return datetime.fromtimestamp(time.time() - hours * 3600, UTC)


class Bank:
    """`producers.main` as a process of its own; it publishes until it is stopped."""

    def __init__(self, address: str, folder: Path, **settings: Any) -> None:
        self._errors = (folder / "bank.log").open("ab")
        chosen = {"TRANSACTION_RATE": 100, "LOGIN_RATE": 40, "FRAUD_RATE": 0.3, **settings}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "producers.main"],
            stderr=self._errors,
            cwd=_ROOT,
            env={**os.environ, "KAFKA_BOOTSTRAP_SERVERS": address, "METRICS_PORT": "0"}
            | {name: str(value) for name, value in chosen.items()},
        )
        STARTED.append(self.process)

    def stop(self) -> int:
        """Ask it to deliver what it has and end; its exit code."""
        self.process.terminate()
        code = self.process.wait(timeout=PATIENCE_S)
        self._errors.close()
        return code


def ids_on_topics(address: str) -> list[str]:
    """The ids of all events on the bank's topics, each once."""
    found = {
        json.loads(message.value() or b"")["event_id"]
        for topic in BANK_TOPICS
        for message in everything_in(address, topic)
    }
    return sorted(found)
