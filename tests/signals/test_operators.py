"""Each operator equals its naive definition, whatever order events arrive in."""

import gc
from collections.abc import Callable
from datetime import datetime, timedelta
from types import FunctionType, ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.core.events import Event, KycProfile, Transaction
from detector.signals.engine import SignalEngine
from detector.signals.rules import Rules
from tests import build, oracle, strategies

LATENESS = 40
NEAR = st.integers(0, 12).map(lambda n: n * 10)


def observed(arrived: list[Event], rules: Rules, forget_every: int = 0) -> dict[str, float]:
    """Feed events to an engine, apply its changes, and answer what each signal observed."""
    engine, signals, seen = SignalEngine(rules), {}, set()
    watermark = None
    for number, event in enumerate(arrived, 1):
        if event.event_id in seen:
            continue
        seen.add(event.event_id)
        watermark = max(event.occurred_at, watermark or event.occurred_at)
        for kind, signal, _ in engine.update(event):
            name = signal.signal_id
            if kind == "new":
                assert name not in signals, "a signal that stands cannot be new"
                signals[name] = signal
            elif kind == "updated":
                assert signals[name] != signal, "an update says something different"
                signals[name] = signal
            else:
                del signals[name]
        if forget_every and number % forget_every == 0:
            forget(engine, watermark - rules.lateness)
    return {name: signal.observed for name, signal in signals.items()}


def forget(engine: SignalEngine, moment: datetime) -> None:
    """Drop what no event from the moment on can need, and settle what is known for ever."""
    for _ in engine.forget(moment):
        pass
    for operator in engine.remembering():
        for key in list(operator._state):
            operator.settle(key, moment)


def _named(pattern: str, found: dict[str, float]) -> dict[str, float]:
    return {f"{pattern}:{event}": value for event, value in found.items()}


def _tx(log: list[Event]) -> list[Any]:
    return [e for e in log if isinstance(e, Transaction)]


def _profiles(log: list[Event]) -> list[KycProfile]:
    return [e for e in log if isinstance(e, KycProfile)]


WINDOW = timedelta(seconds=30)
OPERATORS: dict[str, tuple[dict[str, Any], Callable[[list[Event]], dict[str, float]]]] = {
    "burst": (
        build.block("burst", where=[{"field": "status", "equals": "APPROVED"}]),
        lambda log: oracle.burst(
            _tx(log), "account_id", WINDOW, 3, lambda e: e.status == "APPROVED"
        ),
    ),
    "burst of one": (
        build.block("burst", key=["card_token"], threshold=1),
        lambda log: oracle.burst(_tx(log), "card_token", WINDOW, 1, lambda e: True),
    ),
    "distinct_burst": (
        build.block("distinct_burst", threshold=2),
        lambda log: oracle.distinct_burst(
            _tx(log), "account_id", "merchant_id", WINDOW, 2, lambda e: True
        ),
    ),
    "pair": (
        build.block("pair"),
        lambda log: oracle.pair(
            _tx(log), "card_token", WINDOW, 1000, lambda e: e.latitude is not None
        ),
    ),
    "novelty": (
        build.block("novelty", where=[{"field": "card_present", "equals": False}]),
        lambda log: oracle.novelty(
            _tx(log),
            _profiles(log),
            "customer_id",
            "device_id",
            WINDOW,
            500,
            lambda e: not e.card_present,
        ),
    ),
}
EVENTS = {
    "novelty": strategies.events_of_all_kinds(NEAR),
}


@pytest.mark.parametrize("name", OPERATORS)
@given(data=st.data())
def test_an_operator_equals_its_naive_definition(name: str, data: st.DataObject) -> None:
    """Ties, exact window edges, duplicates and allowed lateness change no answer."""
    block, naive = OPERATORS[name]
    events = EVENTS.get(name, strategies.payments(NEAR))
    log, arrived = data.draw(strategies.logs(events, LATENESS))
    forget_every = data.draw(st.integers(0, 3))
    rules = build.rules_of(block, lateness=LATENESS)
    assert observed(arrived, rules, forget_every) == _named(block["operator"], naive(log))


# Near moments beside moments a window of one of the seven patterns apart.
SPREAD = st.tuples(
    st.sampled_from([0, 0, 0, 60, 300, 3600, 7200, 86400]), st.integers(0, 6).map(lambda n: n * 10)
).map(sum)


@given(
    logs=strategies.logs(strategies.events_of_all_kinds(SPREAD), 300, max_size=24),
    forget_every=st.integers(0, 4),
)
def test_the_seven_patterns_equal_the_table_of_the_design(
    logs: tuple[list[Event], list[Event]], forget_every: int
) -> None:
    """The parameters that ship mean what design.md §3 says."""
    log, arrived = logs
    assert observed(arrived, build.REAL, forget_every) == oracle.all_patterns(log)


@st.composite
def _bursts_of(draw: Any) -> tuple[list[Event], list[Event]]:
    """Many events of one key within a few moments, so that the high thresholds are met."""
    when = st.integers(0, 8).map(lambda n: n * 10) | st.sampled_from([300, 310, 360, 370])
    kind = draw(st.sampled_from(["online", "shop", "login", "alert"]))
    makers: dict[str, st.SearchStrategy[Event]] = {
        "online": st.builds(lambda at: build.online(at, card_token="tok-1"), when),
        "shop": st.builds(build.transaction, when),
        "login": st.builds(build.login, when),
        "alert": st.builds(
            lambda at, t: build.alert(at, alert_type=t), when, st.sampled_from(["AAA", "BBB"])
        ),
    }
    found: tuple[list[Event], list[Event]] = draw(strategies.logs(makers[kind], 300, max_size=30))
    return found


@given(_bursts_of())
def test_bursts_of_many_events_equal_the_table_of_the_design(
    logs: tuple[list[Event], list[Event]],
) -> None:
    """Windows with dozens of events, where trimming sets in, are still exact."""
    log, arrived = logs
    assert observed(arrived, build.REAL) == oracle.all_patterns(log)


@given(
    log=st.lists(strategies.events_of_all_kinds(SPREAD), max_size=24),
    age=st.lists(st.integers(0, 400_000), min_size=24, max_size=24),
)
def test_a_profile_may_be_as_old_as_it_likes(log: list[Event], age: list[int]) -> None:
    """A profile that arrives before the events it speaks of counts from its own time on."""
    strategies.named(log, range(len(log)))
    for event, seconds in zip(log, age, strict=False):
        if isinstance(event, KycProfile):
            event.occurred_at -= timedelta(seconds=seconds)
    rest = sorted((e for e in log if not isinstance(e, KycProfile)), key=lambda e: e.occurred_at)
    assert observed([*_profiles(log), *rest], build.REAL) == oracle.all_patterns(log)


def test_memory_of_a_busy_key_stays_within_its_window() -> None:
    """A key with endless events holds only those that a coming event may still need."""
    rules = build.rules_of(build.block("burst", threshold=1000), lateness=LATENESS)
    engine = SignalEngine(rules)
    for second in range(5000):
        assert engine.update(build.transaction(second)) == []
    assert 0 < _events_held(engine) <= 4 * (30 + LATENESS)


def test_keys_that_fell_silent_are_forgotten() -> None:
    """State does not grow with the number of keys ever seen."""
    engine = SignalEngine(build.REAL)
    for second in range(3000):
        engine.update(build.transaction(second, f"acc-{second}", card_token=f"tok-{second}"))
    forget(engine, build.moment(3000 + 86400))
    assert _events_held(engine) == 0


def _events_held(root: Any) -> int:
    """How many events can be reached from an object."""
    seen, waiting, count = set(), [root], 0
    while waiting:
        for thing in gc.get_referents(waiting.pop()):
            if id(thing) in seen or isinstance(thing, type | ModuleType):
                continue
            seen.add(id(thing))
            count += isinstance(thing, Event)
            if not isinstance(thing, FunctionType):
                waiting.append(thing)
    return count
