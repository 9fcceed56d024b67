"""What is usual for a customer: earlier payments, and how those of the case differ."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from detector.adapters.duckdb.store import DuckDBStore
from detector.console.case.usual import usual_strip
from detector.console.queries.usual import MOST_PAYMENTS, Usual, usual_for
from tests import build

DAY = 86_400
CASE = build.moment(10 * DAY)
LOG = [
    *(
        build.online(
            n * DAY / 2, event_id=f"p{n}", amount=f"{10 + n}.00", city="Sydney", device_id="d-1",
            merchant_category="5411",
        )
        for n in range(20)
    ),
    build.online(5, event_id="declined", amount="900.00", status="DECLINED"),
    build.cash(6, event_id="deposit", amount="9500.00"),
    build.online(7, "acc-9", event_id="stranger", customer_id="cust-9", amount="7777.00"),
    build.online(
        10 * DAY + 1, event_id="now", amount="195.00", city="Perth", device_id="d-9",
        merchant_category="5411", payee_id="p-1",
    ),
    build.online(10 * DAY + 2, event_id="after", amount="3.00"),
]  # fmt: skip


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckDBStore]:
    """Ten days of a customer, then a payment that is unlike the others."""
    path = tmp_path_factory.mktemp("usual") / "fraud.duckdb"
    build.stored(path, build.split(build.records(LOG), [7]))
    with closing(DuckDBStore(path, build.SHIPPED)) as kept:
        yield kept


def usual(store: DuckDBStore, *fired: str, customer: str = "cust-1") -> Usual:
    """What is usual before the case."""
    found = usual_for(store, customer, CASE, fired, UTC)
    assert found is not None
    return found


def test_amounts_are_those_of_approved_spending(store: DuckDBStore) -> None:
    """10.00 to 29.00: the median is 19.50 and the 95th percentile 28.00."""
    found = usual(store, "now")
    assert (found.payments, found.since) == (20, build.moment(0))
    assert found.amounts is not None
    assert (found.amounts.usual, found.amounts.most) == (Decimal("19.50"), Decimal("28.00"))
    assert (found.amounts.now, found.amounts.times) == ([Decimal("195.00")], 10.0)
    assert found.amounts.unusual


def test_a_value_that_earlier_payments_lack_is_unusual(store: DuckDBStore) -> None:
    """A known category is not; a payee where there was none before is."""
    habits = {habit.name: habit for habit in usual(store, "now").habits}
    assert [(v.value, v.count) for v in habits["place"].usual] == [("Sydney", 20)]
    assert [(v.value, v.count, v.unusual) for v in habits["place"].now] == [("Perth", 0, True)]
    assert [(v.value, v.unusual) for v in habits["device"].now] == [("d-9", True)]
    assert [(v.value, v.unusual) for v in habits["merchant category"].now] == [("5411", False)]
    payee = habits["payee"]
    assert (payee.payments, payee.usual, payee.now[0].unusual) == (0, [], True)


def test_hours_are_those_of_the_bank(store: DuckDBStore) -> None:
    """Nine and twenty-one o'clock UTC are eight hours later in Perth."""
    assert usual(store, "now").hours.earlier[9] == usual(store, "now").hours.earlier[21] == 10
    perth = usual_for(store, "cust-1", CASE, ["now"], ZoneInfo("Australia/Perth"))
    assert perth is not None and perth.hours.earlier[17] == perth.hours.earlier[5] == 10
    assert perth.hours.unusual == []


def test_without_a_payment_that_fired_those_since_then_count(store: DuckDBStore) -> None:
    """A case of failed logins compares what was paid after them."""
    amounts = usual(store, "no-payment").amounts
    assert amounts is not None
    assert sorted(amounts.now) == [Decimal("3.00"), Decimal("195.00")]


def test_strangers_and_beginners_have_none(store: DuckDBStore) -> None:
    """Nothing is usual without earlier payments, nor after a quarter of a year."""
    assert usual_for(store, "cust-0", CASE, [], UTC) is None
    assert usual_for(store, "cust-1", build.moment(0), [], UTC) is None
    assert usual_for(store, "cust-1", CASE + timedelta(days=101), [], UTC) is None
    assert usual_strip(None, "UTC") is None


def test_the_history_is_bounded(tmp_path: Path) -> None:
    """The newest payments count, however many there are."""
    log = [build.transaction(n, amount="20.00") for n in range(MOST_PAYMENTS + 50)]
    build.stored(tmp_path / "s.duckdb", build.split(build.records(log), [400]))
    with closing(DuckDBStore(tmp_path / "s.duckdb", build.SHIPPED)) as kept:
        found = usual(kept)
    assert (found.payments, found.since) == (MOST_PAYMENTS, build.moment(50))


def test_the_strip_says_it_in_words(store: DuckDBStore) -> None:
    """Positions are percentages on a logarithmic scale."""
    strip = usual_strip(usual(store, "now"), "UTC")
    assert strip is not None and strip.amounts is not None
    assert strip.amounts.words == (
        "$195.00 is 10 times the usual. Usually $19.50; 95 % are at most $28.00."
    )
    assert (min(strip.amounts.earlier), strip.amounts.now) == (0.0, [(100.0, "$195.00")])
    assert 0 < strip.amounts.usual < strip.amounts.most < 100
    assert strip.hours_words == "09:00-10:00 UTC, as 10 of 20 earlier payments."
    assert [bar.hour for bar in strip.hours if bar.now] == [9]


def test_one_amount_alone_has_a_place(tmp_path: Path) -> None:
    """Without a range everything is in the middle."""
    log = [build.transaction(0, amount="20.00"), build.transaction(10 * DAY, amount="20.00")]
    build.stored(tmp_path / "s.duckdb", build.split(build.records(log), [2]))
    with closing(DuckDBStore(tmp_path / "s.duckdb", build.SHIPPED)) as kept:
        strip = usual_strip(usual(kept), "UTC")
    assert strip is not None and strip.amounts is not None
    assert strip.amounts.earlier == [50.0] and strip.amounts.words.startswith("$20.00 is 1.0 times")
