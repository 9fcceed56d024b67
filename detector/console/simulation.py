"""In simulation: what the patterns found of the frauds that the synthetic bank committed."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from pydantic import BaseModel, Field

from detector.adapters.synthetic import Label, SyntheticSource
from detector.console.context import Context

SETTLED = timedelta(minutes=1)
SIGNALS_KEPT = 20_000


class Truth(BaseModel):
    """A pattern against the bank's newest labels: `fraud evaluate` measures the same on files."""

    signals: int = Field(description="Signals since the oldest label that is kept.")
    right: int = Field(description="Those at an event that is labelled, by whichever scenario.")
    instances: int = Field(description="Frauds of this kind that have been over for a minute.")
    found: int = Field(description="Those with a signal of the pattern at one of their events.")


def truths_of(context: Context) -> dict[str, Truth]:
    """The truth about every pattern; empty where the source is not the synthetic bank."""
    source = context.pipeline.source if context.pipeline else None
    watermark = context.pulse.now().watermark
    if not isinstance(source, SyntheticSource) or watermark is None:
        return {}
    labels = [label for label in source.truth.copy() if label.at <= watermark]
    if not labels:
        return {}
    rows = context.reader.rows(
        "SELECT pattern, event_id FROM mv_fraud_signals WHERE occurred_at >= ? "
        f"ORDER BY occurred_at DESC LIMIT {SIGNALS_KEPT:d}",
        [labels[0].at],
    )
    fired: dict[str, set[str]] = {name: set() for name in context.rules.patterns}
    for row in rows:
        fired.setdefault(row["pattern"], set()).add(row["event_id"])
    return judge(labels, fired, watermark)


def judge(
    labels: Iterable[Label], fired: Mapping[str, set[str]], until: datetime
) -> dict[str, Truth]:
    """Compare the events at which patterns fired with the labels of fraud up to a moment."""
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
    return {
        pattern: Truth(
            signals=len(events),
            right=len(events & fraudulent),
            instances=sum(scenario == pattern for scenario, _ in over),
            found=sum(scenario == pattern and not events.isdisjoint(of) for scenario, of in over),
        )
        for pattern, events in fired.items()
    }
