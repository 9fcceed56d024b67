"""The producer service: the synthetic bank in real time, published to Kafka."""

import logging
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

from kafka import KafkaProducer
from prometheus_client import start_http_server

from producers.bank import SyntheticBank
from producers.config import ProducerSettings
from producers.errors import ConfigError
from producers.metrics import ProducerMetrics
from producers.models import TOPICS, Event, FraudAlert, LabelledEvent
from producers.publisher import ClientFactory, KafkaClient, Publisher, RetryPolicy

logger = logging.getLogger(__name__)


class ProducerService:
    """One bank thread in real time and one producer thread per topic.

    When the broker is unavailable the queues fill and the bank waits, so nothing is lost and memory
    stays bounded; afterwards it catches up. `stop` may be called from a signal handler.
    """

    def __init__(
        self,
        settings: ProducerSettings,
        connect: ClientFactory,
        *,
        start: datetime | None = None,
        clock: Callable[[], float] = time.monotonic,
        retry: RetryPolicy | None = None,
        queue_size: int = 10_000,
        max_events: int | None = None,
    ) -> None:
        self.metrics = ProducerMetrics()
        self.bank = SyntheticBank(settings, start or datetime.now(UTC))
        self._clock = clock
        self._max_events = max_events
        self._stopping = threading.Event()
        self._error: BaseException | None = None
        retry = retry or RetryPolicy()
        self.publishers = {
            topic: Publisher(topic, connect, self.metrics, retry, queue_size) for topic in TOPICS
        }
        self._bank_thread = threading.Thread(target=self._run_bank, name="bank")
        self._set_target_rates(settings)

    def stop(self) -> None:
        """Ask the bank to stop; events already produced are still delivered."""
        self._stopping.set()

    def run(self) -> int:
        """Publish until stopped, drain, and return the exit code: 0 if everything was delivered."""
        threads = (*self.publishers.values(), self._bank_thread)
        for thread in threads:
            thread.start()
        while self._bank_thread.is_alive():
            # A join without a timeout would keep the main thread from handling signals.
            self._bank_thread.join(timeout=0.2)
        for publisher in self.publishers.values():
            publisher.finish()
        for publisher in self.publishers.values():
            publisher.join()
        abandoned = sum(publisher.abandoned for publisher in self.publishers.values())
        if self._error is not None:
            logger.error("the bank failed", exc_info=self._error)
        logger.info("stopped; %d messages were not delivered", abandoned)
        return 1 if abandoned or self._error else 0

    def _run_bank(self) -> None:
        try:
            self._feed()
        except Exception as error:
            self._error = error

    def _feed(self) -> None:
        began = self._clock()
        for number, (topic, event) in enumerate(self.bank, start=1):
            due = began + (event.occurred_at - self.bank.start).total_seconds()
            if not self._wait_until(due) or not self._put(topic, event):
                return
            if isinstance(event, LabelledEvent) and event.fraud_scenario:
                self.metrics.scenario_events.labels(event.fraud_scenario).inc()
            if number == self._max_events:
                return

    def _wait_until(self, due: float) -> bool:
        """Wait until an event is due; False if the service stops first."""
        delay = due - self._clock()
        if delay > 0:
            self._stopping.wait(delay)
        return not self._stopping.is_set()

    def _put(self, topic: str, event: Event) -> bool:
        # A rejected alert request has no topic here; it is sent with the alerts.
        publisher = self.publishers.get(topic, self.publishers[FraudAlert.topic])
        while not self._stopping.is_set():
            try:
                publisher.queue.put(event, timeout=0.2)
            except queue.Full:
                continue
            self.metrics.queued.labels(publisher.topic).set(publisher.queue.qsize())
            return True
        return False

    def _set_target_rates(self, settings: ProducerSettings) -> None:
        rates = {
            "banking.transactions": settings.transaction_rate,
            "banking.logins": settings.login_rate,
            "banking.card_events": settings.card_event_rate,
            "banking.alerts": settings.noise_alert_rate,
            "banking.kyc_profiles": settings.kyc_rate,
        }
        for topic, rate in rates.items():
            self.metrics.target_rate.labels(topic).set(rate)


def connect_to_kafka(settings: ProducerSettings) -> KafkaClient:
    """Return a connected client that waits for all replicas and keeps order on retries."""
    client: KafkaClient = KafkaProducer(
        client_id="fraud-producer",
        acks="all",
        linger_ms=20,
        delivery_timeout_ms=60_000,
        request_timeout_ms=15_000,
        max_block_ms=15_000,
        bootstrap_timeout_ms=3_000,
        # By default a client may sleep for half a minute after the broker is back.
        reconnect_backoff_max_ms=2_000,
        **settings.kafka_options(),
    )
    return client


def main() -> int:
    """Run the service until SIGTERM or SIGINT; the entry point of `fraud-producer`."""
    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s"
    )
    # The client logs each refused connection; the publishers log one line per attempt.
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    try:
        settings = ProducerSettings()
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 2
    service = ProducerService(settings, partial(connect_to_kafka, settings))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: service.stop())
    if settings.metrics_port:
        start_http_server(
            settings.metrics_port, addr=settings.metrics_host, registry=service.metrics.registry
        )
    logger.info(
        "publishing to %s: seed %d, profile %s, %g transactions/s, fraud rate %g",
        settings.kafka_bootstrap_servers,
        settings.seed,
        settings.profile,
        settings.transaction_rate,
        settings.fraud_rate,
    )
    return service.run()


if __name__ == "__main__":
    sys.exit(main())
