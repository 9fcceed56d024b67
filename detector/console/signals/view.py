"""The view of the list of signals."""

from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from detector.console.signals.model import SEVERITIES, SignalFilters, SignalQuery, SignalsPage


class Choice(NamedTuple):
    """One value of a filter, and its link."""

    id: str
    href: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class SignalsView:
    """Everything signals/page.html may use."""

    filters: SignalFilters
    page: SignalsPage
    patterns: list[Choice]
    severities: list[Choice]
    older_href: str | None
    first_href: str
    later: bool
    nav: str = "signals"
    title: str = "Signals"

    @property
    def export_href(self) -> str:
        """The same list as CSV."""
        return "/v1/signals.csv" + self.first_href.removeprefix("/signals")


def signals_view(page: SignalsPage, query: SignalQuery, patterns: list[str]) -> SignalsView:
    """A page of signals with its filters."""
    here = _href(query)
    return SignalsView(
        filters=query,
        page=page,
        patterns=_choices(query, "pattern", patterns),
        severities=_choices(query, "severity", list(SEVERITIES)),
        older_href=f"{here}{'&' if '?' in here else '?'}cursor={page.next}" if page.next else None,
        first_href=here,
        later=query.cursor is not None,
    )


def _href(filters: SignalFilters, **changes: Any) -> str:
    wanted = SignalFilters.model_validate({**filters.model_dump(), **changes})
    query = wanted.model_dump(
        mode="json", exclude_defaults=True, include=set(SignalFilters.model_fields)
    )
    return "/signals" + (f"?{urlencode(query, doseq=True, quote_via=quote)}" if query else "")


def _choices(filters: SignalFilters, name: str, values: list[str]) -> list[Choice]:
    chosen: list[str] = getattr(filters, name)

    def toggled(value: str) -> list[str]:
        return [v for v in chosen if v != value] if value in chosen else [*chosen, value]

    return [
        Choice(value, _href(filters, **{name: toggled(value)}), value in chosen)
        for value in dict.fromkeys([*values, *chosen])
    ]
