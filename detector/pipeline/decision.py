"""The decision on one transaction for a payment system: approve, review or decline, and why."""

from datetime import datetime
from typing import Any

import msgspec

from detector.core.events import Transaction
from detector.pipeline.work import Decision, IngestStatus
from detector.risk.score import RiskPoint
from detector.signals.engine import Reading

_encode = msgspec.json.Encoder().encode


class PatternValue(msgspec.Struct, frozen=True):
    """What a pattern observed at the transaction; null without anything to compare with."""

    observed: float | None
    threshold: float
    fired: bool


class DecisionReason(msgspec.Struct, frozen=True):
    """A pattern that fired, with its reason in one sentence."""

    pattern: str
    rule_id: str
    severity: str
    reason: str


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """The response to a payment system.

    `risk_score` is the account's at the time of the transaction, including the signals it caused;
    `active_patterns` are the patterns behind it; `reasons` concern this transaction alone.
    """

    event_id: str
    transaction_id: str
    account_id: str
    customer_id: str
    decision: str
    risk_level: str
    risk_score: float
    active_patterns: list[str]
    reasons: list[DecisionReason]
    patterns: dict[str, PatternValue]
    ingest_status: str
    occurred_at: datetime
    decided_at: datetime


def decide(
    event: Transaction,
    ingest_status: IngestStatus,
    readings: list[Reading],
    risk: RiskPoint | None,
    decisions: dict[Any, Any],
    now: datetime,
) -> Decision:
    """Decide by the account's risk level; `review` for what could not be evaluated."""
    level = risk.risk_level if risk else "low"
    verdict = decisions[level] if ingest_status == "evaluated" else "review"
    answer = Answer(
        event_id=event.event_id,
        transaction_id=event.transaction_id,
        account_id=event.account_id,
        customer_id=event.customer_id,
        decision=verdict,
        risk_level=level,
        risk_score=risk.risk_score if risk else 0.0,
        active_patterns=risk.patterns if risk else [],
        reasons=[
            DecisionReason(signal.pattern, signal.rule_id, signal.severity, signal.reason)
            for _, _, signal in readings
            if signal is not None
        ],
        patterns={
            pattern.id: PatternValue(observed, pattern.threshold, signal is not None)
            for pattern, observed, signal in readings
        },
        ingest_status=ingest_status,
        occurred_at=event.occurred_at,
        decided_at=now,
    )
    return Decision(
        event_id=event.event_id,
        account_id=event.account_id,
        decided_at=now,
        decision=verdict,
        risk_level=level,
        risk_score=answer.risk_score,
        answer=msgspec.Raw(_encode(answer)),
    )
