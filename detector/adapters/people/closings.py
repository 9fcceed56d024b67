"""The closed cases: by whom, when and as what, from the reviews and the audit log."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from detector.adapters.people.audit_log import AuditLog
from detector.core.data import Row

# The entry that closed the case for good: by closing, approving, or undoing a reopening.
_CLOSINGS = """
WITH ended AS (
  SELECT subject AS case_id, seq, actor, acted_at FROM audit_log
  WHERE subject_kind = 'case' AND action IN ('close', 'approve', 'undo')
    AND detail ->> '$.after.status' = 'CLOSED' AND detail ->> '$.before.status' <> 'CLOSED'
  QUALIFY row_number() OVER (PARTITION BY subject ORDER BY seq DESC) = 1
),
closings AS (
  SELECT r.case_id, r.customer_id, r.disposition, r.reason, e.acted_at AS closed_at,
    coalesce(r.proposed_by, e.actor) AS closed_by,
    CASE WHEN r.proposed_by IS NOT NULL THEN e.actor END AS approved_by,
    r.snapshot
  FROM case_reviews AS r JOIN ended AS e USING (case_id)
  WHERE r.status = 'CLOSED'
)
"""
_FACTS = ("level", "score", "patterns", "account_ids", "exposure", "already_gone", "opened_at")


class ClosingFilter(NamedTuple):
    """Which closed cases: an empty field is no condition. `person` closed or approved it."""

    dispositions: Sequence[str] = ()
    person: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    text: str | None = None


class Closings:
    """The closed cases; each row has the case's facts as of its closing."""

    def __init__(self, audit: AuditLog) -> None:
        self._audit = audit

    def counts(self, wanted: ClosingFilter) -> dict[str, int]:
        """How many there are by disposition."""
        where, values = _condition(wanted)
        rows = self._audit.rows(
            f"{_CLOSINGS} SELECT disposition, count(*) AS cases FROM closings WHERE {where} "
            "GROUP BY disposition",
            values,
        )
        return {row["disposition"]: row["cases"] for row in rows}

    def latest(
        self, wanted: ClosingFilter, limit: int, after: tuple[datetime, str] | None = None
    ) -> list[Row]:
        """The latest closed first; `after` is the time and the id of the last one seen."""
        where, values = _condition(wanted)
        if after is not None:
            where, values = f"{where} AND (closed_at, case_id) < (?, ?)", [*values, *after]
        return self._found(
            f"{where} ORDER BY closed_at DESC, case_id DESC LIMIT ?", [*values, limit]
        )

    def sample(self, wanted: ClosingFilter, size: int, seed: str) -> list[Row]:
        """A random sample for quality checks: the same for the same seed and cases."""
        where, values = _condition(wanted)
        return self._found(f"{where} ORDER BY md5(? || case_id) LIMIT ?", [*values, seed, size])

    def _found(self, condition: str, values: list[Any]) -> list[Row]:
        rows = self._audit.rows(f"{_CLOSINGS} SELECT * FROM closings WHERE {condition}", values)
        found = []
        for row in rows:
            snapshot = json.loads(row.pop("snapshot"))
            found.append({**row, **{name: snapshot[name] for name in _FACTS}})
        return found


def _condition(wanted: ClosingFilter) -> tuple[str, list[Any]]:
    text = wanted.text.lower() if wanted.text else None
    tests: dict[str, list[Any] | None] = {
        "list_contains(?::VARCHAR[], disposition)": (
            [list(wanted.dispositions)] if wanted.dispositions else None
        ),
        "? IN (closed_by, approved_by)": [wanted.person] if wanted.person else None,
        "closed_at >= ?": [wanted.since] if wanted.since else None,
        "closed_at < ?": [wanted.until] if wanted.until else None,
        "(contains(case_id, ?) OR contains(lower(customer_id), ?))": [text, text] if text else None,
    }
    given = {test: values for test, values in tests.items() if values is not None}
    return " AND ".join(given) or "true", [v for values in given.values() for v in values]
