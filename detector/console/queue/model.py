"""A page of the case queue, with its facets."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, Field

from detector.console.http import cursor as cursors
from detector.console.queries.cases import CaseRow, case_row
from detector.console.queries.filters import NO_OWNER, QueueFilters, condition
from detector.console.queries.queue import queue_sql
from detector.console.queries.ranking import Ranking
from detector.core.data import Row
from detector.core.names import split
from detector.pipeline.ports import ConsoleReader


class QueueQuery(QueueFilters):
    """The filters of the queue, and the page."""

    cursor: Annotated[
        str | None, Field(max_length=400, description="`next` of the page before.")
    ] = None
    limit: Annotated[int, Field(ge=1, le=200, description="Most cases on a page.")] = 50


class Facets(BaseModel):
    """The number of cases for each choice, with the other filters unchanged."""

    level: dict[str, int]
    pattern: dict[str, int]
    status: dict[str, int]
    owner: dict[str, int]


class QueuePage(BaseModel):
    """A page of the queue. `next` is the cursor of the following page.

    Consecutive pages rank as of the first (`as_of`), so that new cases move nothing between them.
    """

    cases: list[CaseRow]
    total: int
    exposure: Decimal
    facets: Facets
    snoozed: int
    as_of: datetime
    next: str | None


def queue_page(
    reader: ConsoleReader,
    filters: QueueFilters,
    username: str,
    snoozed: Sequence[str] = (),
    cursor: str | None = None,
    limit: int = 50,
    ranking: Ranking | None = None,
) -> QueuePage:
    """A page of the queue with its facets; `snoozed` are the ids of the snoozed cases.

    Without a `ranking`, as of now and without earlier decisions.
    """
    ranking = ranking or Ranking(datetime.now(UTC))
    after = None
    if cursor:
        seconds, sort, key, case_id = cursors.decode(cursor, float, str, float, str)
        if sort != filters.sort:
            cursors.refuse()
        ranking, after = replace(ranking, now=cursors.instant(seconds)), (key, case_id)
    now = ranking.now
    found = reader.rows(*queue_sql(reader, filters, username, ranking, snoozed, limit + 1, after))
    shown, following = found[:limit], None
    if len(found) > limit:
        last = shown[-1]
        following = cursors.encode(
            now.timestamp(), filters.sort, float(last["sort_key"]), last["case_id"]
        )
    groups = _groups(reader, filters, now, snoozed)
    matching = [g for g in groups if _matches(g, filters, username)]
    return QueuePage(
        cases=[case_row(row, ranking) for row in shown],
        total=sum(g["cases"] for g in matching),
        exposure=sum((Decimal(g["exposure"]) for g in matching), Decimal(0)),
        facets=_facets(groups, filters, username),
        snoozed=len(snoozed),
        as_of=now,
        next=following,
    )


def _groups(
    reader: ConsoleReader, filters: QueueFilters, now: datetime, snoozed: Sequence[str]
) -> list[Row]:
    """Open cases counted by all facets; few rows, however many cases."""
    where = condition(filters, now, snoozed)
    rows = reader.rows(
        f"""SELECT level, status, owner, patterns, COUNT(*) AS cases, SUM(exposure) AS exposure
        FROM {reader.open_cases} WHERE {where.sql} GROUP BY level, status, owner, patterns""",
        where.parameters,
    )
    return [
        {**row, "owner": row["owner"] or NO_OWNER, "patterns": split(row["patterns"])}
        for row in rows
    ]


def _matches(
    group: Mapping[str, Any], filters: QueueFilters, username: str, ignoring: str | None = None
) -> bool:
    """Whether a group passes the chosen facets, possibly ignoring one."""
    owner = username if filters.owner == "me" else filters.owner
    return (
        (ignoring == "level" or not filters.level or group["level"] in filters.level)
        and (ignoring == "status" or not filters.status or group["status"] in filters.status)
        and (ignoring == "owner" or not owner or group["owner"] == owner)
        and (
            ignoring == "pattern"
            or not filters.pattern
            or not set(filters.pattern).isdisjoint(group["patterns"])
        )
    )


def _facets(groups: Iterable[Row], filters: QueueFilters, username: str) -> Facets:
    counts: dict[str, Counter[str]] = {name: Counter() for name in Facets.model_fields}
    for group in groups:
        for facet, counter in counts.items():
            if _matches(group, filters, username, ignoring=facet):
                values = group["patterns"] if facet == "pattern" else [group[facet]]
                for value in values:
                    counter[value] += group["cases"]
    return Facets(**{name: dict(counter) for name, counter in counts.items()})
