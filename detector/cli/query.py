"""Questions to a store, a running console or a cluster: risk, cases, kpis, fraud-rate, status."""

from pathlib import Path
from typing import Annotated

import typer
from pydantic import BaseModel

from detector.adapters.duckdb.sizes import sizes_of
from detector.adapters.questions import QUESTIONS, QuestionName, as_json, ask, statement
from detector.cli.ask_console import ConsoleClient, ask_console, console_of
from detector.cli.options import DEFAULT_STORE, AsJson, Store
from detector.cli.output import as_records, print_json, print_rows
from detector.cli.targets import ClusterUrl, Url, is_console, opened, without_secrets
from detector.core.errors import StoreInUse

AsSql = Annotated[
    bool, typer.Option("--sql", help="Print the SQL that answers, for psql on a cluster.")
]
Limit = Annotated[int, typer.Option(min=1, help="At most this many rows.")]


def risk(
    store: Store = DEFAULT_STORE,
    url: Url = None,
    limit: Limit = QUESTIONS["risk"].limit,
    json: AsJson = False,
    as_sql: AsSql = False,
) -> None:
    """Accounts by risk score, as of the last event."""
    _show("risk", store, url, limit, json, as_sql)


def cases(
    store: Store = DEFAULT_STORE,
    url: Url = None,
    limit: Limit = QUESTIONS["cases"].limit,
    json: AsJson = False,
    as_sql: AsSql = False,
) -> None:
    """Open cases, the most urgent first."""
    _show("cases", store, url, limit, json, as_sql)


def kpis(
    store: Store = DEFAULT_STORE,
    url: Url = None,
    limit: Limit = QUESTIONS["kpis"].limit,
    json: AsJson = False,
    as_sql: AsSql = False,
) -> None:
    """The newest minutes: fraud rate and signals by pattern."""
    _show("kpis", store, url, limit, json, as_sql)


def fraud_rate(
    store: Store = DEFAULT_STORE, url: Url = None, json: AsJson = False, as_sql: AsSql = False
) -> None:
    """The share of transactions at which a signal fired.

    In the last minute, the last hour, and over all.
    """
    _show("fraud-rate", store, url, None, json, as_sql)


def status(store: Store = DEFAULT_STORE, url: Url = None, json: AsJson = False) -> None:
    """Progress: events, signals, cases, watermark, positions."""
    [found] = _answer("status", store, url, None)
    place: dict[str, object] = {"store": without_secrets(url) if url else str(store)}
    if url is None:
        place["bytes"] = sizes_of(store)
    if json:
        print_json(place | as_json(found))
        return
    rows = []
    for name, value in (place | found.model_dump(exclude_unset=True)).items():
        if isinstance(value, dict):
            rows += [(f"{name}: {key}", part) for key, part in sorted(value.items())]
        else:
            rows.append((name, value))
    print_rows(QUESTIONS["status"].title, ["what", "value"], rows)


def sql(
    query: Annotated[str, typer.Argument(help="One SELECT over the store's views and tables.")],
    store: Store = DEFAULT_STORE,
    url: ClusterUrl = None,
    json: AsJson = False,
) -> None:
    """Run a read-only query on the store or on RisingWave.

    Also on the store of a running process.
    """
    try:
        with opened(store, url) as reader:
            columns, rows = reader.answer(query)
    except StoreInUse as error:
        columns, rows = console_of(store, error).post("/v1/sql", {"query": query}).values()
    if json:
        print_json(as_records(columns, rows))
    else:
        print_rows("", columns, rows)


def _show(
    name: QuestionName, store: Path, url: str | None, limit: int | None, json: bool, as_sql: bool
) -> None:
    """Print the rows that answer; the table has the first columns, JSON has all."""
    if as_sql:
        print(statement(name, limit))
        return
    rows = _answer(name, store, url, limit)
    if json:
        print_json([as_json(row) for row in rows])
    else:
        question = QUESTIONS[name]
        shown = [[getattr(row, column) for column in question.columns] for row in rows]
        print_rows(question.title, question.columns, shown)


def _answer(name: QuestionName, store: Path, url: str | None, limit: int | None) -> list[BaseModel]:
    if url is not None and is_console(url):
        return ask_console(ConsoleClient(url, store), name, limit)
    try:
        with opened(store, url) as reader:
            return ask(reader, name, limit)
    except StoreInUse as error:
        return ask_console(console_of(store, error), name, limit)
