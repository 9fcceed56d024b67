"""Searches weights and thresholds by the value that a team of so many alerts a day would catch."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path

import duckdb

from detector.adapters.duckdb.reading import read_signals
from detector.analysis.alerts import cases_by_day
from detector.analysis.evaluate import judge
from detector.cases.case import Case
from detector.cases.priority import likelihood
from detector.signals.exposure import event_id_of
from detector.signals.operators import OPERATORS
from detector.signals.rules import Rules
from detector.signals.signal import Signal

WEIGHTS = (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5)
FACTORS = (1.0, 1.25, 1.5, 2.0, 3.0)
"""Of thresholds. A signal below a higher one is dropped, which is exact for single events."""

ROUNDS = 2


@dataclass(frozen=True)
class Choice:
    """A candidate: weights and thresholds of the patterns."""

    weights: Mapping[str, float]
    thresholds: Mapping[str, float]

    @classmethod
    def of(cls, rules: Rules) -> "Choice":
        """What the rules say now."""
        patterns = rules.patterns.values()
        return cls({p.id: p.weight for p in patterns}, {p.id: p.threshold for p in patterns})

    def applied(self, rules: Rules) -> Rules:
        """The rules with these weights; thresholds apply to signals."""
        patterns = {
            name: p.model_copy(update={"weight": self.weights[name]})
            for name, p in rules.patterns.items()
        }
        return rules.model_copy(update={"patterns": patterns})


@dataclass(frozen=True)
class LabelledLog:
    """The signals of one replayed log by customer, and the money of its frauds."""

    signals: Sequence[Signal]
    instances: Mapping[str, str]
    payments: Mapping[str, Sequence[tuple[datetime, float]]]

    @property
    def value(self) -> float:
        """All money lost in it."""
        return sum(amount for payments in self.payments.values() for _, amount in payments)


def read_log(db: duckdb.DuckDBPyConnection, truth: Path, rules: Rules) -> LabelledLog:
    """The log of a replayed store, with the instances and the money that `judge` counts."""
    judge(db, truth, rules)
    counted = "SEMI JOIN (FROM instances WHERE NOT censored) USING (scenario, instance)"
    instances = dict(db.execute(f"SELECT event_id, instance FROM truth {counted}").fetchall())
    payments: defaultdict[str, list[tuple[datetime, float]]] = defaultdict(list)
    for instance, at, amount in db.execute(
        f"SELECT instance, occurred_at, amount FROM instance_money {counted}"
    ).fetchall():
        payments[instance].append((at, float(amount)))
    return LabelledLog(list(read_signals(db.cursor(), "true", [])), instances, payments)


def caught(log: LabelledLog, rules: Rules, choice: Choice, alerts: int) -> float:
    """The value that the first `alerts` cases of every day catch, from the case on."""
    signals = [s for s in log.signals if s.observed >= choice.thresholds[s.pattern]]
    by_customer: defaultdict[str, list[Signal]] = defaultdict(list)
    for signal in signals:
        by_customer[signal.customer_id].append(signal)
    by_day: defaultdict[date, list[Case]] = defaultdict(list)
    for case in cases_by_day(signals, choice.applied(rules)):
        by_day[case.opened_at.date()].append(case)
    seen: dict[str, datetime] = {}
    for cases in by_day.values():
        cases.sort(
            key=lambda c: (-float(c.exposure) * likelihood(c.score), c.due_at, c.customer_id)
        )
        for case in cases[:alerts]:
            for instance, at in _shown(case, by_customer[case.customer_id], log.instances):
                seen[instance] = min(at, seen.get(instance, at))
    return sum(
        amount
        for instance, since in seen.items()
        for at, amount in log.payments.get(instance, ())
        if at >= since
    )


def tune(
    logs: Sequence[LabelledLog],
    rules: Rules,
    patterns: Sequence[str],
    alerts: int,
    tried: Callable[[int], None] = lambda _: None,
) -> tuple[Choice, float, float]:
    """Search by coordinate ascent; returns the best choice, its share of value and today's.

    Only the weights of `patterns` are changed, and the thresholds of those that judge single
    events; of equal choices the earlier one stays.
    """

    def share(choice: Choice) -> float:
        tried(1)
        values = sum(log.value for log in logs)
        return sum(caught(log, rules, choice, alerts) for log in logs) / values if values else 0.0

    best = Choice.of(rules)
    before = reached = share(best)
    for _ in range(ROUNDS):
        start = reached
        for name in patterns:
            for candidate in _around(best, rules, name):
                found = share(candidate)
                if found > reached:
                    best, reached = candidate, found
        if reached == start:
            break
    return best, reached, before


def _around(choice: Choice, rules: Rules, name: str) -> Iterator[Choice]:
    """The choices that differ in the weight, or in the threshold, of one pattern."""
    for weight in WEIGHTS:
        yield replace(choice, weights={**choice.weights, name: weight})
    pattern = rules.patterns[name]
    if OPERATORS[pattern.operator].single_event:
        for factor in FACTORS:
            threshold = round(pattern.threshold * factor, 2)
            yield replace(choice, thresholds={**choice.thresholds, name: threshold})


def _shown(
    case: Case, signals: Sequence[Signal], instances: Mapping[str, str]
) -> Iterator[tuple[str, datetime]]:
    """The fraud that a case shows, each with when an analyst can see it."""
    for signal in signals:
        if case.first_signal_at <= signal.occurred_at <= case.last_signal_at:
            at = max(case.opened_at, signal.occurred_at)
            for event_id in (signal.event_id, *map(event_id_of, signal.exposed)):
                if event_id in instances:
                    yield instances[event_id], at
