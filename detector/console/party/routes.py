"""The pages of accounts and customers, also as JSON."""

from typing import TypeVar

from fastapi import APIRouter, Request, Response

from detector.cases.principals import Principal
from detector.cases.withheld import sees_decisions
from detector.console.access.permissions import Reads
from detector.console.context import InContext
from detector.console.http.fields import Cursor, Id, Limit
from detector.console.http.problems import problems
from detector.console.party.model import (
    AccountFile,
    CustomerFile,
    PartyFile,
    account_file,
    customer_file,
)
from detector.console.party.view import party_view
from detector.console.shell.rendering import render

router = APIRouter()
F = TypeVar("F", bound=PartyFile)


@router.get(
    "/v1/accounts/{account_id:path}",
    operation_id="get_account",
    tags=["parties"],
    responses=problems(401, 403, 404, 422),
)
def get_account(
    context: InContext,
    principal: Reads,
    account_id: Id,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> AccountFile:
    """An account: risk, cases, signals, cards, entities and a page of its history."""
    reader, people = context.reader, context.people
    return _for(principal, account_file(reader, people, context.rules, account_id, cursor, limit))


@router.get(
    "/v1/customers/{customer_id:path}",
    operation_id="get_customer",
    tags=["parties"],
    responses=problems(401, 403, 404, 422),
)
def get_customer(
    context: InContext,
    principal: Reads,
    customer_id: Id,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> CustomerFile:
    """A customer: profile, accounts, cases, signals, entities and a page of the history."""
    file = customer_file(context.reader, context.people, customer_id, cursor, limit)
    return _for(principal, file)


@router.get("/accounts/{account_id:path}", include_in_schema=False)
def account_page(
    request: Request, context: InContext, principal: Reads, account_id: Id, cursor: Cursor = None
) -> Response:
    """One account."""
    file = get_account(context, principal, account_id, cursor)
    return render(request, "party/page.html", party_view(file, context.rules, cursor is not None))


@router.get("/customers/{customer_id:path}", include_in_schema=False)
def customer_page(
    request: Request, context: InContext, principal: Reads, customer_id: Id, cursor: Cursor = None
) -> Response:
    """One customer."""
    file = get_customer(context, principal, customer_id, cursor)
    return render(request, "party/page.html", party_view(file, context.rules, cursor is not None))


def _for(principal: Principal, file: F) -> F:
    """The file as the principal may see it."""
    if sees_decisions(principal):
        return file
    closed = [case.model_copy(update={"disposition": None}) for case in file.closed_cases]
    return file.model_copy(update={"closed_cases": closed})
