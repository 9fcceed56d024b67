"""The queue: filters, facets, orders, pages that hold still, and snoozed cases."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.adapters.duckdb.store import DuckDBStore
from detector.console.http.problems import ProblemError
from detector.console.queries.filters import QueueFilters
from detector.console.queries.queue import snoozed_now, top_cases
from detector.console.queries.ranking import Ranking
from detector.console.queue.model import QueuePage, queue_page
from tests.build import SHIPPED, online, records, stored
from tests.console.backlog import KIM, LEE, NOW, SAM, case, clear, fire, put, row_of
from tests.console.harness import Harness
from tests.people import act


def filled(path: Path) -> DuckDBStore:
    """Six cases that differ in everything one can filter by; kim has 3, lee escalated 4."""
    store = DuckDBStore(path / "fraud.duckdb", SHIPPED)
    cases = [
        case(1, level="critical", score=0.9, patterns="velocity, cnp_spike", age=5, due=15),
        case(2, patterns="structuring", exposure="9000.00", age=90),
        case(3, patterns="cnp_spike", age=200),
        case(4, level="critical", score=0.8, patterns="geo_impossible", age=10, due=15),
        case(5, patterns="velocity", exposure="0.00", age=1, account_ids="Acc_5%"),
        case(6, patterns="account_takeover", withdrawn=True),
    ]
    put(store, cases)
    fire(store, cases[0], "velocity")
    fire(store, cases[0], "cnp_spike")
    fire(store, cases[1], "structuring")
    people = store.people()
    act(people, KIM, row_of(store, f"case_{3:012x}"), "claim")
    act(people, LEE, row_of(store, f"case_{4:012x}"), "escalate")
    return store


@pytest.fixture(scope="module")
def backlog(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckDBStore]:
    """The six cases, to be looked at only."""
    with closing(filled(tmp_path_factory.mktemp("backlog"))) as store:
        yield store


@pytest.fixture
def own(tmp_path: Path) -> Iterator[DuckDBStore]:
    """The six cases, to do with as one likes."""
    with closing(filled(tmp_path)) as store:
        yield store


def page(store: DuckDBStore, cursor: str | None = None, limit: int = 50, **asked: Any) -> QueuePage:
    return queue_page(store, QueueFilters(**asked), "kim", (), cursor, limit, Ranking(NOW))


def numbers(found: QueuePage) -> list[int]:
    return [int(c.case_id.removeprefix("case_"), 16) for c in found.cases]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, {1, 2, 3, 4, 5, 6}),
        ({"level": ["critical"]}, {1, 4}),
        ({"level": ["critical", "high"]}, {1, 2, 3, 4, 5, 6}),
        ({"pattern": ["cnp_spike"]}, {1, 3}),
        ({"pattern": ["velocity", "structuring"]}, {1, 2, 5}),
        ({"pattern": ["spike"]}, set()),
        ({"status": ["NEW"]}, {1, 2, 5, 6}),
        ({"status": ["ESCALATED", "IN_REVIEW"]}, {3, 4}),
        ({"owner": "me"}, {3}),
        ({"owner": "kim"}, {3}),
        ({"owner": "none"}, {1, 2, 4, 5, 6}),
        ({"owner": "lee"}, set()),
        ({"min_age": 60}, {2, 3}),
        ({"max_age": 10}, {1, 4, 5}),
        ({"min_age": 5, "max_age": 90}, {1, 2, 4, 6}),
        ({"q": "CUST-3"}, {3}),
        ({"q": "cc_5%"}, {5}),
        ({"q": "case_000000000002"}, {2}),
        ({"q": "%"}, {5}),
        ({"level": ["critical"], "owner": "none", "pattern": ["cnp_spike"]}, {1}),
    ],
)
def test_each_filter_lets_through_what_it_says(
    backlog: DuckDBStore, asked: dict[str, Any], expected: set[int]
) -> None:
    """Filters narrow together; the total counts what they let through, on every page."""
    found = page(backlog, **asked)
    assert set(numbers(found)) == expected
    assert found.total == len(expected)
    assert page(backlog, limit=1, **asked).total == len(expected)
    assert found.exposure == sum(c.exposure for c in found.cases)


FACETS = {
    "level": ["critical", "high"],
    "pattern": ["velocity", "cnp_spike", "structuring", "geo_impossible", "account_takeover"],
    "status": ["NEW", "IN_REVIEW", "ESCALATED"],
}
CHOICES: list[dict[str, Any]] = [
    {},
    *({k: [v]} for k, values in FACETS.items() for v in values),
    {"owner": "none"},
]


@pytest.mark.parametrize("chosen", [{**a, **b} for a, b in combinations(CHOICES, 2)][::3])
def test_a_facet_counts_what_choosing_it_would_show(
    backlog: DuckDBStore, chosen: dict[str, Any]
) -> None:
    """The count beside a choice is the length of the queue with that choice instead."""
    facets = page(backlog, **chosen).facets.model_dump()
    for name, values in FACETS.items():
        for value in values:
            instead = page(backlog, **{**chosen, name: [value]})
            assert facets[name].get(value, 0) == instead.total, (name, value)
    for owner in ("none", "kim"):
        instead = page(backlog, **{**chosen, "owner": owner})
        assert facets["owner"].get(owner, 0) == instead.total


@pytest.mark.parametrize(
    ("sort", "first"),
    [("rank", 2), ("due", 3), ("oldest", 3), ("newest", 5), ("exposure", 2), ("score", 1)],
)
def test_each_order_puts_its_own_first(backlog: DuckDBStore, sort: str, first: int) -> None:
    """Every order can be chosen, and pages of one case each follow it to the end."""
    whole = numbers(page(backlog, sort=sort))
    assert whole[0] == first
    walked, cursor = [], None
    while True:
        step = page(backlog, cursor, 1, sort=sort)
        walked += numbers(step)
        cursor = step.next
        if cursor is None:
            break
    assert walked == whole


@settings(max_examples=40)
@given(
    backlog=st.lists(st.integers(1, 60), min_size=1, max_size=30, unique=True),
    arrivals=st.lists(st.lists(st.integers(61, 90), max_size=4), max_size=12),
    limit=st.integers(1, 5),
)
def test_paging_loses_and_doubles_nothing_while_cases_arrive(
    still: DuckDBStore, backlog: list[int], arrivals: list[list[int]], limit: int
) -> None:
    """Whatever arrives between two pages, each case that was there is shown exactly once."""
    clear(still)
    put(still, [case(n, exposure=f"{n * 7 % 13}.00") for n in backlog])
    seen: list[int] = []
    cursor, later = None, iter(arrivals)
    while True:
        # The clock moves on too: without the moment in the cursor, ranks would shift.
        now = NOW + timedelta(minutes=len(seen))
        step = queue_page(still, QueueFilters(), "kim", (), cursor, limit, Ranking(now))
        seen += numbers(step)
        cursor = step.next
        if cursor is None:
            break
        if new := next(later, []):
            put(still, [case(n, exposure=f"{n * 7 % 13}.00", age=0) for n in new])
    assert len(seen) == len(set(seen))
    assert set(backlog) <= set(seen)


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckDBStore]:
    with closing(DuckDBStore(tmp_path_factory.mktemp("pages") / "fraud.duckdb", SHIPPED)) as store:
        yield store


@pytest.mark.parametrize(
    "cursor", ["x", "bm90IGpzb24", "WzEsMl0", "W05hTiwicmFuayIsMS4wLCJjIl0", "é"]
)
def test_a_cursor_from_elsewhere_is_refused(backlog: DuckDBStore, cursor: str) -> None:
    """A cursor that no page gave out is a 422, not an error of the server."""
    with pytest.raises(ProblemError) as refusal:
        page(backlog, cursor)
    assert refusal.value.status == 422


def test_a_cursor_of_another_order_is_refused(backlog: DuckDBStore) -> None:
    """A page of one order says nothing about where another goes on."""
    cursor = page(backlog, limit=1).next
    with pytest.raises(ProblemError):
        page(backlog, cursor, sort="due")


def snoozed(store: DuckDBStore, pattern: str, kind: str, entity: str, minutes: int = 60) -> None:
    until = datetime.now(UTC) + timedelta(minutes=minutes)
    store.people().snoozes.add(SAM, pattern, kind, entity, until, "known")


@pytest.mark.parametrize(("kind", "entity"), [("account", "acc-2"), ("customer", "cust-2")])
def test_a_case_leaves_when_all_of_its_patterns_are_snoozed(
    own: DuckDBStore, kind: str, entity: str
) -> None:
    """It is counted, can be shown again, and comes back when the snooze is over."""
    snoozed(own, "structuring", kind, entity)
    ids = snoozed_now(own, own.people())
    assert ids == [f"case_{2:012x}"]

    def shown(snoozed: str) -> set[int]:
        filters = QueueFilters(snoozed=snoozed)
        return set(numbers(queue_page(own, filters, "kim", ids, ranking=Ranking(NOW))))

    assert shown("hide") == {1, 3, 4, 5, 6}
    assert shown("only") == {2}
    assert shown("show") == {1, 2, 3, 4, 5, 6}
    assert queue_page(own, QueueFilters(), "kim", ids, ranking=Ranking(NOW)).snoozed == 1
    (snooze,) = own.people().snoozes.all()
    own.people().snoozes.end(SAM, snooze.snooze_id)
    assert snoozed_now(own, own.people()) == []


def test_a_case_stays_while_one_pattern_is_awake(own: DuckDBStore) -> None:
    """Two patterns need two snoozes; account and customer may share the work."""
    own._connection.execute("UPDATE cases SET level = 'high' WHERE customer_id = 'cust-1'")
    snoozed(own, "velocity", "account", "acc-1")
    assert snoozed_now(own, own.people()) == []
    snoozed(own, "cnp_spike", "customer", "cust-1")
    assert snoozed_now(own, own.people()) == [f"case_{1:012x}"]


def test_a_critical_case_stays_whatever_is_snoozed(own: DuckDBStore) -> None:
    """No one person can make it disappear, pattern by pattern."""
    for pattern in ("velocity", "cnp_spike"):
        snoozed(own, pattern, "customer", "cust-1")
    assert snoozed_now(own, own.people()) == []


def test_a_card_is_snoozed_where_it_is_what_fired(tmp_path: Path) -> None:
    """A snooze for a card covers patterns that watched that card, and no other card's."""
    spend = [
        online(3 * n, account, customer_id=customer, card_token=card, amount="9.00")
        for account, customer, card in (
            ("acc-1", "cust-1", "card-1"),
            ("acc-2", "cust-2", "card-2"),
        )
        for n in range(12)
    ]
    stored(tmp_path / "fraud.duckdb", [records(spend)])
    with closing(DuckDBStore(tmp_path / "fraud.duckdb", SHIPPED)) as store:
        assert {c.customer_id for c in page(store).cases} == {"cust-1", "cust-2"}
        snoozed(store, "cnp_spike", "card", "card-1")
        assert snoozed_now(store, store.people()) == []
        snoozed(store, "velocity", "account", "acc-1")
        (hidden,) = snoozed_now(store, store.people())
        assert row_of(store, hidden)["customer_id"] == "cust-1"


def test_the_top_of_the_queue_leaves_snoozed_cases_out(own: DuckDBStore) -> None:
    """What one claims next is what the page shows first."""
    snoozed(own, "structuring", "account", "acc-2")
    (top,) = top_cases(own, own.people(), QueueFilters())
    shown = queue_page(own, QueueFilters(), "kim", snoozed_now(own, own.people()))
    assert top.case_id == shown.cases[0].case_id != f"case_{2:012x}"


def test_claiming_next_gives_each_user_another_case(tmp_path: Path) -> None:
    """Two users never get the same case, and the filters apply."""
    harness = Harness(tmp_path)
    kim, lee = harness.person("kim"), harness.person("lee")
    wanted = {case["case_id"] for case in harness.cases("high")}
    got = []
    for number in range(len(wanted) + 1):
        answer = (kim, lee)[number % 2].post("/v1/queue/next", json={"level": ["high"]})
        assert answer.status_code == 200
        got.append(answer.json()["case_id"])
    harness.close()
    assert got[-1] is None
    assert set(got[:-1]) == wanted
    assert len(got) == len(wanted) + 1


def test_escalated_cases_come_next_only_to_those_who_decide_them(tmp_path: Path) -> None:
    """An analyst is not handed what only a supervisor may close."""
    harness = Harness(tmp_path)
    (case, *others) = harness.cases("high")
    for other in [*others, *harness.cases("critical")]:
        act(harness.people, LEE, other, "claim")
    act(harness.people, LEE, case, "escalate")
    assert harness.person("kim").post("/v1/queue/next", json={}).json() == {"case_id": None}
    found = harness.person("sam").post("/v1/queue/next", json={}).json()
    harness.close()
    assert found == {"case_id": case["case_id"]}


@pytest.mark.parametrize(
    "query",
    ["level=severe", "min_age=-1", "status=CLOSED", "q=%00", "sort=luck", "limit=0", "limit=201"],
)
def test_a_wrong_filter_is_explained(harness: Harness, query: str) -> None:
    """A filter that means nothing is a 422 naming the field."""
    answer = harness.person("kim").get(f"/v1/cases?{query}")
    assert answer.status_code == 422
    assert query.partition("=")[0] in answer.json()["detail"]


def test_a_form_with_empty_fields_asks_for_nothing(harness: Harness) -> None:
    """Empty form fields are ignored."""
    kim = harness.person("kim")
    plain = kim.get("/v1/cases").json()
    blank = kim.get("/v1/cases?level=&pattern=&owner=&min_age=&max_age=&q=&sort=").json()
    assert [c["case_id"] for c in blank["cases"]] == [c["case_id"] for c in plain["cases"]]


@pytest.fixture(scope="module")
def harness(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    """A bank's console, to be looked at only."""
    with closing(Harness(tmp_path_factory.mktemp("harness"))) as harness:
        yield harness
