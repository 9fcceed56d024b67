"""What the pages ask is SQL that DuckDB and RisingWave both understand."""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, get_args
from unittest.mock import MagicMock

import pytest
import sqlglot
from sqlglot import exp

from detector.adapters.duckdb.store import DuckDBStore
from detector.adapters.questions import QUESTIONS, ask
from detector.adapters.risingwave import RisingWave
from detector.cases.review import Review
from detector.console.case.model import case_file
from detector.console.context import assemble
from detector.console.lists.model import list_values
from detector.console.overview.model import overview
from detector.console.party.model import account_file, customer_file
from detector.console.patterns.model import patterns
from detector.console.queries.filters import QueueFilters, Sort
from detector.console.queries.signals import signal_list
from detector.console.queries.snoozed import snoozed_cases
from detector.console.queue.model import queue_page
from detector.console.search.model import search
from detector.console.settings import ConsoleSettings
from tests.build import SHIPPED
from tests.console.backlog import NOW, SAM
from tests.dbt.lint import lint_statement


class Recorder:
    """A reader that remembers what was asked, and that DuckDB answered."""

    open_cases = "mv_open_fraud_cases"  # what RisingWave is asked

    def __init__(self, store: DuckDBStore) -> None:
        self._store = store
        self.asked: set[str] = set()

    def hold(self) -> None:
        self._store.hold()

    def answer(self, sql: str) -> tuple[list[str], list[Any]]:
        return self._store.answer(sql)

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[dict[str, Any]]:
        self.asked.add(sql)
        return self._store.rows(sql, parameters)


@pytest.fixture(scope="module")
def asked(full_store: DuckDBStore) -> Iterator[set[str]]:
    """Every query behind the pages and snoozes."""
    reader, people = Recorder(full_store), full_store.people()
    snoozes = [
        people.snoozes.add(
            SAM, "cnp_spike", kind, entity, datetime.now(UTC) + timedelta(hours=1), "known"
        )
        for kind, entity in (("account", "acc-3"), ("customer", "cust-3"), ("card", "card-3"))
    ]
    snoozed_cases(reader, snoozes)
    for snooze in snoozes:
        people.snoozes.end(SAM, snooze.snooze_id)
    narrow = QueueFilters(
        level=["high"], pattern=["velocity"], status=["NEW"], owner="none", min_age=0,
        max_age=10**6, q="acc",
    )  # fmt: skip
    for sort in get_args(Sort):
        filters = narrow.model_copy(update={"sort": sort})
        queue_page(reader, filters, "kim", ["case_x"])
        page = queue_page(reader, QueueFilters(sort=sort), "kim", ["case_x"], limit=1)
        queue_page(reader, QueueFilters(sort=sort), "kim", ["case_x"], page.next, 1)
    for row in full_store.rows("SELECT case_id FROM mv_open_fraud_cases"):
        case_file(reader, people, SHIPPED, SAM, row["case_id"], NOW)
        list_values(reader, people, SHIPPED, SAM, row["case_id"], NOW)
    account = account_file(reader, people, SHIPPED, "acc-3", limit=5)
    account_file(reader, people, SHIPPED, "acc-3", account.next, 5)
    customer_file(reader, people, "cust-1")
    among = {"pattern": ["velocity"], "severity": ["MEDIUM"], "account_id": [], "customer_id": []}
    signal_list(reader, among, NOW, (NOW, "x"))
    search(reader, people, "acc-3")
    search(reader, people, "acc-")
    search(reader, people, "1111")
    context = assemble(SHIPPED, ConsoleSettings(_env_file=None), reader, people, b"tests only")
    overview(context)
    for name in QUESTIONS:
        ask(reader, name)
    patterns(context)
    yield reader.asked


@pytest.mark.parametrize("dialect", ["duckdb", "risingwave", "postgres"])
def test_every_query_parses(asked: set[str], dialect: str) -> None:
    """In each dialect, with nothing left over that the parser took for an unknown command."""
    assert len(asked) > 25
    for sql in asked:
        tree = sqlglot.parse_one(sql.replace("?", "'x'"), dialect=dialect)
        assert isinstance(tree, exp.Query), sql


def test_no_query_uses_what_only_one_of_them_has(asked: set[str]) -> None:
    """No QUALIFY, no list functions, no function whose name the parser does not know."""
    only_duckdb = (exp.Qualify, exp.ArgMax, exp.ArgMin, exp.Unnest, exp.Lambda, exp.Anonymous)
    for sql in asked:
        tree = sqlglot.parse_one(sql.replace("?", "'x'"), dialect="duckdb")
        assert list(tree.find_all(*only_duckdb)) == [], sql


def test_the_linter_of_the_models_passes_them(asked: set[str]) -> None:
    """Every rule that was learned on a running RisingWave and is not about streams."""
    assert {sql: found for sql in asked if (found := lint_statement(sql.replace("?", "'x'")))} == {}


def test_the_linter_passes_what_writes_a_review(monkeypatch: pytest.MonkeyPatch) -> None:
    """An UPDATE, and an INSERT where there was nothing to update; values travel apart."""
    pool = MagicMock()
    execute = pool.return_value.connection.return_value.__enter__.return_value.execute
    execute.return_value.rowcount = 0
    monkeypatch.setattr("detector.adapters.risingwave.ConnectionPool", pool)
    RisingWave("postgresql://nowhere").put(Review("case_x", owner="kim", reviewed_at=NOW))
    told = [call.args[0] for call in execute.call_args_list]
    assert [sql.split()[0] for sql in told] == ["UPDATE", "INSERT"]
    for sql in told:
        assert "kim" not in sql
        assert lint_statement(re.sub(r"%\(\w+\)s", "'x'", sql)) == []
    assert lint_statement("UPDATE case_reviews SET owner = 'kim'") != []


def test_values_are_never_written_into_a_query(asked: set[str]) -> None:
    """Nothing that was asked for stands in the text: it travels as a parameter."""
    for sql in asked:
        # Columns and views that are named after patterns.
        sql = re.sub(r"\b(signals|mv)_\w+", "", sql)
        for value in ("acc-3", "cust-1", "card-3", "velocity", "cnp_spike", "kim", "case_x"):
            assert value not in sql
