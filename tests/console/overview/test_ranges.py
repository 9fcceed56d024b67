"""The chart over longer ranges, and the hour that a column of it leads to."""

import re
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, timedelta
from decimal import Decimal

import pytest

from detector.console.queries.minutes import MinuteCounts, without_gaps
from tests.build import START
from tests.console.harness import Harness


@pytest.fixture(scope="module")
def harness(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    """A bank's console, on the day of START."""
    with closing(Harness(tmp_path_factory.mktemp("ranges"))) as harness:
        yield harness


def counts(minute: int, **signals: int) -> MinuteCounts:
    at = START + timedelta(minutes=minute)
    return MinuteCounts(
        minute=at, transactions=10, amount=Decimal("1.50"), flagged=1, signals=signals
    )


def test_steps_are_sums_without_gaps() -> None:
    """Six minutes a column: counts add up, quiet ones are zero, nothing stands before the first."""
    minutes = [counts(0, velocity=1), counts(5, velocity=2, compound=1), counts(13)]
    until = START + timedelta(minutes=20)
    found = without_gaps(minutes, until, timedelta(minutes=6))
    assert [(m.minute - START) // timedelta(minutes=1) for m in found] == [0, 6, 12, 18]
    assert [m.transactions for m in found] == [20, 0, 10, 0]
    assert found[0].signals == {"velocity": 3, "compound": 1} and found[0].amount == 3
    assert without_gaps([], until, timedelta(minutes=6))[0].transactions == 0


@pytest.mark.parametrize(("span", "columns"), [("1h", 60), ("6h", 60), ("24h", 60)])
def test_a_longer_range_shows_the_same_signals(harness: Harness, span: str, columns: int) -> None:
    """At most sixty columns; the signals of the day are in each that holds it."""
    html = harness.person("kim").get(f"/?range={span}").text
    chart = html[html.index('class="plot plot-bars"') : html.index('class="plot plot-rate"')]
    assert 1 <= chart.count('class="reach"') <= columns
    titles = re.findall(r"<title>(.*?)</title>", chart, re.S)
    fired = sum(int(n) for title in titles for n in re.findall(r"\n[^:]+: (\d+)", title))
    assert fired == harness.store.rows("SELECT count(*) AS n FROM mv_fraud_signals")[0]["n"]
    assert (chart.count('<a href="/?until=') > 0) == (span != "1h")
    assert f'href="/?range={span}" aria-current="true"' in html


def test_a_column_leads_to_its_hour(harness: Harness) -> None:
    """The hour until the time that is asked for, and no other."""
    last = harness.store.rows("SELECT max(window_start) AS at FROM mv_fraud_kpis_1min")[0]["at"]
    kim = harness.person("kim")
    there = kim.get(f"/?until={last.astimezone(UTC):%Y-%m-%dT%H:%MZ}").text
    assert "the hour until" in there and "transactions, " in there
    before = (last - timedelta(days=3)).astimezone(UTC)
    empty = kim.get(f"/?until={before:%Y-%m-%dT%H:%MZ}").text
    assert re.findall(r"<title>[^<]*?: (\d+) transactions", empty) in (["0", "0"], ["0"])


@pytest.mark.parametrize(
    "asked", ["range=2h", "until=never", "until=0001-01-01T00:00Z", "until=9999-12-31T23:59Z"]
)
def test_what_is_no_range_is_refused(harness: Harness, asked: str) -> None:
    """With the reason."""
    assert harness.person("kim").get(f"/?{asked}").status_code == 422
