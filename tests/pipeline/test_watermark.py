"""The watermark: any order of events, one value; no customer moves it alone."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.pipeline.watermark import COMPANY, Watermark
from tests.build import moment

LATENESS = timedelta(minutes=5)
HOUR = int(COMPANY.total_seconds())
Times = list[tuple[int, str]]

times = st.lists(
    st.tuples(
        st.one_of(st.integers(0, 6 * HOUR), st.sampled_from([0, HOUR, HOUR + 1, 2 * HOUR])),
        st.sampled_from("aaab"),
    ),
    min_size=1,
    max_size=20,
)


def after(entries: Times) -> Watermark:
    """A watermark after these events."""
    watermark = Watermark(LATENESS)
    for at, customer in entries:
        watermark.advance(moment(at), customer)
    return watermark


def defined(entries: Times) -> datetime:
    """The definition, word by word."""
    confirmed = [
        at
        for at, customer in entries
        if any(other != customer and at <= then <= at + HOUR for then, other in entries)
    ]
    newest = {name: max(at for at, c in entries if c == name) for _, name in entries}
    if not confirmed:
        return moment(min(newest.values()))
    return min(moment(max(newest.values())), moment(max(confirmed)) + LATENESS / 2)


@given(times.flatmap(lambda entries: st.tuples(st.just(entries), st.permutations(entries))))
def test_it_is_as_defined_in_any_order(logs: tuple[Times, Times]) -> None:
    """The order of arrival has no effect."""
    log, shuffled = logs
    assert after(log).at == after(shuffled).at == defined(log)


@given(times, st.integers(0, 20))
def test_it_resumes(log: Times, cut: int) -> None:
    """The confirmed time and the later events restore it."""
    whole, first = after(log), after(log[:cut])
    resumed = Watermark(LATENESS)
    resumed.resume(
        first.confirmed,
        sorted(
            (moment(at), name)
            for at, name in log[:cut]
            if first.confirmed is None or moment(at) > first.confirmed
        ),
    )
    for at, name in log[cut:]:
        resumed.advance(moment(at), name)
    assert (resumed.at, resumed.confirmed) == (whole.at, whole.confirmed)


def test_a_quiet_night_ends_with_the_second_customer() -> None:
    """The first event after a gap moves it by half the lateness, the next one all the way."""
    night = [(0, "a"), (10, "b"), (8 * HOUR, "c")]
    assert after(night).at == moment(0) + LATENESS / 2
    assert after([*night, (8 * HOUR + 30, "d")]).at == moment(8 * HOUR + 30)


@pytest.mark.parametrize(("at", "late"), [(3399, True), (3400, False)])
def test_late_is_further_behind_than_the_lateness(at: int, late: bool) -> None:
    """An event exactly the lateness behind is still in time."""
    watermark = after([(3700, "a"), (3700, "b")])
    assert watermark.is_late(moment(at), "c") is late


def test_an_unconfirmed_time_makes_no_other_customer_late() -> None:
    """The first event of a log may be the mistyped one."""
    watermark = after([(30 * 24 * HOUR, "a")])
    assert not watermark.is_late(moment(0), "b")
    assert watermark.is_late(moment(0), "a")
    watermark.advance(moment(0), "b")
    assert watermark.at == moment(0)
