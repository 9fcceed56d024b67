"""Signals: a pattern that fired, with its evidence."""

from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from detector.core.data import JsonObject
from detector.core.events import Event
from detector.signals.exposure import exposures
from detector.signals.pattern import Pattern


class Finding(NamedTuple):
    """An operator's result for one event: what it observed, or None if it does not fire.

    `exposed` are the entries of the suspicious transactions; by default that of the event itself.
    """

    event: Any
    observed: float | None
    facts: JsonObject
    exposed: list[str] | None = None


class Signal(msgspec.Struct, frozen=True, kw_only=True):
    """One pattern fired at one event.

    `signal_id` follows from pattern and event, so the same events always give the same ids.
    `account_id` is empty for customer-level patterns; `subject` is the key that was watched.
    `amount` is a decimal string in the base currency, None without a rate. `observed` is a count,
    or the pattern's measure (kilometres with one decimal, or an amount). `exposed` lists the
    transactions that are suspicious because of this signal, as `exposure.exposure_of` writes them.
    """

    signal_id: str
    pattern: str
    rule_id: str
    severity: str
    weight: float
    customer_id: str
    account_id: str | None
    subject: str
    event_id: str
    occurred_at: datetime
    window_start: datetime
    observed: float
    threshold: float
    amount: str | None
    reason: str
    evidence: JsonObject
    exposed: list[str]


def signal_id(pattern: Pattern, event: Event) -> str:
    """The identity of the signal of a pattern at an event."""
    return f"{pattern.id}:{event.event_id}"


def to_signal(pattern: Pattern, finding: Finding) -> Signal:
    """The signal of a finding that fired, with its reason as a sentence."""
    event, observed, facts, exposed = finding
    assert observed is not None
    return Signal(
        signal_id=signal_id(pattern, event),
        pattern=pattern.id,
        rule_id=pattern.rule_id,
        severity=pattern.severity,
        weight=pattern.weight,
        customer_id=event.customer_id,
        account_id=event.account_id if pattern.scope == "account" else None,
        subject="|".join(str(getattr(event, name)) for name in pattern.key),
        event_id=event.event_id,
        occurred_at=event.occurred_at,
        window_start=event.occurred_at - pattern.window,
        observed=observed,
        threshold=pattern.threshold,
        amount=getattr(event, "base_amount", None),
        reason=pattern.reason.format_map(_Words(pattern, finding)),
        evidence={"window_seconds": pattern.window_seconds, **facts},
        exposed=exposures([event]) if exposed is None else exposed,
    )


class _Words(dict[str, str]):
    """The values that a reason may contain, looked up only when needed."""

    def __init__(self, pattern: Pattern, finding: Finding) -> None:
        event, observed, facts, _ = finding
        assert observed is not None
        # Truncated to whole numbers: SQL engines round halves differently, but all truncate alike.
        super().__init__(
            observed=str(int(observed)),
            threshold=str(int(pattern.threshold)),
            window=pattern.window_text,
            **{name: str(value) for name, value in facts.items()},
        )
        self._event = event

    def __missing__(self, name: str) -> str:
        return str(getattr(self._event, name))
