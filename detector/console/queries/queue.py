"""Selects open cases in queue order."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from detector.adapters.people.store import PeopleStore
from detector.console.queries.cases import CaseFacts, CaseRow, case_row
from detector.console.queries.filters import QueueFilters, condition, facet_condition, sort_key
from detector.console.queries.ranking import Ranking
from detector.console.queries.snoozed import snoozed_cases
from detector.pipeline.ports import ConsoleReader
from detector.signals.rules import LEVELS

_COLUMNS = ", ".join(CaseFacts.model_fields)


def queue_sql(
    reader: ConsoleReader,
    filters: QueueFilters,
    username: str,
    ranking: Ranking,
    snoozed: Sequence[str] = (),
    limit: int = 50,
    after: tuple[float, str] | None = None,
) -> tuple[str, list[Any]]:
    """The query for the first `limit` open cases (after a position), and its parameters.

    `username` is the user meant by the filter `owner=me`.
    """
    key = sort_key(filters.sort, ranking)
    where, chosen = condition(filters, ranking.now, snoozed), facet_condition(filters, username)
    parameters = [*key.parameters, *where.parameters, *chosen.parameters]
    beyond = "TRUE"
    if after is not None:
        beyond = "(sort_key < ? OR (sort_key = ? AND case_id > ?))"
        parameters += [after[0], after[0], after[1]]
    sql = f"""
    SELECT * FROM (
      SELECT {_COLUMNS}, {key.text} AS sort_key
      FROM {reader.open_cases} WHERE {where.sql} AND {chosen.sql}
    ) AS sorted
    WHERE {beyond} ORDER BY sort_key DESC, case_id LIMIT {limit:d}"""
    return sql, parameters


def top_cases(
    reader: ConsoleReader,
    people: PeopleStore,
    filters: QueueFilters,
    limit: int = 1,
    username: str = "",
) -> list[CaseRow]:
    """The first open cases in the current queue."""
    ranking, snoozed = ranking_now(people), snoozed_now(reader, people)
    return [
        case_row(row, ranking)
        for row in reader.rows(*queue_sql(reader, filters, username, ranking, snoozed, limit))
    ]


def ranking_now(people: PeopleStore, now: datetime | None = None) -> Ranking:
    """The ranking by all decisions so far, now or at another time."""
    return Ranking.of(now or datetime.now(UTC), people.reviews.outcomes())


def snoozed_now(reader: ConsoleReader, people: PeopleStore) -> list[str]:
    """The ids of the open cases that are currently snoozed."""
    return snoozed_cases(reader, people.snoozes.active(datetime.now(UTC)))


def case_gauges(reader: ConsoleReader) -> dict[str, dict[tuple[str, ...], float]]:
    """The gauges of the open cases."""
    rows = reader.rows(
        f"SELECT level, COUNT(*) AS cases, SUM(CASE WHEN due_at < ? THEN 1 ELSE 0 END) AS overdue "
        f"FROM {reader.open_cases} GROUP BY level",
        [datetime.now(UTC)],
    )
    counts = dict.fromkeys(LEVELS, 0) | {row["level"]: row["cases"] for row in rows}
    return {
        "fraud_open_cases": {(level,): count for level, count in counts.items()},
        "fraud_overdue_cases": {(): sum(row["overdue"] for row in rows)},
    }
