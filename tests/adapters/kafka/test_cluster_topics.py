"""The topics that risingwave-init makes, on a real broker."""

import time
from collections.abc import Iterator

import pytest
from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType

from scripts import cluster_init
from scripts.cluster_init import InitError, Topic
from tests.adapters.kafka.broker import Broker


@pytest.fixture
def admin(broker: Broker) -> Iterator[KafkaAdminClient]:
    """An administrator of a real broker."""
    client = KafkaAdminClient(bootstrap_servers=broker.address)
    yield client
    client.close()


def test_topics_are_made_and_mended_on_a_real_broker(admin: KafkaAdminClient) -> None:
    """A new topic gets its partitions and retention; an old one its retention, not partitions."""
    first = Topic("cluster.test", 3, 60_000)
    assert cluster_init.ensure_topics(admin, [first]) == [
        "topic cluster.test created with 3 partitions"
    ]
    again = Topic("cluster.test", 5, 120_000)
    assert cluster_init.ensure_topics(admin, [again]) == [
        "topic cluster.test stands with 3 partitions; 5 are set here"
    ]
    resource = ConfigResource(ConfigResourceType.TOPIC, "cluster.test")
    with pytest.raises(InitError, match=r"cluster\.test cannot be given"):
        cluster_init.ensure_topics(admin, [Topic("cluster.test", 3, -5)])
    # A change takes a moment to reach what describes it.
    deadline = time.monotonic() + 10
    configs: dict[str, dict[str, str]] = {}
    while configs.get("retention.ms", {}).get("value") != "120000":
        assert time.monotonic() < deadline, configs
        configs = admin.describe_configs([resource])["topic"]["cluster.test"]
    assert configs["cleanup.policy"]["value"] == "delete"
    assert configs["segment.ms"]["value"] == str(first.segment_ms)
