"""What the rules found, cost and saved in a period: a digest of a store for its owners."""

from collections.abc import Sequence
from datetime import datetime

from detector.analysis.rates import RIGHT, WRONG, precision
from detector.core.data import JsonObject, Row
from detector.pipeline.ports import Reader
from detector.signals.rules import Rules

COMBINATIONS = 12
WEEKS = 8


def report(reader: Reader, rules: Rules, since: datetime, until: datetime) -> JsonObject:
    """The period from `since` until before `until`, by the times of events and of decisions.

    A decision is a closed case, counted when it was decided. Precision is of the confirmed and
    suspicious among those and the false positives. Money is of the cases as they were closed: what
    was exposed, and what had gone already when the case opened. `missed_by` says of the confirmed
    cases how many a pattern had no part in; what raised no case at all is not known here.
    """
    span = [since, until]
    decided = reader.rows(_DECIDED, span)
    before = _by_pattern(reader.rows(_DECIDED, [since - (until - since), since]))
    found = {row["pattern"]: row for row in reader.rows(_SIGNALS, span)}
    right = [row for row in decided if row["disposition"] in RIGHT]
    by_pattern = _by_pattern(decided)
    return {
        "since": since,
        "until": until,
        "totals": {
            **_one(reader, _EVENTS, span),
            **_one(reader, _OPENED, span),
            **_precision(decided),
            "inconclusive": sum(row["disposition"] == "INCONCLUSIVE" for row in decided),
            "exposed": sum(row["exposure"] for row in right),
            "already_gone": sum(row["already_gone"] for row in right),
            **_one(reader, _HOURS, [*span, WRONG]),
        },
        "patterns": [
            {
                "pattern": name,
                "signals": found[name]["signals"] if name in found else 0,
                "customers": found[name]["customers"] if name in found else 0,
                **_precision(by_pattern.get(name, [])),
                "precision_before": _precision(before.get(name, []))["precision"],
                "alone": sum(row["patterns"] == [name] for row in by_pattern.get(name, [])),
                "missed_by": sum(name not in row["patterns"] for row in right),
            }
            for name in rules.patterns
        ],
        "combinations": _combinations(decided)[:COMBINATIONS],
        "weeks": [
            {**week, "week": week["week"].date()} for week in reader.rows(_WEEKS, [until, until])
        ],
        "changes": reader.rows(_CHANGES, span),
    }


def _by_pattern(cases: Sequence[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in cases:
        for pattern in row["patterns"]:
            found.setdefault(pattern, []).append(row)
    return found


def _combinations(cases: Sequence[Row]) -> list[JsonObject]:
    groups: dict[tuple[str, ...], list[Row]] = {}
    for row in cases:
        groups.setdefault(tuple(row["patterns"]), []).append(row)
    largest = sorted(groups.items(), key=lambda item: (-len(item[1]), item[0]))
    return [{"patterns": list(names), **_precision(rows)} for names, rows in largest]


def _precision(cases: Sequence[Row]) -> JsonObject:
    right = sum(row["disposition"] in RIGHT for row in cases)
    wrong = sum(row["disposition"] == WRONG for row in cases)
    return {
        "confirmed": right,
        "refuted": wrong,
        **precision(right, right + wrong),
    }


def _one(reader: Reader, query: str, span: Sequence[object]) -> Row:
    [row] = reader.rows(query, span)
    return row


_SIGNALS = """
SELECT pattern, count(*) AS signals, count(DISTINCT customer_id) AS customers
FROM fraud_signals WHERE occurred_at >= ? AND occurred_at < ? GROUP BY pattern"""

_EVENTS = """
SELECT count(*) AS transactions, coalesce(sum(base_amount), 0) AS paid
FROM stg_transactions WHERE occurred_at >= ? AND occurred_at < ?"""

_OPENED = "SELECT count(*) AS cases_opened FROM cases WHERE opened_at >= ? AND opened_at < ?"

_DECIDED = """
SELECT case_id, disposition, string_split(snapshot ->> '$.patterns', ', ') AS patterns,
  (snapshot ->> '$.exposure')::DECIMAL(18, 2) AS exposure,
  (snapshot ->> '$.already_gone')::DECIMAL(18, 2) AS already_gone
FROM case_reviews WHERE status = 'CLOSED' AND reviewed_at >= ? AND reviewed_at < ?
ORDER BY case_id"""

_HOURS = """
WITH acted AS (
  SELECT action, acted_at, actor, subject,
    lag(actor) OVER case_so_far AS previous_actor, lag(acted_at) OVER case_so_far AS previous_at
  FROM audit_log WHERE subject_kind = 'case'
  WINDOW case_so_far AS (PARTITION BY subject ORDER BY seq)
),
spent AS (
  SELECT a.subject, epoch(acted_at - previous_at) / 3600 AS hours, r.disposition
  FROM acted AS a JOIN case_reviews AS r ON r.case_id = a.subject
  WHERE action = 'close' AND actor = previous_actor AND acted_at >= ? AND acted_at < ?
)
SELECT coalesce(sum(hours), 0.0) AS hours_of_analysts,
  coalesce(sum(hours) FILTER (WHERE disposition = ?), 0.0) AS hours_on_false_positives FROM spent"""

_WEEKS = f"""
WITH closed AS (
  SELECT date_trunc('week', reviewed_at) AS week, disposition,
    unnest(string_split(snapshot ->> '$.patterns', ', ')) AS pattern
  FROM case_reviews WHERE status = 'CLOSED'
    AND reviewed_at >= ?::TIMESTAMPTZ - INTERVAL {WEEKS} WEEK AND reviewed_at < ?
)
SELECT week, pattern, count(*) FILTER (WHERE disposition IN {RIGHT}) AS confirmed,
  count(*) FILTER (WHERE disposition = '{WRONG}') AS refuted
FROM closed GROUP BY week, pattern ORDER BY week, pattern"""

_CHANGES = """
SELECT pattern, version, state, changes, reason, author, decided_by FROM rule_versions
WHERE greatest(created_at, coalesce(decided_at, created_at)) >= ? AND created_at < ?
ORDER BY created_at"""
