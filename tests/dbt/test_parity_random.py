"""The embedded engine and the models agree on random small logs, whatever order events come in."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from detector.core.events import Event
from tests import build
from tests.dbt.conftest import Bench
from tests.strategies import events_of_all_kinds, logs, sizes

EXAMPLES = settings().max_examples // 4
"""Each runs thirty queries, so a quarter of what other tests do is what fits in seconds."""

LATENESS = int(build.REAL.lateness.total_seconds())

CROWDED = st.integers(0, 18).map(lambda n: n * 20)
"""Six minutes in steps that hit the edges of windows of one, two and five minutes."""

SPREAD = st.sampled_from(
    [0, 60, 120, 1800, 1920, 3600, 3601, 7199, 7200, 7260, 86_400, 86_401, 86_460]
)
"""The edges of the longer windows and of the gap between cases."""


@settings(max_examples=EXAMPLES)
@given(logs(events_of_all_kinds(CROWDED), LATENESS, max_size=30), sizes())
def test_they_agree_on_a_crowded_quarter_of_an_hour(
    bench: Bench, log: tuple[list[Event], list[Event]], cuts: list[int]
) -> None:
    """Ties, window edges, late and repeated events of a few accounts."""
    agree(bench, log[1], cuts)


@settings(max_examples=EXAMPLES)
@given(logs(events_of_all_kinds(st.one_of(CROWDED, SPREAD)), LATENESS, max_size=30), sizes())
def test_they_agree_over_days(
    bench: Bench, log: tuple[list[Event], list[Event]], cuts: list[int]
) -> None:
    """Profiles that change, devices that become known, cases that end."""
    agree(bench, log[1], cuts)


BUSY = st.builds(
    lambda at, fields: build.online(at, **fields),
    CROWDED,
    st.fixed_dictionaries(
        {
            "card_token": st.just("tok-1"),
            "amount": st.sampled_from(["500.00", "20.00"]),
            "device_id": st.sampled_from(["d-1", "d-2", None]),
            "account_id": st.sampled_from(["acc-1", "acc-1", "acc-2"]),
        }
    ).map(lambda d: {**d, "account": d.pop("account_id")}),
)


@settings(max_examples=EXAMPLES)
@given(logs(st.one_of(BUSY, BUSY, events_of_all_kinds(CROWDED)), LATENESS, max_size=40), sizes())
def test_they_agree_on_one_busy_card(
    bench: Bench, log: tuple[list[Event], list[Event]], cuts: list[int]
) -> None:
    """Enough payments of one card for every burst."""
    agree(bench, log[1], cuts)


def test_they_agree_on_no_events_at_all(bench: Bench) -> None:
    """Empty topics give empty views."""
    report = bench.compare([[build.login()]])
    assert report.equal and report.compared["events"] == 1
    assert report.compared["signals"] == report.compared["cases"] == 0


def agree(bench: Bench, arrived: list[Event], cuts: list[int]) -> None:
    """Both say the same of these events, and nothing was set aside."""
    report = bench.compare(build.split(arrived, cuts))
    assert report.equal, explain(report.examples)
    assert report.set_aside == {"late": 0, "future": 0, "dead_letters": 0}


def explain(examples: Any) -> str:
    """The differences, one a line."""
    return "\n".join(f"{kind}: {e}" for kind, found in examples.items() for e in found)
