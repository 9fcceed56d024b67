"""The rank of a case: what SQL computes is what the page explains."""

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.adapters.duckdb.store import DuckDBStore
from detector.console.queries.filters import QueueFilters
from detector.console.queries.ranking import rank_of
from detector.console.queue.model import queue_page
from tests.build import REAL
from tests.console.backlog import NOW, case, clear, put


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckDBStore]:
    with closing(DuckDBStore(tmp_path_factory.mktemp("rank") / "fraud.duckdb", REAL)) as store:
        yield store


CASES = st.lists(
    st.builds(
        case,
        number=st.integers(1, 10**9),
        age=st.floats(-10, 500),
        due=st.sampled_from([None, 15, 60]),
        exposure=st.decimals(0, 10**6, places=2).map(str),
        score=st.sampled_from([0.25, 0.5, 0.8, 0.95, 1.0]),
        level=st.sampled_from(["critical", "high", "medium", "low"]),
    ),
    max_size=12,
    unique_by=lambda c: c["case_id"],
)


@settings(max_examples=60)
@given(CASES)
def test_the_queue_ranks_as_the_definition_says(
    store: DuckDBStore, cases: list[dict[str, Any]]
) -> None:
    """Exposure (1 at least), score, level and urgency, multiplied naively, give the same order."""
    clear(store)
    if cases:
        put(store, cases)

    def naive(c: dict[str, Any]) -> float:
        urgency = 1.0
        if c["due_at"] is not None:
            left = (c["due_at"] - NOW).total_seconds()
            whole = (c["due_at"] - c["opened_at"]).total_seconds()
            urgency = 1 + min(2, max(0, 1 - left / whole))
        weight = {"critical": 4, "high": 2}.get(c["level"], 1)
        return float(max(1.0, float(c["exposure"])) * c["score"] * weight * urgency)

    page = queue_page(store, QueueFilters(), "kim", now=NOW)
    ranks = {c["case_id"]: naive(c) for c in cases}
    assert {c.case_id for c in page.cases} == set(ranks)
    for found in page.cases:
        assert found.rank.rank == pytest.approx(ranks[found.case_id])
    shown = [ranks[c.case_id] for c in page.cases]
    assert all(a >= b or a == pytest.approx(b) for a, b in pairwise(shown))


@pytest.mark.parametrize(
    ("minutes", "urgency"), [(-5, 1.0), (0, 1.0), (30, 1.5), (60, 2.0), (120, 3.0), (600, 3.0)]
)
def test_urgency_rises_from_one_to_three(minutes: float, urgency: float) -> None:
    """1 when a case opens, 2 when it is due, 3 when it is overdue by as long again."""
    opened, due = NOW, NOW + timedelta(hours=1)
    rank = rank_of(10.0, 0.5, "high", opened, due, NOW + timedelta(minutes=minutes))
    assert rank.urgency == urgency
    assert rank.rank == pytest.approx(10.0 * 0.5 * 2 * urgency)


def test_a_case_without_money_still_ranks() -> None:
    """An exposure under a dollar counts as one dollar."""
    assert rank_of(0.0, 0.5, "critical", None, None, NOW).rank == 2.0


def test_the_page_explains_the_factors(tmp_path: Path) -> None:
    """The factors that a row carries multiply to its rank."""
    with closing(DuckDBStore(tmp_path / "fraud.duckdb", REAL)) as store:
        put(store, [case(1, level="critical", score=0.8, exposure="250.00", age=45, due=15)])
        (found,) = queue_page(store, QueueFilters(), "kim", now=NOW).cases
    assert found.rank.model_dump() == {
        "exposure": 250.0, "score": 0.8, "level_weight": 4, "urgency": 3.0, "rank": 2400.0,
    }  # fmt: skip
