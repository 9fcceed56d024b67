"""Forgetting some entries at a time, while others come."""

from hypothesis import given
from hypothesis import strategies as st

from detector.state.recent_events import RecentEvents
from detector.state.sweeping import PIECE, swept
from tests.build import moment, transaction


@given(
    before=st.lists(st.integers(0, 100), max_size=700),
    meanwhile=st.lists(st.integers(0, 100), max_size=20),
    edge=st.integers(0, 100),
)
def test_what_is_old_goes_and_the_rest_can_be_found(
    before: list[int], meanwhile: list[int], edge: int
) -> None:
    """At each step, also what comes meanwhile; in the end no old one of before is left."""
    recent, times = RecentEvents(), dict(enumerate(before))
    for name, at in times.items():
        recent.add(str(name), moment(at))
    kept = {name for name, at in times.items() if at >= edge}
    coming = iter(enumerate(meanwhile, len(before)))
    for _ in recent.forget(moment(edge)):
        for name, at in coming:
            recent.add(str(name), moment(max(at, edge)))
            kept.add(name)
            break
        assert all(recent.get(str(name)) is not None for name in kept)
    assert all(recent.get(str(name)) is not None for name in kept)
    assert len(recent) == len(kept)


def test_one_step_looks_at_a_piece() -> None:
    """However many there are, no event waits for more."""
    states = dict.fromkeys(range(3 * PIECE), 0)
    steps = swept(states, lambda value: True)
    next(steps)
    assert len(states) == 2 * PIECE
    recent = RecentEvents()
    for name in range(3 * PIECE):
        event = transaction(0, event_id=str(name))
        recent.add(event.event_id, event)
    left = len(recent)
    for _ in recent.forget(moment(1)):
        assert left - len(recent) == PIECE
        left = len(recent)
    assert left == 0
