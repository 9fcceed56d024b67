"""Topics for a test: created, emptied and looked at."""

import time
from collections.abc import Sequence
from functools import cache

from confluent_kafka import KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._listoffsets import OffsetSpec
from confluent_kafka.cimpl import NewTopic


@cache
def admin_of(address: str) -> AdminClient:
    """One administrator per broker; it finds the broker again after an outage."""
    return AdminClient({"bootstrap.servers": address, "log_level": 0})


def create_topics(address: str, names: Sequence[str], partitions: int) -> None:
    """Create topics; those that exist are deleted first, with all that is in them."""
    admin = admin_of(address)
    existing = [name for name in names if name in admin.list_topics(timeout=10).topics]
    if existing:
        for done in admin.delete_topics(existing, operation_timeout=10).values():
            done.result()
    deadline = time.monotonic() + 20
    missing = list(names)
    while missing:
        made = admin.create_topics([NewTopic(name, partitions, 1) for name in missing])
        for name, done in made.items():
            try:
                done.result()
            except KafkaException as error:
                # A deletion takes a moment to reach all parts of the broker.
                if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                    raise
                if time.monotonic() > deadline:
                    raise
                continue
            missing.remove(name)
    while not all(_led(admin, name, partitions) for name in names):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{names} were created but are not there")


def _led(admin: AdminClient, name: str, partitions: int) -> bool:
    topic = admin.list_topics(timeout=10).topics.get(name)
    found = topic.partitions.values() if topic else ()
    return len(found) == partitions and all(partition.leader >= 0 for partition in found)


def end_offsets(address: str, names: Sequence[str]) -> dict[tuple[str, int], int]:
    """The offset after the last record of each partition."""
    admin = admin_of(address)
    metadata = admin.list_topics(timeout=10)
    wanted = {
        TopicPartition(name, number): OffsetSpec.latest()  # type: ignore[no-untyped-call]
        for name in names
        for number in metadata.topics[name].partitions
    }
    return {
        (at.topic, at.partition): done.result().offset
        for at, done in admin.list_offsets(wanted).items()
    }
