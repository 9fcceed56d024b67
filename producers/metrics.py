"""Prometheus metrics of the producers."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


class ProducerMetrics:
    """The five metrics, in their own registry so that two services never share counts."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.messages = Counter(
            "producer_messages_total",
            "Messages by topic and result: sent, retried, dead_letter or abandoned.",
            ["topic", "result"],
            registry=self.registry,
        )
        self.delivery = Histogram(
            "producer_delivery_seconds",
            "Time from sending a batch until the broker has acknowledged all of it.",
            ["topic"],
            registry=self.registry,
        )
        self.queued = Gauge(
            "producer_queue_messages",
            "Messages that wait for their producer thread.",
            ["topic"],
            registry=self.registry,
        )
        self.target_rate = Gauge(
            "producer_target_rate",
            "Events per second that the settings ask for.",
            ["topic"],
            registry=self.registry,
        )
        self.scenario_events = Counter(
            "scenario_events_total",
            "Events that belong to a fraud, by scenario.",
            ["scenario"],
            registry=self.registry,
        )
