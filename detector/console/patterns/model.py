"""The patterns: rules, frequency, precision and time to detect."""

from collections import Counter
from datetime import timedelta
from itertools import combinations_with_replacement

from pydantic import BaseModel, Field

from detector.console.context import Context
from detector.console.patterns.detection_time import DetectionTime, detection_time
from detector.console.patterns.simulation import Truth, truths_of
from detector.console.queries.minutes import without_gaps
from detector.console.queries.precision import Precision, precision, precisions
from detector.core.data import JsonObject
from detector.core.names import split
from detector.pipeline.ports import Reader
from detector.signals.conditions import noun
from detector.signals.description import counted_if, definition
from detector.signals.operator import Unit
from detector.signals.operators import OPERATORS
from detector.signals.pattern import Pattern


class PatternFacts(BaseModel):
    """One pattern: its rule and its results."""

    id: str
    title: str
    definition: str
    counts_if: list[str] = Field(description="Conditions that an event must meet to count.")
    rule_id: str
    operator: str
    source: str
    key: list[str]
    window_s: int
    threshold: float
    unit: Unit
    weight: float
    severity: str
    scope: str = Field(description="Scores the account, or all accounts of the customer.")
    action: str
    in_shadow: bool = Field(description="Computed and shown, without effect on scores and cases.")
    braked: str | None = Field(description="Why it was put in shadow by itself; null if not.")
    version: int = Field(description="The version in force; 0 is the rules' file.")
    last_minute: int
    last_hour: int
    in_all: int
    per_minute: list[int] = Field(description="The last hour, the newest minute last.")
    open_cases: int
    precision: Precision
    detection_time: DetectionTime
    truth: Truth | None = Field(description="Only in simulation, where the truth is known.")


class Patterns(BaseModel):
    """All patterns, in the order of the rules; `together[a][b]` counts open cases with both."""

    patterns: list[PatternFacts]
    together: dict[str, dict[str, int]]


def patterns(context: Context) -> Patterns:
    """The current facts about every pattern."""
    rules, reader = context.rules.patterns, context.reader
    pulse = context.pulse.now()
    hour = without_gaps(context.pulse.minutes(), pulse.watermark or pulse.at)
    in_all = _counts(reader, rules)
    right = precisions(context.people)
    together = _together(reader, list(rules))
    braked = _braked(context)
    versions = context.people.rule_versions.live()
    truths = truths_of(context)
    found = []
    for pattern in rules.values():
        per_minute = [minute.signals.get(pattern.id, 0) for minute in hour]
        found.append(
            PatternFacts(
                **_rule(pattern),
                in_shadow=pattern.mode == "shadow" or pattern.id in braked,
                braked=braked.get(pattern.id),
                version=versions.get(pattern.id, 0),
                unit=OPERATORS[pattern.operator].unit(pattern),
                last_minute=pulse.signals_by_pattern.get(pattern.id, 0),
                last_hour=sum(per_minute),
                in_all=in_all.get(pattern.id, 0),
                per_minute=per_minute,
                open_cases=together[pattern.id][pattern.id],
                precision=right.get(pattern.id) or precision(Counter()),
                detection_time=detection_time(reader, pattern),
                truth=truths.get(pattern.id),
            )
        )
    return Patterns(patterns=found, together=together)


def _counts(reader: Reader, rules: dict[str, Pattern]) -> dict[str, int]:
    """The signals of each pattern, those in shadow included, which only its own view has."""
    places = dict(enumerate(rules.values()))
    found = reader.rows(
        " UNION ALL ".join(
            f"SELECT {place} AS place, COUNT(*) AS signals FROM {pattern.view}"
            for place, pattern in places.items()
        )
    )
    return {places[row["place"]].id: row["signals"] for row in found}


def _braked(context: Context) -> dict[str, str]:
    if context.pipeline is None:
        return {}
    return {
        name: f"It fired on {braked.fired:,} of {braked.active:,} active customers within minutes."
        for name, braked in context.pipeline.detector.braked.copy().items()
    }


def _rule(pattern: Pattern) -> JsonObject:
    return {
        "id": pattern.id,
        "title": pattern.title,
        "definition": definition(pattern),
        "counts_if": counted_if(pattern),
        "rule_id": pattern.rule_id,
        "operator": pattern.operator,
        "source": pattern.source,
        "key": [noun(name) for name in pattern.key],
        "window_s": pattern.window // timedelta(seconds=1),
        "threshold": pattern.threshold,
        "weight": pattern.weight,
        "severity": pattern.severity,
        "scope": pattern.scope,
        "action": pattern.action,
    }


def _together(reader: Reader, names: list[str]) -> dict[str, dict[str, int]]:
    together = {a: dict.fromkeys(names, 0) for a in names}
    rows = reader.rows("SELECT patterns, COUNT(*) AS cases FROM mv_open_fraud_cases GROUP BY 1")
    for row in rows:
        present = [name for name in split(row["patterns"]) if name in together]
        for a, b in combinations_with_replacement(present, 2):
            together[a][b] += row["cases"]
            if a != b:
                together[b][a] += row["cases"]
    return together
