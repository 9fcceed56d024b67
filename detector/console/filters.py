"""Which open cases an analyst wants to see, and in what order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from detector.console.ranking import RANK_SQL
from detector.core.rules import Level

OpenStatus = Literal["NEW", "IN_REVIEW", "ESCALATED", "PENDING_APPROVAL"]
Sort = Literal["rank", "due", "oldest", "newest", "exposure", "score"]

_EPOCH = "CAST(EXTRACT(EPOCH FROM {}) AS DOUBLE PRECISION)"
_OPENED = _EPOCH.format("COALESCE(opened_at, first_signal_at)")
# Every order is a number to be read from the highest down, so that one kind of cursor serves all.
SORT_SQL: dict[Sort, str] = {
    "rank": RANK_SQL,
    "due": f"COALESCE(-{_EPOCH.format('due_at')}, -1e18)",
    "oldest": f"-{_OPENED}",
    "newest": _OPENED,
    "exposure": "CAST(exposure AS DOUBLE PRECISION)",
    "score": "score",
}

Name = Annotated[str, Field(max_length=64, pattern=r"^[^\x00-\x1f\x7f]*$")]


class QueueFilters(BaseModel):
    """What the queue is narrowed to; the address of a page carries it. Empty means no limit."""

    model_config = ConfigDict(frozen=True)

    level: list[Level] = Field([], description="Any of these levels.")
    pattern: list[Name] = Field([], description="At least one of these patterns.")
    status: list[OpenStatus] = Field([], description="Any of these states.")
    owner: Name | None = Field(None, description="A name, `me`, or `none` for unowned cases.")
    min_age: Annotated[int, Field(ge=0, le=10_000_000)] | None = Field(
        None, description="Opened at least so many minutes ago."
    )
    max_age: Annotated[int, Field(ge=0, le=10_000_000)] | None = Field(
        None, description="Opened at most so many minutes ago."
    )
    q: Name | None = Field(None, description="Part of the id of the case, account or customer.")
    snoozed: Literal["hide", "show", "only"] = Field(
        "hide", description="Cases all of whose patterns are snoozed."
    )
    sort: Sort = Field("rank", description="What comes first.")

    @model_validator(mode="before")
    @classmethod
    def _drop_what_a_form_leaves_empty(cls, data: Any) -> Any:
        return without_blanks(data) if isinstance(data, Mapping) else data


def without_blanks(data: Mapping[str, Any]) -> dict[str, Any]:
    """What was asked for, without what a form sends of fields that nobody filled in."""
    kept = {
        key: [v for v in value if v != ""] if isinstance(value, list) else value
        for key, value in data.items()
    }
    return {key: value for key, value in kept.items() if value not in ("", None, [])}


@dataclass(slots=True)
class Where:
    """A condition in the making: tests joined by AND, and the parameters of their marks."""

    tests: list[str] = field(default_factory=list)
    parameters: list[Any] = field(default_factory=list)

    def add(self, test: str, *parameters: Any) -> None:
        """One more test that must hold."""
        self.tests.append(test)
        self.parameters.extend(parameters)

    def among(self, column: str, values: Sequence[Any], but: bool = False) -> None:
        """The column is (or is not) one of the values."""
        marks = ", ".join("?" * len(values))
        self.add(f"{column} {'NOT ' if but else ''}IN ({marks})", *values)

    @property
    def sql(self) -> str:
        """The condition."""
        return " AND ".join(self.tests) or "TRUE"


def condition(filters: QueueFilters, now: datetime, snoozed: Sequence[str]) -> Where:
    """What a row of `mv_open_fraud_cases` must meet before any facet narrows it further."""
    where = Where()
    opened = "COALESCE(opened_at, first_signal_at)"
    if filters.min_age is not None:
        where.add(f"{opened} <= ?", now - timedelta(minutes=filters.min_age))
    if filters.max_age is not None:
        where.add(f"{opened} >= ?", now - timedelta(minutes=filters.max_age))
    if filters.q:
        ids = "LOWER(case_id || ' ' || account_id || ' ' || customer_id)"
        where.add(f"POSITION(? IN {ids}) > 0", filters.q.lower())
    if filters.snoozed == "hide" and snoozed:
        where.among("case_id", snoozed, but=True)
    if filters.snoozed == "only":
        where.among("case_id", snoozed or [""])
    return where


def facet_condition(filters: QueueFilters, person: str) -> Where:
    """What the chosen facets ask of a row beside `condition`."""
    where = Where()
    if filters.level:
        where.among("level", filters.level)
    if filters.status:
        where.among("status", filters.status)
    if filters.owner == "none":
        where.add("owner IS NULL")
    elif filters.owner:
        where.add("owner = ?", person if filters.owner == "me" else filters.owner)
    if filters.pattern:
        holds = "POSITION(? IN ', ' || patterns || ',') > 0"
        where.add(
            f"({' OR '.join([holds] * len(filters.pattern))})",
            *(f", {pattern}," for pattern in filters.pattern),
        )
    return where
