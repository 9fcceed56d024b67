"""What people decided, from the audit log: by person, by hour, and what was overturned."""

from datetime import datetime
from typing import NamedTuple

from detector.adapters.people.audit_log import AuditLog

_ENTRIES = """
WITH entries AS (
  SELECT actor, subject, action, acted_at, seq,
    detail ->> '$.before.status' AS before, detail ->> '$.after.status' AS after,
    lag(actor) OVER case_so_far AS previous_actor, lag(acted_at) OVER case_so_far AS previous_at
  FROM audit_log WHERE subject_kind = 'case'
  WINDOW case_so_far AS (PARTITION BY subject ORDER BY seq)
)
"""
# A decision is a close, also one that a second person still has to approve.
_DECIDED = "action = 'close' AND acted_at >= ?"


class PersonDone(NamedTuple):
    """What one person did: cases decided and approved, those of theirs that were overturned.

    `seconds` is the median from the person's action before, mostly the claim, to the decision.
    """

    person: str
    decided: int
    approved: int
    overturned: int
    seconds: float | None


class WorkDone:
    """Counts of decisions since a time."""

    def __init__(self, audit: AuditLog) -> None:
        self._audit = audit

    def by_person(self, since: datetime) -> list[PersonDone]:
        """Everyone who decided or approved, most decisions first.

        A decision is overturned when someone else rejects it, reopens the case or undoes it.
        """
        rows = self._audit.rows(
            f"""{_ENTRIES},
            decided AS (SELECT actor, subject, seq,
                CASE WHEN previous_actor = actor THEN epoch(acted_at - previous_at) END AS seconds
              FROM entries WHERE {_DECIDED}),
            overturned AS (SELECT DISTINCT d.actor, d.subject FROM decided AS d
              JOIN entries AS e ON e.subject = d.subject AND e.seq > d.seq
              WHERE e.action IN ('reject', 'reopen') AND e.actor <> d.actor),
            approved AS (SELECT actor, count(*) AS cases FROM entries
              WHERE action = 'approve' AND acted_at >= ? GROUP BY actor),
            people AS (SELECT actor FROM decided UNION SELECT actor FROM approved)
            SELECT p.actor AS person, count(DISTINCT d.seq) AS decided,
              coalesce(any_value(a.cases), 0) AS approved,
              count(DISTINCT o.subject) AS overturned, median(d.seconds) AS seconds
            FROM people AS p LEFT JOIN decided AS d USING (actor)
              LEFT JOIN approved AS a USING (actor)
              LEFT JOIN overturned AS o ON o.actor = d.actor AND o.subject = d.subject
            GROUP BY p.actor ORDER BY decided DESC, approved DESC, person""",
            [since, since],
        )
        return [PersonDone(**row) for row in rows]

    def by_hour(self, since: datetime) -> dict[datetime, int]:
        """Decisions by the hour in which they were taken; hours without any are missing."""
        rows = self._audit.rows(
            f"{_ENTRIES} SELECT date_trunc('hour', acted_at) AS hour, count(*) AS cases "
            f"FROM entries WHERE {_DECIDED} GROUP BY 1 ORDER BY 1",
            [since],
        )
        return {row["hour"]: row["cases"] for row in rows}
