"""The pages of accounts and customers, also as JSON."""

from fastapi import APIRouter, Request, Response

from detector.console.access.permissions import Reads
from detector.console.context import InContext
from detector.console.http.fields import Cursor, Id, Limit
from detector.console.http.problems import problems
from detector.console.party.model import (
    AccountFile,
    CustomerFile,
    account_file,
    customer_file,
)
from detector.console.party.view import party_view
from detector.console.shell.rendering import render

router = APIRouter()


@router.get(
    "/v1/accounts/{account_id:path}",
    operation_id="get_account",
    tags=["parties"],
    responses=problems(401, 403, 404, 422),
)
def get_account(
    context: InContext, _: Reads, account_id: Id, cursor: Cursor = None, limit: Limit = 50
) -> AccountFile:
    """An account: risk, cases, signals, cards, entities and a page of its history."""
    return account_file(context.reader, context.people, context.rules, account_id, cursor, limit)


@router.get(
    "/v1/customers/{customer_id:path}",
    operation_id="get_customer",
    tags=["parties"],
    responses=problems(401, 403, 404, 422),
)
def get_customer(
    context: InContext, _: Reads, customer_id: Id, cursor: Cursor = None, limit: Limit = 50
) -> CustomerFile:
    """A customer: profile, accounts, cases, signals, entities and a page of the history."""
    return customer_file(context.reader, context.people, customer_id, cursor, limit)


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
