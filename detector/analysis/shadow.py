"""A version in shadow beside the one in force: what each found in the same events."""

from datetime import datetime

from detector.analysis.history import DECIDED
from detector.analysis.rates import RIGHT, WRONG, precision
from detector.core.data import JsonObject
from detector.pipeline.ports import Reader
from detector.signals.changes import challenger_id
from detector.signals.pattern import Pattern

SAMPLE = 10
_SIDES = ("in_force", "challenger")


def compared(reader: Reader, pattern: Pattern, version: int, since: datetime) -> JsonObject:
    """The signals of both at events after `since`, and the newest that only one of them has.

    A signal is confirmed or refuted if its customer has a case, closed as `RIGHT` or as `WRONG`,
    in whose time it lies; precision is of these.
    """
    found = _FOUND.format(view=pattern.view, decided=DECIDED.format(at=""))
    asked = [since, challenger_id(pattern.id, version), since]
    counts = {row["found_by"]: row for row in reader.rows(f"{found} {_COUNTS}", asked)}
    signals = {by: counts[by]["signals"] if by in counts else 0 for by in ("both", *_SIDES)}
    return {
        "since": since,
        "signals": signals,
        **{
            side: _side([row for by, row in counts.items() if by in ("both", side)])
            for side in _SIDES
        },
        "differences": reader.rows(f"{found} {_DIFFERENCES}", asked),
    }


def _side(rows: list[JsonObject]) -> JsonObject:
    names = ("signals", "confirmed", "refuted")
    found = {name: sum(row[name] for row in rows) for name in names}
    right, decided = found["confirmed"], found["confirmed"] + found["refuted"]
    return {
        **found,
        **precision(right, decided),
    }


_FOUND = """
WITH decided AS ({decided}),
live AS (
  SELECT event_id, occurred_at, customer_id, observed, reason FROM {view} WHERE occurred_at > ?
),
tried AS (
  SELECT event_id, occurred_at, customer_id, observed, reason FROM shadow_signals
  WHERE pattern = ? AND occurred_at > ?
),
found AS (
  SELECT event_id, coalesce(l.occurred_at, t.occurred_at) AS occurred_at,
    coalesce(l.customer_id, t.customer_id) AS customer_id,
    coalesce(l.observed, t.observed) AS observed, coalesce(l.reason, t.reason) AS reason,
    CASE WHEN t.event_id IS NULL THEN 'in_force' WHEN l.event_id IS NULL THEN 'challenger'
      ELSE 'both' END AS found_by
  FROM live AS l FULL JOIN tried AS t USING (event_id)
)
"""

_COUNTS = f"""
SELECT found_by, count(*) AS signals,
  count(*) FILTER (WHERE confirmed) AS confirmed,
  count(*) FILTER (WHERE refuted AND NOT confirmed) AS refuted
FROM (
  SELECT f.found_by, f.event_id, bool_or(d.disposition IN {RIGHT}) AS confirmed,
    bool_or(d.disposition = '{WRONG}') AS refuted
  FROM found AS f LEFT JOIN decided AS d ON d.customer_id = f.customer_id
    AND f.occurred_at BETWEEN d.first_signal_at AND d.closed_until
  GROUP BY f.found_by, f.event_id
) GROUP BY found_by"""

_DIFFERENCES = f"""
SELECT found_by, event_id, occurred_at, customer_id, observed, reason FROM found
WHERE found_by <> 'both' ORDER BY occurred_at DESC, event_id LIMIT {SAMPLE}"""
