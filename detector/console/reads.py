"""Reading cases, accounts, customers and signals: the JSON twins of the pages."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from pydantic import Field

from detector.console.casefile import CaseFile, case_file
from detector.console.context import Context, InContext
from detector.console.dossiers import (
    AccountDossier,
    CustomerDossier,
    account_dossier,
    customer_dossier,
)
from detector.console.filters import Name, QueueFilters
from detector.console.problems import problems
from detector.console.queue import QueuePage, queue_page, snoozed_now
from detector.console.search import SearchPage, search
from detector.console.security import Person, require
from detector.console.signal_page import SignalFilters, SignalsPage, signals_page

router = APIRouter(prefix="/v1")

Reading = Annotated[Person, Depends(require("read"))]
Id = Annotated[str, Path(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f]+$")]
Cursor = Annotated[str | None, Query(max_length=400, description="`next` of the page before.")]
Limit = Annotated[int, Query(ge=1, le=200, description="Most entries on a page.")]


class QueueQuery(QueueFilters):
    """The filters of the queue, and which page of it."""

    cursor: Annotated[
        str | None, Field(max_length=400, description="`next` of the page before.")
    ] = None
    limit: Annotated[int, Field(ge=1, le=200, description="Most cases on a page.")] = 50


class SignalQuery(SignalFilters):
    """The filters of the list of signals, and which page of it."""

    cursor: Annotated[
        str | None, Field(max_length=400, description="`next` of the page before.")
    ] = None
    limit: Annotated[int, Field(ge=1, le=500, description="Most signals on a page.")] = 100


def queue_of(context: Context, person: Person, query: QueueQuery) -> QueuePage:
    """The page of the queue that was asked for."""
    snoozed = snoozed_now(context.reader, context.desk)
    return queue_page(context.reader, query, person.name, snoozed, query.cursor, query.limit)


@router.get("/cases", operation_id="list_cases", tags=["cases"], responses=problems(401, 403, 422))
def list_cases(
    context: InContext, person: Reading, query: Annotated[QueueQuery, Query()]
) -> QueuePage:
    """The queue of open cases, the most pressing first."""
    return queue_of(context, person, query)


@router.get(
    "/cases/{case_id}",
    operation_id="get_case",
    tags=["cases"],
    responses=problems(401, 403, 404, 422),
)
def get_case(context: InContext, person: Reading, case_id: Id) -> CaseFile:
    """One case, open or closed, with all that helps to decide it."""
    return case_file(context.reader, context.desk, context.rules, person, case_id)


@router.get(
    "/accounts/{account_id:path}",
    operation_id="get_account",
    tags=["parties"],
    responses=problems(401, 403, 404, 422),
)
def get_account(
    context: InContext, person: Reading, account_id: Id, cursor: Cursor = None, limit: Limit = 50
) -> AccountDossier:
    """An account: risk, cases, signals, cards, entities and a page of its history."""
    return account_dossier(context.reader, context.desk, context.rules, account_id, cursor, limit)


@router.get(
    "/customers/{customer_id:path}",
    operation_id="get_customer",
    tags=["parties"],
    responses=problems(401, 403, 404, 422),
)
def get_customer(
    context: InContext, person: Reading, customer_id: Id, cursor: Cursor = None, limit: Limit = 50
) -> CustomerDossier:
    """A customer: profile, accounts, cases, signals, entities and a page of the history."""
    return customer_dossier(context.reader, context.desk, customer_id, cursor, limit)


@router.get(
    "/signals", operation_id="list_signals", tags=["signals"], responses=problems(401, 403, 422)
)
def list_signals(
    context: InContext, person: Reading, query: Annotated[SignalQuery, Query()]
) -> SignalsPage:
    """What fired, the newest first."""
    return signals_page(context.reader, query, query.cursor, query.limit)


@router.get("/search", operation_id="search", tags=["search"], responses=problems(401, 403, 422))
def find(
    context: InContext,
    person: Reading,
    q: Annotated[Name, Query(description="An id, or the beginning of a case's.")] = "",
) -> SearchPage:
    """What an id stands for."""
    return search(context.reader, context.desk, q)
