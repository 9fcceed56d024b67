"""Trailing windows and trails equal their plain definitions for any order of arrival."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from detector.state.ordered_events import OrderedEvents
from detector.state.windows import DistinctWindow, TrailingWindow
from tests import build
from tests.build import moment

SPAN, LATENESS = 30, 40


@st.composite
def arrivals(draw: st.DrawFn) -> list[int]:
    """Moments in tens of seconds in an order in which none is later than the lateness."""
    events = draw(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 4)), max_size=60))
    return [at * 10 for at, _ in sorted(events, key=lambda e: e[0] + e[1])]


def _within(items: list[int], at: int, open_start: bool) -> list[int]:
    return [t for t in items if (at - SPAN < t if open_start else at - SPAN <= t) and t <= at]


@given(times=arrivals(), open_start=st.booleans())
def test_a_window_holds_exactly_what_is_within_it(times: list[int], open_start: bool) -> None:
    """Of the newcomer and of every item that it can change, both ends as asked for."""
    window = TrailingWindow(build.moment(SPAN) - build.START, _seconds(LATENESS), open_start)
    pushed: list[int] = []
    for at in times:
        first = window.push(moment(at), at)
        pushed.append(at)
        assert window.items[first] == at
        affected = [window.items[i] for i in window.affected_by(moment(at))]
        reach = [t for t in pushed if at <= t and at in _within([at], t, open_start)]
        assert affected == sorted(reach)
        for index in window.affected_by(moment(at)):
            start, end = window.bounds(index)
            expected = _within(pushed, window.items[index], open_start)
            assert window.items[start:end] == sorted(expected)
        assert len(window.times) - window.newest_start() == len(
            _within(pushed, max(pushed), open_start)
        )


@given(times=arrivals(), values=st.lists(st.sampled_from("abc"), min_size=60, max_size=60))
def test_a_distinct_window_knows_its_values(times: list[int], values: list[str]) -> None:
    """The values of each window, and how often each occurs in the newest."""
    window = DistinctWindow(_seconds(SPAN), _seconds(LATENESS))
    pushed: list[tuple[int, str]] = []
    for at, value in zip(times, values, strict=False):
        window.push(moment(at), (value, at))
        pushed.append((at, value))
        for index in window.affected_by(moment(at)):
            item = window.items[index][1]
            assert window.values(index) == {v for t, v in pushed if item - SPAN <= t <= item}
        newest = max(t for t, _ in pushed)
        inside = [v for t, v in pushed if newest - SPAN <= t]
        assert dict(window.counts) == {v: inside.count(v) for v in set(inside)}


@given(times=arrivals(), data=st.data())
def test_what_is_removed_is_gone(times: list[int], data: st.DataObject) -> None:
    """Removing an item leaves the window as if it had never been there."""
    window = DistinctWindow(_seconds(SPAN), _seconds(100_000), open_start=True)
    items = [(f"v{n % 3}", n) for n in range(len(times))]
    for at, item in zip(times, items, strict=True):
        window.push(moment(at), item)
    gone = data.draw(st.sets(st.sampled_from(range(len(times))))) if times else set()
    for n in gone:
        window.remove(moment(times[n]), items[n])
    left = sorted((times[n], items[n]) for n in range(len(times)) if n not in gone)
    assert sorted(zip(window.times, window.items, strict=True)) == [
        (moment(at), item) for at, item in left
    ]
    newest = left[-1][0] if left else 0
    inside = [v for at, (v, _) in left if newest - SPAN < at]
    assert dict(window.counts) == {v: inside.count(v) for v in set(inside)}


@given(times=arrivals(), ids=st.permutations(range(60)))
def test_a_trail_knows_its_neighbours(times: list[int], ids: list[int]) -> None:
    """Predecessor and successor by time, then by id, with nothing kept that none can need."""
    past: OrderedEvents[Any] = OrderedEvents(_seconds(LATENESS))
    pushed: list[tuple[int, str]] = []
    for at, number in zip(times, ids, strict=False):
        name = f"e{number:02d}"
        before, after = past.push(build.transaction(at, event_id=name))
        earlier = [p for p in pushed if p < (at, name)]
        later = [p for p in pushed if p > (at, name)]
        pushed.append((at, name))
        assert (before.event_id if before else None) == (max(earlier)[1] if earlier else None)
        assert (after.event_id if after else None) == (min(later)[1] if later else None)


def _seconds(count: int):  # type: ignore[no-untyped-def]
    return build.moment(count) - build.START
