"""The pages of accounts, customers and signals, and of the search."""

from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from detector.console.context import InContext
from detector.console.dossiers import AccountDossier, CustomerDossier
from detector.console.filters import Name
from detector.console.reads import (
    Cursor,
    Id,
    Reading,
    SignalQuery,
    find,
    get_account,
    get_customer,
    list_signals,
)
from detector.console.rendering import render
from detector.console.sayings import Saying, of_event
from detector.console.search import SearchPage
from detector.console.signal_page import SEVERITIES, SignalFilters, SignalsPage
from detector.core.rules import Rules

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class PartyView:
    """Everything party.html may use: an account or a customer."""

    kind: str
    id: str
    dossier: AccountDossier | CustomerDossier
    account_ids: list[str]
    customer_id: str | None
    history: list[Saying]
    older_href: str | None
    later: bool
    rules: Rules
    nav: str = ""

    def scores(self) -> dict[str, Any]:
        """What the chart of an account's score draws."""
        assert isinstance(self.dossier, AccountDossier)
        levels = sorted((low, name) for name, low in self.rules.risk.levels.items())
        tops = [*(low for low, _ in levels[1:]), 1.0]
        return {
            "points": [point.model_dump(mode="json") for point in self.dossier.scores],
            "levels": [
                {"level": name, "from": low, "to": top}
                for (low, name), top in zip(levels, tops, strict=True)
            ],
            "window_seconds": self.rules.risk.window_seconds,
        }

    @property
    def title(self) -> str:
        """The title of the page."""
        return f"{self.kind.capitalize()} {self.id}"


class Choice(NamedTuple):
    """One choice of a filter and where it leads."""

    id: str
    href: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class SignalsView:
    """Everything signals.html may use."""

    filters: SignalFilters
    page: SignalsPage
    patterns: list[Choice]
    severities: list[Choice]
    older_href: str | None
    first_href: str
    later: bool
    nav: str = "signals"
    title: str = "Signals"


@dataclass(frozen=True, slots=True)
class SearchView:
    """Everything search.html may use."""

    found: SearchPage
    nav: str = ""
    title: str = "Search"


@router.get("/accounts/{account_id:path}")
def account_page(
    request: Request, context: InContext, person: Reading, account_id: Id, cursor: Cursor = None
) -> Response:
    """One account."""
    dossier = get_account(context, person, account_id, cursor)
    view = PartyView(
        kind="account",
        id=account_id,
        dossier=dossier,
        account_ids=dossier.profile.account_ids if dossier.profile else [account_id],
        customer_id=dossier.customer_id,
        history=[of_event(event) for event in dossier.events],
        older_href=f"?cursor={dossier.next}#history" if dossier.next else None,
        later=cursor is not None,
        rules=context.rules,
    )
    return render(request, "party.html", view)


@router.get("/customers/{customer_id:path}")
def customer_page(
    request: Request, context: InContext, person: Reading, customer_id: Id, cursor: Cursor = None
) -> Response:
    """One customer."""
    dossier = get_customer(context, person, customer_id, cursor)
    view = PartyView(
        kind="customer",
        id=customer_id,
        dossier=dossier,
        account_ids=dossier.account_ids,
        customer_id=None,
        history=[of_event(event) for event in dossier.events],
        older_href=f"?cursor={dossier.next}#history" if dossier.next else None,
        later=cursor is not None,
        rules=context.rules,
    )
    return render(request, "party.html", view)


@router.get("/signals")
def signals_page(
    request: Request, context: InContext, person: Reading, query: Annotated[SignalQuery, Query()]
) -> Response:
    """What fired."""
    page = list_signals(context, person, query)
    here = _href(query)
    view = SignalsView(
        filters=query,
        page=page,
        patterns=_choices(query, "pattern", list(context.rules.patterns)),
        severities=_choices(query, "severity", list(SEVERITIES)),
        older_href=f"{here}{'&' if '?' in here else '?'}cursor={page.next}" if page.next else None,
        first_href=here,
        later=query.cursor is not None,
    )
    return render(request, "signals.html", view)


@router.get("/search")
def search_page(
    request: Request, context: InContext, person: Reading, q: Annotated[Name, Query()] = ""
) -> Response:
    """What an id stands for; a single find with a page of its own is opened at once."""
    found = find(context, person, q)
    if len(found.hits) == 1 and found.hits[0].href:
        return RedirectResponse(found.hits[0].href, 303)
    return render(request, "search.html", SearchView(found))


def _href(filters: SignalFilters, **changes: Any) -> str:
    wanted = SignalFilters.model_validate({**filters.model_dump(), **changes})
    query = wanted.model_dump(
        mode="json", exclude_defaults=True, include=set(SignalFilters.model_fields)
    )
    return "/signals" + (f"?{urlencode(query, doseq=True, quote_via=quote)}" if query else "")


def _choices(filters: SignalFilters, name: str, values: list[str]) -> list[Choice]:
    chosen: list[str] = getattr(filters, name)
    return [
        Choice(
            value,
            _href(
                filters,
                **{
                    name: [v for v in chosen if v != value] if value in chosen else [*chosen, value]
                },
            ),
            value in chosen,
        )
        for value in dict.fromkeys([*values, *chosen])
    ]
