"""Kafka as a source and as a sink; importing this needs the extra `kafka`."""

from detector.adapters.kafka.sink import KafkaSink
from detector.adapters.kafka.source import KafkaSource

__all__ = ["KafkaSink", "KafkaSource"]
