"""The closed cases, page by page, as a random sample for quality checks, or as CSV."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from detector.adapters.people.closings import ClosingFilter, Closings
from detector.cases.review import Disposition
from detector.console.http import cursor as cursors
from detector.console.http.fields import Name, without_blanks
from detector.core.names import Names


class ClosedFilters(BaseModel):
    """The filters of the closed cases, as in the query string of the page. Empty means none."""

    model_config = ConfigDict(frozen=True)

    disposition: list[Disposition] = Field([], description="Any of these dispositions.")
    by: Name | None = Field(None, description="Who closed it or approved the closing.")
    since: date | None = Field(None, description="First day of the closing, UTC.")
    until: date | None = Field(None, description="Last day of the closing, UTC.")
    q: Name | None = Field(None, description="Part of the id of the case or the customer.")

    @model_validator(mode="before")
    @classmethod
    def _drop_blanks(cls, data: Any) -> Any:
        return without_blanks(data) if isinstance(data, Mapping) else data

    def wanted(self) -> ClosingFilter:
        """The same for the store."""
        return ClosingFilter(
            self.disposition,
            self.by,
            _midnight(self.since),
            _midnight(self.until and min(self.until, date.max - _DAY) + _DAY),
            self.q,
        )


class ClosedQuery(ClosedFilters):
    """The filters and the page, or the size of a sample."""

    sample: Annotated[int, Field(ge=1, le=200)] | None = Field(
        None, description="As many cases at random instead of the latest."
    )
    seed: Name | None = Field(None, description="Repeats a sample; by default the day, UTC.")
    cursor: Annotated[
        str | None, Field(max_length=400, description="`next` of the page before.")
    ] = None
    limit: Annotated[int, Field(ge=1, le=200, description="Most cases on a page.")] = 50


class ClosedCaseRow(BaseModel):
    """A closed case: the decision, and the facts as of the closing, money in the base currency."""

    case_id: str
    customer_id: str
    disposition: Disposition
    closed_by: str
    approved_by: str | None = Field(description="The second person, where four eyes were needed.")
    closed_at: datetime
    reason: str | None
    opened_at: datetime
    level: str
    score: float
    patterns: Names
    account_ids: Names
    exposure: Decimal
    already_gone: Decimal


class ClosedPage(BaseModel):
    """A page, latest closed first, or a sample. `next` is the cursor of the following page."""

    cases: list[ClosedCaseRow]
    total: int
    by_disposition: dict[str, int]
    seed: str | None
    next: str | None


def closed_page(closings: Closings, query: ClosedQuery, now: datetime) -> ClosedPage:
    """The closed cases that match."""
    wanted, following, seed = query.wanted(), None, None
    if query.sample is not None:
        seed = query.seed or now.date().isoformat()
        shown = closings.sample(wanted, query.sample, seed)
    else:
        after = cursors.event(query.cursor) if query.cursor else None
        found = closings.latest(wanted, query.limit + 1, after)
        shown = found[: query.limit]
        if len(found) > query.limit:
            following = cursors.after_event(shown[-1]["closed_at"], shown[-1]["case_id"])
    counts = closings.counts(wanted)
    return ClosedPage(
        cases=[ClosedCaseRow.model_validate(row) for row in shown],
        total=sum(counts.values()),
        by_disposition=counts,
        seed=seed,
        next=following,
    )


_DAY = timedelta(days=1)


def _midnight(day: date | None) -> datetime | None:
    return datetime.combine(day, time(), UTC) if day else None
