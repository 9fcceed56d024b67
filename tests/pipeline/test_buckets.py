"""The newest stretch of time in buckets, as the screens show it."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

from detector.core.events import Event
from detector.pipeline.buckets import Bucket, Buckets
from detector.pipeline.detector import Detector
from tests import build
from tests.build import cash, login, online, profile, transaction

MINUTE = timedelta(minutes=1)


def fed(buckets: Buckets, *batches: Sequence[Event]) -> Buckets:
    """The buckets after a detector's work on these batches."""
    detector = Detector(build.REAL, lambda ids: set(), clock=lambda: build.NOW)
    for events in batches:
        buckets.publish(detector.process("t", build.batch(events)))
    return buckets


def test_transactions_and_signals_are_counted_in_their_minute() -> None:
    """A transaction at which two patterns fire is flagged once; failed logins flag none."""
    log = [profile(-30), *(online(n, device_id="d-9", amount="600.00") for n in range(5))]
    log += [login(70 + n) for n in range(3)]
    first, second = fed(Buckets(build.REAL, MINUTE, 60), log).newest()[-2:]
    assert (first.transactions, first.amount, first.flagged) == (5, Decimal("3000.00"), 5)
    assert first.signals == {"account_takeover": 5, "velocity": 1}
    assert (second.transactions, second.flagged) == (0, 0)
    assert second.signals == {"brute_force_login": 1}


def test_what_late_evidence_takes_back_is_no_longer_counted() -> None:
    """A profile that arrives later registers the device."""
    buckets = fed(
        Buckets(build.REAL, MINUTE, 60),
        [online(10, device_id="d-9", amount="600.00")],
        [profile(5, devices=["d-9"])],
    )
    [minute] = buckets.newest()
    assert minute.signals == {"account_takeover": 0}


def test_the_total_is_of_the_trailing_stretch_alone() -> None:
    """Sixty seconds back from the watermark, the seconds before it left out."""
    buckets = fed(
        Buckets(build.REAL, timedelta(seconds=1), 60),
        [transaction(0), cash(30), cash(59.5), transaction(60)],
    )
    total = buckets.total(build.moment(60))
    assert (total.transactions, total.flagged) == (3, 1)
    assert buckets.total(build.moment(1000)).transactions == 0


def test_memory_is_bounded() -> None:
    """Old buckets go as time moves on, and what is left is the newest."""
    buckets = Buckets(build.REAL, timedelta(seconds=1), 60)
    fed(buckets, *([transaction(n)] for n in range(0, 2000, 5)))
    newest = buckets.newest()
    assert len(newest) <= 120
    assert newest[-1].window_start == build.moment(1995)


def test_an_earlier_run_is_taken_up() -> None:
    """Minutes read from the store go on counting."""
    earlier = [Bucket(window_start=build.START, transactions=7, amount=Decimal("1.50"))]
    [minute] = fed(Buckets(build.REAL, MINUTE, 60, earlier), [transaction(3)]).newest()
    assert (minute.transactions, minute.amount) == (8, Decimal("21.50"))
