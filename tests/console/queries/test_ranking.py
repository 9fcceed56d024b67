"""The rank of a case: what SQL computes is what the page explains."""

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.adapters.duckdb.store import DuckDBStore
from detector.console.queries.filters import QueueFilters
from detector.console.queries.ranking import Ranking
from detector.console.queue.model import queue_page
from detector.core.names import split
from tests.build import SHIPPED
from tests.console.backlog import NOW, case, clear, put


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckDBStore]:
    with closing(DuckDBStore(tmp_path_factory.mktemp("rank") / "fraud.duckdb", SHIPPED)) as store:
        yield store


NAMES = ["velocity", "cnp_spike", "structuring"]
CASES = st.lists(
    st.builds(
        case,
        number=st.integers(1, 10**9),
        age=st.floats(-10, 500),
        due=st.sampled_from([15, 60]),
        exposure=st.decimals(0, 10**6, places=2).map(str),
        score=st.sampled_from([0.25, 0.5, 0.8, 0.95, 1.0]),
        patterns=st.lists(st.sampled_from(NAMES), min_size=1, unique=True).map(", ".join),
    ),
    max_size=12,
    unique_by=lambda c: c["case_id"],
)
DECIDED = st.lists(
    st.builds(
        lambda names, confirmed, refuted: {
            "patterns": ", ".join(names),
            "confirmed": confirmed,
            "decided": confirmed + refuted,
        },
        st.lists(st.sampled_from(NAMES), min_size=1, unique=True),
        st.integers(0, 50),
        st.integers(0, 50),
    ),
    max_size=6,
)


@settings(max_examples=60)
@given(CASES, DECIDED)
def test_the_queue_ranks_as_the_definition_says(
    store: DuckDBStore, cases: list[dict[str, Any]], decided: list[dict[str, Any]]
) -> None:
    """Exposure times the corrected score, then urgency, computed naively, give the same order."""
    clear(store)
    if cases:
        put(store, cases)

    def naive(c: dict[str, Any]) -> float:
        same = [d for d in decided if set(split(d["patterns"])) == set(split(c["patterns"]))]
        confirmed = sum(d["confirmed"] for d in same)
        likely = (confirmed + 10 * c["score"] ** 2) / (sum(d["decided"] for d in same) + 10)
        left = (c["due_at"] - NOW).total_seconds()
        whole = (c["due_at"] - c["opened_at"]).total_seconds()
        return float(int(float(c["exposure"]) * likely) + min(0.99, max(0, 1 - left / whole)))

    page = queue_page(store, QueueFilters(), "kim", ranking=Ranking.of(NOW, decided))
    ranks = {c["case_id"]: naive(c) for c in cases}
    assert {c.case_id for c in page.cases} == set(ranks)
    for found in page.cases:
        assert found.rank.rank == pytest.approx(ranks[found.case_id], abs=1.0)
    shown = [c.rank.rank for c in page.cases]
    assert all(a >= b or a == pytest.approx(b, abs=1.0) for a, b in pairwise(shown))


@pytest.mark.parametrize(
    ("minutes", "urgency"), [(-5, 0.0), (0, 0.0), (30, 0.5), (60, 0.99), (600, 0.99)]
)
def test_urgency_decides_between_equal_losses(minutes: float, urgency: float) -> None:
    """0 when a case opens, almost 1 when it is due: never as much as one unit of money."""
    opened, due = NOW, NOW + timedelta(hours=1)
    ranking = Ranking(NOW + timedelta(minutes=minutes))
    rank = ranking.rank(Decimal(20), 0.5, ["velocity"], opened, due)
    assert rank.urgency == pytest.approx(urgency)
    assert rank.rank == pytest.approx(5 + urgency)


def test_few_decisions_do_not_swing_the_likelihood() -> None:
    """One false positive takes 0.25 to 0.23, forty take it to 0.05."""
    for refuted, likely in ((1, 2.5 / 11), (40, 0.05)):
        decided = [{"patterns": "structuring", "confirmed": 0, "decided": refuted}]
        ranking = Ranking.of(NOW, decided)
        rank = ranking.rank(Decimal(100), 0.5, ["structuring"], NOW, NOW + timedelta(hours=1))
        assert rank.likelihood == pytest.approx(likely)
        assert rank.expected_loss == pytest.approx(100 * likely)


def test_the_page_explains_the_factors(tmp_path: Path) -> None:
    """What a row carries is what its rank follows from."""
    with closing(DuckDBStore(tmp_path / "fraud.duckdb", SHIPPED)) as store:
        put(store, [case(1, level="critical", score=0.8, exposure="250.00", age=45, due=90)])
        ranking = Ranking.of(NOW, [{"patterns": "velocity", "confirmed": 4, "decided": 10}])
        (found,) = queue_page(store, QueueFilters(), "kim", ranking=ranking).cases
    assert found.rank.model_dump() == {
        "exposure": 250.0, "score": 0.8, "confirmed": 4, "decided": 10,
        "likelihood": pytest.approx(0.52), "expected_loss": pytest.approx(130.0), "urgency": 0.5,
        "rank": pytest.approx(130.5),
    }  # fmt: skip
