"""The deadline of a case."""

from datetime import datetime
from typing import NamedTuple

from detector.console.http.formatting import left
from detector.console.queries.cases import CaseRow


class Due(NamedTuple):
    """The share of the time to the deadline that has passed, from 0 to 1, and its text."""

    used: float
    words: str
    urgency: str


def due(case: CaseRow, now: datetime) -> Due | None:
    """The deadline of a case; None without one."""
    if not case.due_at or not case.opened_at or case.due_at <= case.opened_at:
        return None
    used = (now - case.opened_at) / (case.due_at - case.opened_at)
    urgency = "over" if used > 1 else "soon" if used > 2 / 3 else "fine"
    return Due(min(1.0, max(0.0, used)), left(case.due_at, now), urgency)
