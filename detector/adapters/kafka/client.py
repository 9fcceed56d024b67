"""Shared by the Kafka source and sink: connection options, and logging of outages."""

import logging
import time
from collections.abc import Callable

from confluent_kafka import KafkaError

from detector.core.data import JsonObject
from producers.config import ProducerSettings

logger = logging.getLogger("detector.kafka")

FIRST_SILENCE_S = 30.0
RECENT_S = 60.0
LONGEST_SILENCE_S = 600.0

# Brokers close idle connections all the time; librdkafka reopens them.
_EVERYDAY = {KafkaError._TRANSPORT, KafkaError._TIMED_OUT, KafkaError._RESOLVE}
_REFUSED = {KafkaError._AUTHENTICATION, KafkaError._SSL, KafkaError.SASL_AUTHENTICATION_FAILED}


def connection_options(settings: ProducerSettings) -> JsonObject:
    """The producers' settings under librdkafka's names."""
    password = settings.kafka_sasl_password
    options = {
        "bootstrap.servers": settings.kafka_bootstrap_servers,
        "security.protocol": settings.kafka_security_protocol,
        "sasl.mechanism": settings.kafka_sasl_mechanism,
        "sasl.username": settings.kafka_sasl_username,
        "sasl.password": password.get_secret_value() if password else None,
        "ssl.ca.location": settings.kafka_ssl_cafile,
        # It logs every attempt; `Trouble` logs the first, then with backoff.
        "log_level": 2,
        "reconnect.backoff.max.ms": 2_000,
    }
    return {name: value for name, value in options.items() if value is not None}


def consumer_options(settings: ProducerSettings, group: str, store_id: str) -> JsonObject:
    """The options of a store's consumer: a static member that commits its offsets itself."""
    return {
        **connection_options(settings),
        "group.id": group,
        # A store that restarts within the session timeout keeps its partitions, without waiting
        # for the group to expire the old process.
        "group.instance.id": store_id,
        "client.id": "fraud-detector",
        "session.timeout.ms": 20_000,
        # A customer has the same partition number in every topic, and `range` assigns equal
        # numbers to one member, so one store sees every event of a customer.
        "partition.assignment.strategy": "range",
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "auto.offset.reset": "earliest",
        "enable.partition.eof": True,
        "isolation.level": "read_committed",
        "check.crcs": True,
        "topic.metadata.refresh.interval.ms": 10_000,
        # A fetch that waits for idle partitions delays those with a backlog too.
        "fetch.wait.max.ms": 50,
        # By default a partition whose queue was full is fetched again only after a second.
        "fetch.queue.backoff.ms": 5,
        "queued.min.messages": 10_000,
        "queued.max.messages.kbytes": 32_768,
    }


class Trouble:
    """Logs a problem once, again with backoff, and once when it is over."""

    def __init__(self, task: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._task = task
        self._clock = clock
        self._silence = FIRST_SILENCE_S
        self._quiet_until = 0.0
        self._since: float | None = None
        self._over_at = float("-inf")

    @property
    def is_recent(self) -> bool:
        """Whether there is a problem, or was one within the last minute."""
        return self._since is not None or self._clock() - self._over_at < RECENT_S

    def arose(self, text: str) -> None:
        """Log the text, unless it was logged recently."""
        now = self._clock()
        if self._since is None:
            self._since = now
            self._silence = FIRST_SILENCE_S
        elif now < self._quiet_until:
            return
        else:
            self._silence = min(LONGEST_SILENCE_S, 2 * self._silence)
        self._quiet_until = now + self._silence
        logger.warning("%s: %s", self._task, text)

    def over(self, text: str) -> None:
        """Log the recovery, if there was a problem."""
        if self._since is not None:
            self._over_at = self._clock()
            logger.warning("%s: %s after %.0f s", self._task, text, self._over_at - self._since)
            self._since = None

    def explain(self, error: KafkaError, servers: str) -> None:
        """Log a client error, with what to do about it."""
        code = error.code()
        if code == KafkaError._ALL_BROKERS_DOWN:
            self.arose(
                f"no Kafka broker answers at {servers}; retrying. If it has never answered, "
                "check KAFKA_BOOTSTRAP_SERVERS or --bootstrap."
            )
        elif code in _REFUSED:
            self.arose(
                f"Kafka at {servers} refuses the connection: {error.str()}; retrying. Check "
                "KAFKA_SECURITY_PROTOCOL, KAFKA_SASL_* and KAFKA_SSL_CAFILE."
            )
        elif code in (KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC):
            self.arose(f"{error.str()}; waiting until the topic is created.")
        elif code not in _EVERYDAY:
            self.arose(f"Kafka at {servers}: {error.str()}; retrying.")
