"""The pages of the queue, of cases, accounts, customers and signals, and of the search."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from detector.console.case_view import case_view
from detector.console.casefile import case_file
from detector.console.context import Context, InContext
from detector.console.filters import Name
from detector.console.party_views import AccountView, CustomerView
from detector.console.queue_view import queue_view
from detector.console.reads import (
    Cursor,
    Id,
    QueueQuery,
    Reading,
    SignalQuery,
    get_account,
    get_customer,
    list_signals,
    queue_of,
)
from detector.console.rendering import render
from detector.console.search import search
from detector.console.security import Person
from detector.console.signal_view import SignalsView, SearchView

router = APIRouter(include_in_schema=False)
