"""kafka-python against confluent-kafka as consumers: one broker, the same records, one run.

    python -m benchmarks.kafka_clients [--events 200000] [--rounds 3] [--bootstrap HOST:PORT]

Prints JSON. Without --bootstrap it starts the broker of the tests (Java and Maven needed). Each
round lets both clients read the whole topic into `Record`s, then measures how long a single record
takes from being sent until it is in the reader's hands. `caller_cpu_s` is the processor time of
the thread that reads: what the detector, which has the same interpreter lock, has to give up.
"""

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import Any

import confluent_kafka
import kafka

from detector.core.events import Record
from producers.bank import SyntheticBank
from producers.config import ProducerSettings
from producers.models import Transaction
from tests.adapters.kafka.broker import Broker
from tests.adapters.kafka.topics import create_topics

TOPIC = "benchmark.transactions"
LATENCY_TOPIC = "benchmark.latency"
PARTITIONS = 3
PACE_S = 0.01
PROBES = 400
WARM_UP = 100

Take = Callable[[], list[Record]]


@contextmanager
def with_kafka_python(bootstrap: str, topic: str, check: bool = True) -> Iterator[Take]:
    """A reader of all of a topic on kafka-python, which checks sums in Python."""
    consumer = kafka.KafkaConsumer(
        bootstrap_servers=bootstrap, auto_offset_reset="earliest", enable_auto_commit=False,
        max_poll_records=10_000, check_crcs=check,
    )  # fmt: skip
    partitions = [kafka.TopicPartition(topic, n) for n in range(PARTITIONS)]
    consumer.assign(partitions)
    consumer.seek_to_beginning(*partitions)

    def take() -> list[Record]:
        return [
            Record("transactions", r.value, r.topic, r.offset)
            for records in consumer.poll(timeout_ms=100).values()
            for r in records
        ]

    try:
        yield take
    finally:
        consumer.close()


@contextmanager
def with_confluent_kafka(bootstrap: str, topic: str) -> Iterator[Take]:
    """A reader of all of a topic on confluent-kafka."""
    consumer = confluent_kafka.Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "benchmark",
            "enable.auto.commit": False,
            "check.crcs": True,
        }
    )
    consumer.assign(
        [
            confluent_kafka.TopicPartition(topic, n, confluent_kafka.OFFSET_BEGINNING)
            for n in range(PARTITIONS)
        ]
    )

    def take() -> list[Record]:
        first = consumer.poll(0.1)
        if first is None:
            return []
        return [
            Record("transactions", m.value() or b"", str(m.topic()), m.offset() or 0)
            for m in (first, *consumer.consume(10_000, 0))
        ]

    try:
        yield take
    finally:
        consumer.close()


CLIENTS: dict[str, Callable[[str, str], AbstractContextManager[Take]]] = {
    "kafka-python": with_kafka_python,
    "kafka-python without checksums": partial(with_kafka_python, check=False),
    "confluent-kafka": with_confluent_kafka,
}


def read_all(client: str, bootstrap: str, events: int) -> dict[str, float]:
    """Read the topic once; the time to connect is not counted, that to the first record is."""
    with CLIENTS[client](bootstrap, TOPIC) as take:
        wall, cpu, caller = time.perf_counter(), time.process_time(), time.thread_time()
        seen = 0
        while seen < events:
            seen += len(take())
        return {
            "records_per_s": round(events / (time.perf_counter() - wall)),
            "process_cpu_s": round(time.process_time() - cpu, 3),
            "caller_cpu_s": round(time.thread_time() - caller, 3),
        }


def latency(client: str, bootstrap: str) -> dict[str, float]:
    """Milliseconds from sending single records, at a steady pace, to having them.

    The first second is left out: there the reader still finds its way to the new topic.
    """
    create_topics(bootstrap, [LATENCY_TOPIC], PARTITIONS)
    waits: list[float] = []
    producer = confluent_kafka.Producer({"bootstrap.servers": bootstrap, "linger.ms": 0})

    def send() -> None:
        for number in range(PROBES):
            time.sleep(PACE_S)
            text = repr(time.perf_counter()).encode()
            producer.produce(LATENCY_TOPIC, text, partition=number % PARTITIONS)
            producer.poll(0)
        producer.flush(10)

    with CLIENTS[client](bootstrap, LATENCY_TOPIC) as take:
        take()
        sender = threading.Thread(target=send)
        sender.start()
        while len(waits) < PROBES:
            records = take()
            now = time.perf_counter()
            waits += [1000 * (now - float(record.raw)) for record in records]
        sender.join()
    steps = statistics.quantiles(waits[WARM_UP:], n=100)
    return {"p50_ms": round(steps[49], 2), "p99_ms": round(steps[98], 2)}


def fill(bootstrap: str, events: int) -> float:
    """Send the synthetic bank's transactions; returns their mean size in bytes."""
    create_topics(bootstrap, [TOPIC], PARTITIONS)
    settings = ProducerSettings(seed=7, transaction_rate=100, customer_pool_size=2_000)
    bank = SyntheticBank(settings, datetime(2026, 1, 5, tzinfo=UTC))
    made = [e for _, e in islice(bank, 20_000) if isinstance(e, Transaction)]
    rows = [(event.customer_id.encode(), event.to_json()) for event in made]
    producer = confluent_kafka.Producer({"bootstrap.servers": bootstrap, "linger.ms": 20})
    for number in range(events):
        key, value = rows[number % len(rows)]
        while True:
            try:
                producer.produce(TOPIC, value, key=key)
                break
            except BufferError:
                producer.poll(0.1)
    producer.flush()
    return statistics.mean(len(value) for _, value in rows)


def measure(bootstrap: str, events: int, rounds: int) -> dict[str, Any]:
    """Both clients in turn, round by round; the median of each figure."""
    size = fill(bootstrap, events)
    found: dict[str, list[dict[str, float]]] = {client: [] for client in CLIENTS}
    for number in range(rounds):
        for client in list(CLIENTS) if number % 2 == 0 else reversed(CLIENTS):
            found[client].append(read_all(client, bootstrap, events) | latency(client, bootstrap))
            print(f"round {number + 1} {client}: {found[client][-1]}", file=sys.stderr)
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "machine": {"cores": _cores(), "arch": platform.machine(), "system": platform.system()},
        "python": platform.python_version(),
        "records": events,
        "record_bytes": round(size),
        "partitions": PARTITIONS,
        "rounds": rounds,
        "clients": {
            client: {"version": version(client.partition(" ")[0])}
            | {name: statistics.median(row[name] for row in rows) for name in rows[0]}
            for client, rows in found.items()
        },
    }


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def main() -> None:
    """Run the comparison and print it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--bootstrap", help="a running broker; without it one is started")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        broker = None if options.bootstrap else Broker(Path(folder))
        if broker:
            broker.start()
        try:
            address = broker.address if broker else options.bootstrap
            result = measure(address, options.events, options.rounds)
        finally:
            if broker:
                broker.stop()
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
