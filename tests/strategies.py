"""Random small logs: few keys and few moments, so that ties and window edges are hit exactly."""

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from detector.core.events import Event
from tests import build

CITIES = (build.SYDNEY, build.PERTH, build.MELBOURNE)
DEVICES = ("d-1", "d-2", None)


def arrivals(events: Sequence[Event], lateness: int, step: int = 10) -> st.SearchStrategy[Any]:
    """The events, some of them twice, in an arrival order that makes none of them too late.

    Each is held up by at most the lateness, so nothing that arrived before it is further ahead.
    """
    held_up = st.integers(0, lateness // step)
    again = st.one_of(st.none(), st.none(), st.integers(0, 2000))
    size = len(events)

    def arrive(drawn: tuple[list[int], list[int | None], list[int]]) -> list[Event]:
        delays, repeats, ties = drawn
        order = []
        for event, delay, repeat, tie in zip(events, delays, repeats, ties, strict=True):
            at = event.occurred_at.timestamp() + delay * step
            order.append((at, tie, event))
            if repeat is not None:
                order.append((at + repeat * step, tie, event))
        return [event for _, _, event in sorted(order, key=lambda o: o[:2])]

    return st.tuples(
        st.lists(held_up, min_size=size, max_size=size),
        st.lists(again, min_size=size, max_size=size),
        st.lists(st.integers(0, 9), min_size=size, max_size=size),
    ).map(arrive)


def named(events: Sequence[Any], ids: Sequence[int]) -> list[Any]:
    """Give the events ids in an order that has nothing to do with their times."""
    for event, number in zip(events, ids, strict=True):
        event.event_id = f"e{number:02d}"
    return list(events)


def logs(
    kinds: st.SearchStrategy[Event], lateness: int, max_size: int = 14
) -> st.SearchStrategy[tuple[list[Event], list[Event]]]:
    """A log and one of its allowed arrival orders."""

    def with_order(events: list[Event]) -> st.SearchStrategy[tuple[list[Event], list[Event]]]:
        ids = st.permutations(range(len(events)))
        return ids.flatmap(
            lambda order: arrivals(named(events, order), lateness).map(
                lambda arrived: (events, arrived)
            )
        )

    return st.lists(kinds, min_size=1, max_size=max_size).flatmap(with_order)


@st.composite
def payments(draw: Any, moments: st.SearchStrategy[int]) -> Event:
    """A payment of one of two accounts, that may trip any rule about payments."""
    common = {
        "customer_id": draw(st.sampled_from(["cust-1", "cust-1", "cust-2"])),
        "card_token": draw(st.sampled_from(["tok-1", "tok-1", "tok-2", None])),
        "device_id": draw(st.sampled_from(DEVICES)),
        "merchant_id": draw(st.sampled_from(["m-1", "m-2", "m-3", None])),
        "status": draw(st.sampled_from(["APPROVED", "APPROVED", "DECLINED"])),
        **draw(st.sampled_from([*CITIES, {}])),
    }
    at, account = draw(moments), draw(st.sampled_from(["acc-1", "acc-1", "acc-2"]))
    kind = draw(st.sampled_from(["shop", "online", "cash"]))
    if kind == "cash":
        common["amount"] = draw(st.sampled_from(["9000.00", "9999.99", "10000.00", "8999.99"]))
        return build.cash(at, account, **common)
    common["amount"] = draw(st.sampled_from(["500.00", "499.99", "20.00", "650.50"]))
    return (build.online if kind == "online" else build.transaction)(at, account, **common)


def events_of_all_kinds(moments: st.SearchStrategy[int]) -> st.SearchStrategy[Event]:
    """Payments mostly, and what else the seven patterns read."""
    customers = st.sampled_from(["cust-1", "cust-1", "cust-2"])
    devices = st.lists(st.sampled_from(["d-1", "d-2"]), max_size=2, unique=True)
    held = st.lists(st.sampled_from(["acc-1", "acc-2", "acc-3"]), max_size=2, unique=True)
    outcomes = st.sampled_from(["FAILURE", "FAILURE", "SUCCESS"])
    types = st.sampled_from(["VELOCITY", "CNP_FRAUD", "OTHER"])
    return st.one_of(
        payments(moments),
        payments(moments),
        st.builds(lambda at, c, o: build.login(at, c, outcome=o), moments, customers, outcomes),
        st.builds(lambda at, c, t: build.alert(at, c, alert_type=t), moments, customers, types),
        st.builds(
            lambda at, c, a, d: build.profile(at, c, accounts=a, devices=d),
            moments,
            customers,
            held,
            devices,
        ),
    )


def sizes() -> st.SearchStrategy[list[int]]:
    """Sizes of batches."""
    return st.lists(st.integers(1, 6), min_size=1, max_size=4)
