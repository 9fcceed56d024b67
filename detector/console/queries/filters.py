"""Filters and sort orders of the case queue."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from detector.console.http.fields import Name, without_blanks
from detector.console.queries.ranking import Ranking
from detector.console.queries.where import Where
from detector.signals.conditions import Sql
from detector.signals.rules import Level

OpenStatus = Literal["NEW", "IN_REVIEW", "ESCALATED", "PENDING_APPROVAL"]
Sort = Literal["rank", "due", "oldest", "newest", "exposure", "score"]
Column = Literal["score", "patterns", "exposure", "age", "due", "owner", "recommended"]

_EPOCH = "CAST(EXTRACT(EPOCH FROM {}) AS DOUBLE PRECISION)"
_OPENED = _EPOCH.format("opened_at")
# Every order is a number, descending, so that one kind of cursor serves all.
_SORTS: dict[Sort, str] = {
    "due": f"-{_EPOCH.format('due_at')}",
    "oldest": f"-{_OPENED}",
    "newest": _OPENED,
    "exposure": "CAST(exposure AS DOUBLE PRECISION)",
    "score": "score",
}


def sort_key(sort: Sort, ranking: Ranking) -> Sql:
    """The number by which a row of `mv_open_fraud_cases` is sorted, the largest first."""
    if sort != "rank":
        return Sql(_SORTS[sort], [])
    # What waits for a second person is not the next case to decide.
    waits = "CASE WHEN status = 'PENDING_APPROVAL' THEN 1000000000000 ELSE 0 END"
    return Sql(f"{ranking.sql.text} - {waits}", ranking.sql.parameters)


NO_OWNER = "none"
"""In place of a user name: cases without an owner."""


class QueueFilters(BaseModel):
    """The filters of the queue, as in the query string of its page. Empty means no filter."""

    model_config = ConfigDict(frozen=True)

    level: list[Level] = Field([], description="Any of these levels.")
    pattern: list[Name] = Field([], description="At least one of these patterns.")
    status: list[OpenStatus] = Field([], description="Any of these states.")
    owner: Name | None = Field(
        None, description="A user name, `me`, or `none` for cases without an owner."
    )
    min_age: Annotated[int, Field(ge=0, le=10_000_000)] | None = Field(
        None, description="Opened at least this many minutes ago."
    )
    max_age: Annotated[int, Field(ge=0, le=10_000_000)] | None = Field(
        None, description="Opened at most this many minutes ago."
    )
    q: Name | None = Field(None, description="Part of the id of the case, account or customer.")
    snoozed: Literal["hide", "show", "only"] = Field(
        "hide", description="Cases all of whose patterns are snoozed."
    )
    sort: Sort = Field("rank", description="The order of the cases.")
    hide: list[Column] = Field([], description="Columns that the page leaves out.")

    @model_validator(mode="before")
    @classmethod
    def _drop_blanks(cls, data: Any) -> Any:
        return without_blanks(data) if isinstance(data, Mapping) else data


def condition(filters: QueueFilters, now: datetime, snoozed: Sequence[str]) -> Where:
    """The condition on rows of `mv_open_fraud_cases` before the facets apply."""
    where = Where()
    if filters.min_age is not None:
        where.add("opened_at <= ?", now - timedelta(minutes=filters.min_age))
    if filters.max_age is not None:
        where.add("opened_at >= ?", now - timedelta(minutes=filters.max_age))
    if filters.q:
        ids = "LOWER(case_id || ' ' || account_ids || ' ' || customer_id)"
        where.add(f"POSITION(? IN {ids}) > 0", filters.q.lower())
    if filters.snoozed == "hide" and snoozed:
        where.among("case_id", snoozed, negate=True)
    if filters.snoozed == "only":
        where.among("case_id", snoozed or [""])
    return where


def facet_condition(filters: QueueFilters, username: str) -> Where:
    """The condition for the chosen facets, in addition to `condition`."""
    where = Where()
    if filters.level:
        where.among("level", filters.level)
    if filters.status:
        where.among("status", filters.status)
    if filters.owner == NO_OWNER:
        where.add("owner IS NULL")
    elif filters.owner:
        where.add("owner = ?", username if filters.owner == "me" else filters.owner)
    if filters.pattern:
        holds = "POSITION(? IN ', ' || patterns || ',') > 0"
        where.add(
            f"({' OR '.join([holds] * len(filters.pattern))})",
            *(f", {pattern}," for pattern in filters.pattern),
        )
    return where
