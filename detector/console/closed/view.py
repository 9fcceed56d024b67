"""The view of the closed cases: the filters as links and form fields."""

from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import urlencode

from detector.cases.review import DISPOSITIONS, Disposition
from detector.console.closed.model import ClosedFilters, ClosedPage, ClosedQuery

SAMPLE = 20
"""Cases in the sample that the page offers."""


@dataclass(frozen=True, slots=True)
class ClosedView:
    """Everything closed/page.html may use."""

    page: ClosedPage
    query: ClosedQuery
    usernames: list[str]
    title: str = "Closed cases"
    nav: str = "queue"
    sample_size: int = SAMPLE
    dispositions: ClassVar[tuple[Disposition, ...]] = DISPOSITIONS

    def href(self, path: str = "/cases/closed", **changed: Any) -> str:
        """A URL with the filters of this page and these fields."""
        return linked(path, self.query, **changed)

    @property
    def filtered(self) -> bool:
        """Whether a filter is active."""
        return bool(self.query.model_dump(exclude_defaults=True, include=_FILTERS))


_FILTERS = set(ClosedFilters.model_fields)


def linked(path: str, filters: ClosedFilters, **changed: Any) -> str:
    """The URL of a path with the filters and other fields; defaults are left out."""
    given = filters.model_dump(mode="json", exclude_defaults=True, include=_FILTERS)
    query = {name: value for name, value in {**given, **changed}.items() if value is not None}
    return path + (f"?{urlencode(query, doseq=True)}" if query else "")
