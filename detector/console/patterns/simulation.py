"""In simulation: the patterns against the labels of the synthetic bank."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Set
from datetime import datetime, timedelta

from pydantic import BaseModel, Field

from detector.adapters.sources.synthetic import Label, SyntheticSource
from detector.console.context import Context
from detector.pipeline.ports import Reader
from detector.signals.operators import OPERATORS
from detector.signals.pattern import Pattern

SETTLED = timedelta(minutes=1)
SIGNALS_KEPT = 20_000

Support = Mapping[str, tuple[str, Set[str]]]
"""By signal id: the event at which it fired, and all events that it rests on."""


class Truth(BaseModel):
    """A pattern against the bank's newest labels, by the definitions of `fraud evaluate`."""

    signals: int = Field(description="Signals since the oldest label that is kept.")
    right: int = Field(description="Those that rest on an event labelled with any scenario.")
    instances: int = Field(description="Frauds of this kind that have been over for a minute.")
    found: int = Field(description="Those with a signal of the pattern at one of their events.")


def truths_of(context: Context) -> dict[str, Truth]:
    """The truth about every pattern; empty if the source is not the synthetic bank."""
    source = context.pipeline.source if context.pipeline else None
    watermark = context.pulse.now().watermark
    if not isinstance(source, SyntheticSource) or watermark is None:
        return {}
    labels = [label for label in source.truth.copy() if label.at <= watermark]
    if not labels:
        return {}
    supports = {
        pattern.id: support_of(context.reader, pattern, labels[0].at)
        for pattern in context.rules.patterns.values()
    }
    return judge(labels, supports, watermark)


def support_of(reader: Reader, pattern: Pattern, since: datetime) -> Support:
    """The newest signals of a pattern since then, each with the events it rests on."""
    condition = OPERATORS[pattern.operator].support(pattern)
    rows = reader.rows(
        f"""SELECT s.signal_id, s.event_id AS fired_at, e.event_id
        FROM (
          SELECT * FROM mv_fraud_signals WHERE pattern = ? AND occurred_at >= ?
          ORDER BY occurred_at DESC LIMIT {SIGNALS_KEPT:d}
        ) AS s JOIN stg_{pattern.source} AS e ON {condition.text}
        WHERE e.occurred_at >= ?""",
        [pattern.id, since, *condition.parameters, since - pattern.window],
    )
    found: dict[str, tuple[str, set[str]]] = {}
    for row in rows:
        found.setdefault(row["signal_id"], (row["fired_at"], set()))[1].add(row["event_id"])
    return found


def judge(
    labels: Iterable[Label], supports: Mapping[str, Support], until: datetime
) -> dict[str, Truth]:
    """Compare the signals of each pattern with the labels of fraud up to a moment."""
    fraudulent: set[str] = set()
    instances: dict[tuple[str, str], list[Label]] = defaultdict(list)
    for label in labels:
        fraudulent.add(label.event_id)
        instances[label.scenario, label.instance].append(label)
    over = [
        (scenario, {label.event_id for label in events})
        for (scenario, _), events in instances.items()
        if max(label.at for label in events) <= until - SETTLED
    ]
    truths = {}
    for pattern, support in supports.items():
        fired_at = {event for event, _ in support.values()}
        truths[pattern] = Truth(
            signals=len(support),
            right=sum(not fraudulent.isdisjoint(events) for _, events in support.values()),
            instances=sum(scenario == pattern for scenario, _ in over),
            found=sum(scenario == pattern and not fired_at.isdisjoint(of) for scenario, of in over),
        )
    return truths
