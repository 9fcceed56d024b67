"""The broker goes away and comes back: producers and detector recover by themselves."""

import os
import threading
import time
from functools import partial
from pathlib import Path

from producers.config import ProducerSettings
from producers.main import ProducerService, connect_to_kafka
from producers.publisher import RetryPolicy
from tests.adapters.kafka.broker import Broker
from tests.adapters.kafka.support import (
    PATIENCE_S,
    Fraud,
    Group,
    bank_log,
    event_ids,
    findings,
    fresh_topics,
    hours_ago,
    sent_ids,
    until,
)

# KAFKA_OUTAGE_SECONDS=30 shows the same for longer.
OUTAGE_S = float(os.environ.get("KAFKA_OUTAGE_SECONDS", "5"))
RATE = 60


def test_an_outage_of_the_broker_loses_nothing(broker: Broker, tmp_path: Path) -> None:
    """Every event that the bank made is in the store once, no service was restarted, and each side
    said in a line or two what was wrong."""
    fresh_topics(broker.address)
    events = int((OUTAGE_S + 10) * RATE * 1.5)
    start = hours_ago(0)
    bank = {"seed": 5, "transaction_rate": RATE, "login_rate": 25, "fraud_rate": 0.3}
    expected = bank_log(events, start, **bank)
    service = ProducerService(
        ProducerSettings(
            _env_file=None,
            customer_pool_size=400,
            kafka_bootstrap_servers=broker.address,
            **bank,
        ),
        partial(connect_to_kafka, ProducerSettings(kafka_bootstrap_servers=broker.address)),
        start=start,
        retry=RetryPolicy(longest_s=2, drain_s=30),
        max_events=events,
    )
    codes: list[int] = []
    producing = threading.Thread(target=lambda: codes.append(service.run()))
    group = Group(broker.address, "outage")
    reader = Fraud(broker.address, tmp_path / "store.duckdb", "--group", "outage")
    producing.start()
    try:
        until(lambda: group.read() > 200)
        left = time.monotonic()
        broker.stop()
        time.sleep(OUTAGE_S)
        broker.start()
        producing.join(PATIENCE_S)
        away = time.monotonic() - left  # a busy machine starts the broker slowly
        assert codes == [0]
        until(group.has_all, what=reader)
    finally:
        service.stop()
        broker.start()
    summary = reader.stop()
    assert event_ids(findings(tmp_path / "store.duckdb")) == sent_ids(expected)
    assert summary["late"] == 0
    said = [line for line in reader.log.splitlines() if "no Kafka broker" in line]
    assert 1 <= len(said) <= 2 + 2 * away // 30  # reading and publishing, with backoff
    assert "reading Kafka: reading again after" in reader.log


def test_the_detector_starts_and_ends_while_there_is_no_broker(tmp_path: Path) -> None:
    """It says where it looks and what to check, and obeys Ctrl-C at once."""
    reader = Fraud("127.0.0.1:9", tmp_path / "store.duckdb")
    until(lambda: "no Kafka broker answers at 127.0.0.1:9" in reader.log)
    began = time.monotonic()
    assert reader.stop()["events"] == 0
    assert time.monotonic() - began < 10
    assert "KAFKA_BOOTSTRAP_SERVERS" in reader.log


def test_seconds_end_a_run_also_without_a_broker(tmp_path: Path) -> None:
    """`--seconds` counts from the start, whatever comes."""
    assert Fraud("127.0.0.1:9", tmp_path / "store.duckdb", "--seconds", "2").ended()["events"] == 0
