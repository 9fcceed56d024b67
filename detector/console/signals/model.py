"""A page of the list of signals."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

from detector.console.http import cursor as cursors
from detector.console.http.fields import Moment, Name, without_blanks
from detector.console.queries.signals import SignalRow, signal_list
from detector.pipeline.ports import Reader

Severity = Literal["LOW", "MEDIUM", "HIGH", "CRITICAL"]
SEVERITIES: tuple[Severity, ...] = get_args(Severity)


class SignalFilters(BaseModel):
    """The filters of the list of signals; empty means no filter."""

    model_config = ConfigDict(frozen=True)

    pattern: list[Name] = Field([], description="Any of these patterns.")
    severity: list[Severity] = Field([], description="Any of these severities.")
    account: Name | None = Field(None, description="An account.")
    customer: Name | None = Field(None, description="A customer.")
    since: Moment | None = Field(
        None, description="From this time on; UTC unless it has an offset."
    )

    @model_validator(mode="before")
    @classmethod
    def _drop_blanks(cls, data: Any) -> Any:
        return without_blanks(data) if isinstance(data, Mapping) else data


class SignalQuery(SignalFilters):
    """The filters of the list of signals, and the page."""

    cursor: Annotated[
        str | None, Field(max_length=400, description="`next` of the page before.")
    ] = None
    limit: Annotated[int, Field(ge=1, le=500, description="Most signals on a page.")] = 100


class SignalsPage(BaseModel):
    """A page of signals. `next` is the cursor of the older ones."""

    signals: list[SignalRow]
    next: str | None


def signals_page(
    reader: Reader, filters: SignalFilters, cursor: str | None = None, limit: int = 100
) -> SignalsPage:
    """The newest signals that match, or those after a cursor."""
    among: dict[str, Sequence[str]] = {
        "pattern": filters.pattern,
        "severity": filters.severity,
        "account_id": [filters.account] if filters.account else [],
        "customer_id": [filters.customer] if filters.customer else [],
    }
    before = cursors.event(cursor) if cursor else None
    found = signal_list(reader, among, filters.since, before, limit + 1)
    following = None
    if len(found) > limit:
        following = cursors.after_event(found[limit - 1].occurred_at, found[limit - 1].signal_id)
    return SignalsPage(signals=found[:limit], next=following)
