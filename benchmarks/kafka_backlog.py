"""How fast a backlog is read from Kafka, all of it committed, while old events are archived.

    python -m benchmarks.kafka_backlog [--events 1000000]

Starts the broker of the tests (Java and Maven needed), fills the topics with days of a bank,
and runs detection over them with a store that keeps six hours. Prints JSON; the rate is that from
the first commit on, as joining the group takes seconds.
"""

import argparse
import json
import platform
import resource
import tempfile
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from confluent_kafka import KafkaError, Message, Producer

from detector.adapters.bank_files import bank_settings, write_bank
from detector.adapters.duckdb import archive
from detector.adapters.duckdb.archive import Archiver
from detector.adapters.duckdb.store import DuckDBStore
from detector.adapters.kafka.source import TOPICS, KafkaSource
from detector.adapters.sources.files import FileSource
from detector.cli.progress import EventProgress
from detector.cli.tuning import collect_garbage_rarely
from detector.core.events import customer_of, decode
from detector.pipeline.pipeline import Pipeline
from detector.pipeline.tally import Tally
from detector.signals.loading import load_rules
from producers.config import ProducerSettings
from tests.adapters.kafka.broker import Broker
from tests.adapters.kafka.topics import create_topics

BANK = {"profile": "realistic", "seed": 7, "fraud_rate": 0.01, "transaction_rate": 2}
SLOWEST = 3
"""Fewer events a second than the bank has, so that none is in the future."""
PARTITIONS = 3
KEPT = timedelta(hours=6)


def fill(address: str, events: int, folder: Path) -> float:
    """Publish a bank's events, stamped with their times; the seconds that decoding them takes."""
    create_topics(address, list(TOPICS), PARTITIONS)
    topics = {stream: topic for topic, stream in TOPICS.items()}
    start = datetime.now(UTC) - timedelta(seconds=events / SLOWEST)
    write_bank(folder, bank_settings(**BANK), events, start)
    source = FileSource(folder)
    source.open(None)
    producer = Producer({"bootstrap.servers": address, "linger.ms": 50, "acks": 1})
    spent = 0.0
    while (batch := source.poll()) is not None:
        began = time.perf_counter()
        decoded = [decode(record) for record in batch.records]
        spent += time.perf_counter() - began
        for record, event in zip(batch.records, decoded, strict=True):
            stamp = round(event.occurred_at.timestamp() * 1000)
            producer.produce(
                topics[record.stream],
                record.raw,
                customer_of(event),
                timestamp=stamp,
                on_delivery=_delivered,
            )
        producer.flush()
    return spent


def _delivered(error: KafkaError | None, message: Message) -> None:
    if error is not None:
        raise SystemExit(f"The broker refused a record of {message.topic()}: {error}")


def read(address: str, events: int, folder: Path) -> dict[str, Any]:
    """Detect on all of them, each commit acknowledged to the broker."""
    rules = load_rules()
    store = DuckDBStore(folder / "s.duckdb", rules)
    tally = Tally(store.rules)
    settings = ProducerSettings(_env_file=None, kafka_bootstrap_servers=address)
    pipeline = Pipeline(store.rules, KafkaSource(settings), store, [tally])

    first = 0.0, 0
    over = 0.0

    def watch() -> None:
        nonlocal first, over
        with EventProgress("reading", "events", events) as progress:
            seen = 0
            while seen < events:
                time.sleep(0.02)
                now = sum(tally.events.values())
                if now and not seen:
                    first = time.monotonic(), now
                progress.advance(now - seen)
                seen = now
        over = time.monotonic()
        pipeline.stop()

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    began, busy = time.monotonic(), time.process_time()
    with Archiver(store.archive(), KEPT):
        pipeline.run()
    watcher.join()
    busy = time.process_time() - busy
    [(archived,)] = store.query("SELECT coalesce(sum(events), 0)::BIGINT FROM archived")
    store.close()
    return {
        "events": events,
        "first_commit_s": round(first[0] - began, 1),
        "seconds": round(over - first[0], 1),
        "events_per_s": round((events - first[1]) / (over - first[0])),
        "cpu_us_per_event": round(busy / events * 1e6, 1),
        "archived_meanwhile": archived,
        "peak_memory_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "late": tally.late,
    }


def main() -> None:
    """Fill and read."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--events", type=int, default=1_000_000)
    events: int = parser.parse_args().events
    collect_garbage_rarely()
    archive.EVERY_S = 5.0
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        broker = Broker(folder)
        broker.start()
        try:
            decode_s = fill(broker.address, events, folder / "bank")
            found = read(broker.address, events, folder)
        finally:
            broker.stop()
    found["share_of_decoding"] = round(found["events_per_s"] * decode_s / events, 3)
    found["machine"] = f"{platform.machine()}, Python {platform.python_version()}"
    print(json.dumps(found))


if __name__ == "__main__":
    main()
