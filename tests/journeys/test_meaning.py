"""From events to cases: what is found depends on the set of events and on nothing else."""

import random
from datetime import timedelta

from hypothesis import assume, given
from hypothesis import strategies as st

from detector.core.events import Event, KycProfile
from tests import build, oracle, strategies

# Moments a window of risk, of a case or of a pattern apart, and their exact edges.
MOMENTS = st.tuples(
    st.sampled_from([0, 0, 0, 60, 120, 130, 1800, 1810, 3600, 7200]),
    st.integers(0, 6).map(lambda n: n * 10),
).map(sum)
LOGS = strategies.logs(strategies.events_of_all_kinds(MOMENTS), 300, max_size=24)


def _check(ledger: build.Ledger, log: list[Event]) -> None:
    bank = oracle.Bank(log, build.REAL)
    assert ledger.observed() == oracle.all_patterns(log)
    assert ledger.attributed == bank.attributed()
    assert ledger.scores() == bank.risk()
    assert ledger.open_cases() == bank.cases()


@given(logs=LOGS, sizes=strategies.sizes())
def test_signals_risk_and_cases_equal_their_naive_definitions(
    logs: tuple[list[Event], list[Event]], sizes: list[int]
) -> None:
    """Duplicates, ties, lateness and the sizes of batches leave no trace in what is found."""
    log, arrived = logs
    ledger = build.detect(build.split(arrived, sizes))
    _check(ledger, log)
    assert {name for name, (_, what) in ledger.events.items() if what == "evaluated"} == {
        e.event_id for e in log
    }
    assert ledger.duplicates == len(arrived) - len(log)


@given(
    data=st.data(),
    moments=st.sampled_from([MOMENTS, st.integers(0, 30).map(lambda n: n * 10)]),
)
def test_busy_accounts_equal_their_naive_definitions(
    data: st.DataObject, moments: st.SearchStrategy[int]
) -> None:
    """Accounts with many signals, so that windows of risk slide and cases merge and split."""
    frauds = st.one_of(
        st.builds(build.cash, moments),
        st.builds(lambda at: build.online(at, device_id="d-9", amount="700.00"), moments),
        st.builds(lambda at: build.transaction(at, card_token="t-1x", **build.SYDNEY), moments),
        st.builds(lambda at: build.transaction(at, card_token="t-1x", **build.PERTH), moments),
        st.builds(lambda at: build.profile(at, devices=["d-9"]), moments),
        st.builds(build.login, moments),
    )
    log, arrived = data.draw(strategies.logs(frauds, 300, max_size=30))
    ledger = build.detect(build.split(arrived, data.draw(strategies.sizes())))
    _check(ledger, log)


@given(
    arrived=st.lists(strategies.events_of_all_kinds(MOMENTS), min_size=1, max_size=24),
    one=strategies.sizes(),
    other=strategies.sizes(),
)
def test_the_sizes_of_batches_change_nothing_even_when_events_are_too_late(
    arrived: list[Event], one: list[int], other: list[int]
) -> None:
    """Any arrival order, however late: cutting it into other batches gives the same answer."""
    assume(one != other)
    strategies.named(arrived, range(len(arrived)))
    first = build.detect(build.split(arrived, one))
    second = build.detect(build.split(arrived, other))
    assert first.answer() == second.answer()
    assert first.events == second.events


def test_a_long_log_in_shuffled_order_says_the_same(seed: int = 7) -> None:
    """An hour of frauds, each event held up by a random part of the lateness."""
    chance = random.Random(seed)
    log = [
        event
        for minute in range(0, 3600, 60)
        for event in (
            build.online(
                minute + chance.randrange(60), device_id=f"d-{minute % 4}", amount="600.00"
            ),
            build.login(minute + chance.randrange(20)),
            build.login(minute + chance.randrange(20)),
            build.login(minute + chance.randrange(20)),
            build.cash(minute + chance.randrange(60), f"acc-{minute % 7}"),
            build.transaction(
                minute, card_token="tok-1", **chance.choice([build.SYDNEY, build.PERTH])
            ),
        )
    ]
    ordered = build.detect([sorted(log, key=lambda e: (e.occurred_at, e.event_id))])
    assert len(ordered.signals) > 200
    assert ordered.open_cases()
    for _ in range(3):
        late = {e.event_id: e.occurred_at + timedelta(seconds=chance.randint(0, 300)) for e in log}
        shuffled = sorted(log, key=lambda e: late[e.event_id])
        again = build.detect(build.split(shuffled, [chance.randint(1, 50)]))
        assert again.answer() == ordered.answer()


def test_a_profile_from_long_ago_holds_for_what_is_still_open() -> None:
    """A late profile is reference data: it says what holds, and takes back an alarm at hand."""
    unknown = build.online(1000, device_id="d-9", amount="600.00", event_id="pay")
    old = build.profile(-5_000_000, devices=["d-9"])
    assert isinstance(old, KycProfile)
    assert build.detect([[unknown]]).observed() == {"account_takeover:pay": 600.0}
    assert build.detect([[unknown], [old]]).observed() == {}


def test_a_profile_changes_nothing_that_is_final() -> None:
    """Beyond the lateness an answer stands, whether or not memory was swept in between."""
    unknown = build.online(0, device_id="d-9", amount="600.00", event_id="pay")
    storm = [build.login(1, "cust-2", event_id=f"l{n}") for n in range(3)]
    later = [build.transaction(1000, f"acc-{n}", customer_id=f"cust-{n}") for n in (3, 4)]
    profiles = [build.profile(0, devices=["d-9"]), build.profile(0, "cust-2", accounts=["acc-2"])]
    log = [unknown, *storm, *later, *profiles]
    expected = {("acc-1", "account_takeover:pay")}
    for sizes in ([1], [4, 1], [8]):
        ledger = build.detect(build.split(log, sizes))
        assert set(ledger.observed()) == {"account_takeover:pay"} | {
            f"brute_force_login:l{n}" for n in range(3)
        }
        assert ledger.attributed == expected
