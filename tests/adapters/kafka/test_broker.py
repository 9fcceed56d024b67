"""The broker that all other tests here rely on."""

from confluent_kafka import Consumer, Producer

from tests.adapters.kafka.broker import Broker
from tests.adapters.kafka.topics import create_topics


def test_what_the_broker_accepted_survives_its_restart(broker: Broker) -> None:
    """Same address, same data: the outage tests depend on it."""
    create_topics(broker.address, ["test.restart"], partitions=1)
    producer = Producer({"bootstrap.servers": broker.address, "acks": "all"})
    producer.produce("test.restart", b"hello")
    assert producer.flush(10) == 0
    broker.stop()
    broker.start()
    consumer = Consumer(
        {
            "bootstrap.servers": broker.address,
            "group.id": "restart",
            "auto.offset.reset": "earliest",
        }
    )
    consumer.subscribe(["test.restart"])
    message = consumer.poll(15)
    consumer.close()
    assert message is not None and message.value() == b"hello"
