"""The case queue: open cases in the order in which to decide them, page by page."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from pydantic import BaseModel

from detector.adapters.desk import Desk
from detector.console import cursor as cursors
from detector.console.context import Reader
from detector.console.filters import SORT_SQL, QueueFilters, condition, facet_condition
from detector.console.ranking import Rank, rank_of
from detector.console.snoozing import snoozed_cases

NOBODY = "none"
_COLUMNS = """case_id, account_id, customer_id, level, score, patterns, signal_count, exposure,
    first_signal_at, last_signal_at, opened_at, due_at, recommended_action, actions, owner,
    status"""


class CaseFacts(BaseModel):
    """What detection and people say of a case."""

    case_id: str
    account_id: str
    customer_id: str
    level: str
    score: float
    patterns: list[str]
    signal_count: int
    exposure: Decimal
    first_signal_at: datetime
    last_signal_at: datetime
    opened_at: datetime | None
    due_at: datetime | None
    recommended_action: str
    actions: list[str]
    owner: str | None
    status: str


class CaseRow(CaseFacts):
    """One case as the queue shows it."""

    rank: Rank


class Facets(BaseModel):
    """How many cases each choice would show, everything else staying as chosen."""

    level: dict[str, int]
    pattern: dict[str, int]
    status: dict[str, int]
    owner: dict[str, int]


class QueuePage(BaseModel):
    """A page of the queue. `next` is the cursor of the following page.

    Pages that follow each other rank by the moment of the first (`as_of`): what arrives meanwhile
    moves nothing that was or will be shown.
    """

    cases: list[CaseRow]
    total: int
    exposure: Decimal
    facets: Facets
    snoozed: int
    as_of: datetime
    next: str | None


def case_row(row: Mapping[str, Any], now: datetime) -> CaseRow:
    """A row of `mv_open_fraud_cases`, or what was kept of one, with its rank."""
    lists = {name: _names(row[name]) for name in ("patterns", "actions")}
    case = CaseFacts.model_validate({**row, **lists})
    rank = rank_of(float(case.exposure), case.score, case.level, case.opened_at, case.due_at, now)
    return CaseRow(**case.model_dump(), rank=rank)


def _names(listed: str | list[str]) -> list[str]:
    return listed if isinstance(listed, list) else [name for name in listed.split(", ") if name]


def queue_sql(
    reader: Reader,
    filters: QueueFilters,
    person: str,
    now: datetime,
    snoozed: Sequence[str] = (),
    limit: int = 50,
    after: tuple[float, str] | None = None,
) -> tuple[str, list[Any]]:
    """The query of the first `limit` open cases (after a position), and its parameters."""
    key = SORT_SQL[filters.sort]
    where, chosen = condition(filters, now, snoozed), facet_condition(filters, person)
    parameters = [*[now.timestamp()] * key.count("?"), *where.parameters, *chosen.parameters]
    beyond = "TRUE"
    if after is not None:
        beyond = "(sort_key < ? OR (sort_key = ? AND case_id > ?))"
        parameters += [after[0], after[0], after[1]]
    sql = f"""
    SELECT * FROM (
      SELECT {_COLUMNS}, {key} AS sort_key
      FROM {reader.open_cases} WHERE {where.sql} AND {chosen.sql}
    ) AS sorted
    WHERE {beyond} ORDER BY sort_key DESC, case_id LIMIT {limit:d}"""
    return sql, parameters


def top_cases(
    reader: Reader, desk: Desk, filters: QueueFilters, limit: int = 1, person: str = ""
) -> list[CaseRow]:
    """The first open cases of the queue as it is now; `person` is whom `owner=me` means."""
    now, snoozed = datetime.now(UTC), snoozed_now(reader, desk)
    return [
        case_row(row, now)
        for row in reader.rows(*queue_sql(reader, filters, person, now, snoozed, limit))
    ]


def snoozed_now(reader: Reader, desk: Desk) -> list[str]:
    """The ids of the open cases that are snoozed at the moment."""
    return snoozed_cases(reader, desk.active_snoozes(datetime.now(UTC)))


def queue_page(
    reader: Reader,
    filters: QueueFilters,
    person: str,
    snoozed: Sequence[str] = (),
    cursor: str | None = None,
    limit: int = 50,
    now: datetime | None = None,
) -> QueuePage:
    """A page of the queue with its facets; `snoozed` are the ids of the cases that are."""
    now = now or datetime.now(UTC)
    after = None
    if cursor:
        seconds, sort, key, case_id = cursors.decode(cursor, float, str, float, str)
        if sort != filters.sort:
            cursors.refuse()
        now, after = cursors.instant(seconds), (key, case_id)
    found = reader.rows(*queue_sql(reader, filters, person, now, snoozed, limit + 1, after))
    shown, following = found[:limit], None
    if len(found) > limit:
        last = shown[-1]
        following = cursors.encode(
            now.timestamp(), filters.sort, float(last["sort_key"]), last["case_id"]
        )
    groups = _groups(reader, filters, now, snoozed)
    matching = [g for g in groups if _fits(g, filters, person)]
    return QueuePage(
        cases=[case_row(row, now) for row in shown],
        total=sum(g["cases"] for g in matching),
        exposure=sum((Decimal(g["exposure"]) for g in matching), Decimal(0)),
        facets=_facets(groups, filters, person),
        snoozed=len(snoozed),
        as_of=now,
        next=following,
    )


def _groups(
    reader: Reader, filters: QueueFilters, now: datetime, snoozed: Sequence[str]
) -> list[dict[str, Any]]:
    """Open cases counted by all that the facets look at; few rows, however many cases."""
    where = condition(filters, now, snoozed)
    rows = reader.rows(
        f"""SELECT level, status, owner, patterns, COUNT(*) AS cases, SUM(exposure) AS exposure
        FROM {reader.open_cases} WHERE {where.sql} GROUP BY level, status, owner, patterns""",
        where.parameters,
    )
    return [
        {**row, "owner": row["owner"] or NOBODY, "patterns": _names(row["patterns"])}
        for row in rows
    ]


def _fits(
    group: Mapping[str, Any], filters: QueueFilters, person: str, but: str | None = None
) -> bool:
    """Whether the chosen facets, one of them perhaps left out, let a group through."""
    owner = person if filters.owner == "me" else filters.owner
    return (
        (but == "level" or not filters.level or group["level"] in filters.level)
        and (but == "status" or not filters.status or group["status"] in filters.status)
        and (but == "owner" or not owner or group["owner"] == owner)
        and (
            but == "pattern"
            or not filters.pattern
            or not set(filters.pattern).isdisjoint(group["patterns"])
        )
    )


def _facets(groups: Iterable[Mapping[str, Any]], filters: QueueFilters, person: str) -> Facets:
    counts: dict[str, Counter[str]] = {name: Counter() for name in Facets.model_fields}
    for group in groups:
        for facet, counter in counts.items():
            if _fits(group, filters, person, but=facet):
                values = group["patterns"] if facet == "pattern" else [group[facet]]
                for value in values:
                    counter[value] += group["cases"]
    return Facets(**{name: dict(counter) for name, counter in counts.items()})
