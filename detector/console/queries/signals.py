"""Signals with their evidence, and what they contribute to a case: reasons and scores."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from pydantic import BaseModel, Field

from detector.console.queries.where import Where
from detector.core.data import JsonObject
from detector.pipeline.ports import Reader
from detector.risk.score import total_weight
from detector.signals.operator import Unit
from detector.signals.operators import OPERATORS
from detector.signals.rules import Rules

_COLUMNS = """s.signal_id, s.pattern, s.rule_id, s.severity, s.weight, s.customer_id, s.account_id,
    s.subject, s.event_id, s.occurred_at, s.window_start, s.observed, s.threshold, s.amount,
    s.reason, s.evidence, s.exposed"""


class SignalRow(BaseModel):
    """One firing of one pattern."""

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
    amount: Decimal | None = Field(description="Of its transaction, in the base currency.")
    reason: str
    evidence: JsonObject
    exposed: list[str] = Field(description="The money that it makes suspicious, by transaction.")


class CaseReason(BaseModel):
    """A pattern of a case, represented by its strongest signal."""

    pattern: str
    title: str
    severity: str
    weight: float
    count: int
    first_at: datetime
    last_at: datetime
    observed: float
    threshold: float
    unit: Unit
    text: str
    event_id: str
    evidence: JsonObject


class ScorePoint(BaseModel):
    """The live score and the cumulative weight, from this moment until the next point."""

    at: datetime
    score: float = Field(description="Weights of the patterns in the trailing window.")
    cumulative: float = Field(description="Weights of all patterns since the first point.")


def signal_row(row: Mapping[str, Any]) -> SignalRow:
    """A row of `mv_fraud_signals`."""
    return SignalRow.model_validate({**row, "evidence": parsed(row["evidence"])})


def parsed(evidence: str | Mapping[str, Any]) -> Mapping[str, Any]:
    """Evidence as a mapping; readers return either text or parsed JSON."""
    found: Mapping[str, Any] = json.loads(evidence) if isinstance(evidence, str) else evidence
    return found


def signals_of_account(
    reader: Reader,
    account_id: str,
    limit: int = 500,
) -> list[SignalRow]:
    """The signals that count for an account, including its customer's; newest first."""
    where = Where(["a.account_id = ?"], [account_id])
    rows = reader.rows(
        f"""SELECT {_COLUMNS} FROM account_signals AS a
        JOIN mv_fraud_signals AS s ON s.signal_id = a.signal_id
        WHERE {where.sql} ORDER BY s.occurred_at DESC, s.signal_id DESC LIMIT {limit:d}""",
        where.parameters,
    )
    return [signal_row(row) for row in rows]


def signal_list(
    reader: Reader,
    among: Mapping[str, Sequence[str]],
    since: datetime | None = None,
    before: tuple[datetime, str] | None = None,
    limit: int = 100,
    until: datetime | None = None,
) -> list[SignalRow]:
    """The newest signals whose columns have one of the given values (an empty list: any)."""
    where = Where()
    for column, values in among.items():
        if values:
            where.among(f"s.{column}", values)
    if since is not None:
        where.add("s.occurred_at >= ?", since)
    if until is not None:
        where.add("s.occurred_at <= ?", until)
    if before is not None:
        at, signal_id = before
        where.add(
            "(s.occurred_at < ? OR (s.occurred_at = ? AND s.signal_id < ?))", at, at, signal_id
        )
    rows = reader.rows(
        f"""SELECT {_COLUMNS} FROM mv_fraud_signals AS s WHERE {where.sql}
        ORDER BY s.occurred_at DESC, s.signal_id DESC LIMIT {limit:d}""",
        where.parameters,
    )
    return [signal_row(row) for row in rows]


def reasons(rules: Rules, signals: Sequence[SignalRow]) -> list[CaseReason]:
    """One reason per pattern, the heaviest first."""
    found = []
    for pattern in {s.pattern for s in signals}:
        firings = [s for s in signals if s.pattern == pattern]
        peak = max(firings, key=lambda s: (s.observed, s.occurred_at, s.signal_id))
        rule = rules.patterns.get(pattern)
        found.append(
            CaseReason(
                pattern=pattern,
                title=rule.title if rule else pattern,
                severity=peak.severity,
                weight=peak.weight,
                count=len(firings),
                first_at=min(s.occurred_at for s in firings),
                last_at=max(s.occurred_at for s in firings),
                observed=peak.observed,
                threshold=peak.threshold,
                unit=OPERATORS[rule.operator].unit(rule) if rule else "count",
                text=peak.reason,
                event_id=peak.event_id,
                evidence=peak.evidence,
            )
        )
    return sorted(found, key=lambda r: (-r.weight, r.first_at, r.pattern))


def score_steps(signals: Sequence[SignalRow], window: timedelta) -> list[ScorePoint]:
    """The score over time: it rises at a signal and falls when the window has passed it."""
    weights = {s.pattern: s.weight for s in signals}
    fired = sorted((s.occurred_at, s.pattern) for s in signals)
    moments = sorted({at for at, _ in fired} | {at + window for at, _ in fired})
    last: dict[str, datetime] = {}
    steps: list[ScorePoint] = []
    following = 0
    for moment in moments:
        while following < len(fired) and fired[following][0] <= moment:
            last[fired[following][1]] = fired[following][0]
            following += 1
        live = [pattern for pattern, at in last.items() if at > moment - window]
        step = ScorePoint(
            at=moment, score=total_weight(weights, live), cumulative=total_weight(weights, last)
        )
        if not steps or (step.score, step.cumulative) != (steps[-1].score, steps[-1].cumulative):
            steps.append(step)
    return steps
