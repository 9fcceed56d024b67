"""Alerts of the bank's other systems: about frauds, and false alarms."""

import random
from datetime import datetime

from producers.generators.customer_pool import CustomerProfile
from producers.generators.identifiers import Identifiers
from producers.models import DeadLetter, FraudAlert, Login, Severity, Transaction
from producers.patterns import read_patterns

_PATTERNS = read_patterns()
_SCENARIO_TO_ALERT_TYPE: dict[str, str] = {n: p.alert_type for n, p in _PATTERNS.items()}
_SEVERITY_MAP: dict[str, Severity] = {n: p.severity for n, p in _PATTERNS.items()}
_RULE_IDS: dict[str, str] = {n: p.rule_id for n, p in _PATTERNS.items()}
_CONFIDENCE: dict[Severity, tuple[float, float]] = {
    "LOW": (0.30, 0.50),
    "MEDIUM": (0.50, 0.75),
    "HIGH": (0.70, 0.92),
    "CRITICAL": (0.85, 0.99),
}
_NOISE_SCENARIOS = tuple(name for name in _PATTERNS if name != "compound")


def confidence_range(severity: Severity) -> tuple[float, float]:
    """Return the lowest and highest confidence of an alert of this severity."""
    return _CONFIDENCE[severity]


class AlertGenerator:
    """Builds alerts about labelled fraud, and false alarms."""

    def __init__(self, ids: Identifiers, rng: random.Random) -> None:
        self._ids = ids
        self._rng = rng

    def react(
        self, trigger: Transaction | Login, at: datetime, seen_as: str | None = None
    ) -> FraudAlert | DeadLetter:
        """Return the alert about a fraudulent event, with the labels of that event.

        `seen_as` is the scenario that the alerting system assumes; by default the true one. A
        benign event, or a scenario without an alert type, yields a dead letter with the reason.
        """
        scenario = seen_as or trigger.fraud_scenario
        if not trigger.is_fraud:
            return self._refuse(trigger, at, "an alert was requested for a benign event")
        if scenario not in _SCENARIO_TO_ALERT_TYPE:
            return self._refuse(trigger, at, f"no alert type is known for scenario {scenario!r}")
        return FraudAlert(
            event_id=self._ids.next("evt"),
            customer_id=trigger.customer_id,
            account_id=trigger.account_id if isinstance(trigger, Transaction) else None,
            transaction_id=trigger.transaction_id if isinstance(trigger, Transaction) else None,
            alert_type=_SCENARIO_TO_ALERT_TYPE[scenario],
            severity=_SEVERITY_MAP[scenario],
            confidence=self._confidence(_SEVERITY_MAP[scenario]),
            rule_id=_RULE_IDS[scenario],
            occurred_at=at,
            is_fraud=True,
            fraud_scenario=trigger.fraud_scenario,
            scenario_instance=trigger.scenario_instance,
        )

    def noise_type(self, customer: CustomerProfile) -> str:
        """Return the one type of false alarm that this customer's habits cause."""
        return _SCENARIO_TO_ALERT_TYPE[self._noise_scenario(customer)]

    def noise(self, customer: CustomerProfile, at: datetime) -> FraudAlert:
        """Return a false alarm about a customer, of low or medium severity."""
        severity: Severity = "LOW" if self._rng.random() < 0.7 else "MEDIUM"
        return FraudAlert(
            event_id=self._ids.next("evt"),
            customer_id=customer.customer_id,
            account_id=self._rng.choice(customer.accounts).account_id,
            alert_type=self.noise_type(customer),
            severity=severity,
            confidence=self._confidence(severity),
            rule_id=_RULE_IDS[self._noise_scenario(customer)],
            occurred_at=at,
        )

    def _noise_scenario(self, customer: CustomerProfile) -> str:
        return _NOISE_SCENARIOS[customer.noise_type % len(_NOISE_SCENARIOS)]

    def _confidence(self, severity: Severity) -> float:
        return round(self._rng.uniform(*_CONFIDENCE[severity]), 3)

    def _refuse(self, trigger: Transaction | Login, at: datetime, reason: str) -> DeadLetter:
        return DeadLetter(
            event_id=self._ids.next("dead"),
            source_topic=trigger.topic,
            reason=reason,
            payload=trigger.to_json().decode(),
            occurred_at=at,
        )
