"""What becomes of each record: evaluated, late, from the future, duplicate or dead letter."""

from datetime import timedelta

import pytest

from detector.core.events import Event, Identity, Record
from detector.pipeline.detector import Detector
from detector.pipeline.work import Batch, DeadLetter
from detector.signals.rules import Rules
from tests import build
from tests.build import login, profile, transaction

LATENESS = 300
SKEW = 60
CARD = "4111" + "1" * 12


def ingest_statuses(*events: Event, now: float = 1_000_000) -> dict[str, str]:
    """What became of each event, one batch each."""
    ledger = build.detect([[event] for event in events], now=build.moment(now))
    return {name: ingest_status for name, (_, ingest_status) in ledger.events.items()}


def process(*records: Record, rules: Rules = build.REAL) -> list[DeadLetter]:
    """The dead letters of one batch of records."""
    detector = Detector(rules, lambda ids: set(), clock=lambda: build.NOW)
    return detector.process("test", Batch(list(records), "1", 0.0)).dead_letters


def test_an_event_exactly_as_late_as_allowed_is_evaluated() -> None:
    """One moment later it is kept and counted, and says nothing."""
    assert ingest_statuses(
        transaction(1000, event_id="newest"),
        transaction(1000 - LATENESS, event_id="just in time"),
        transaction(1000 - LATENESS - 0.001, event_id="too late"),
    ) == {"newest": "evaluated", "just in time": "evaluated", "too late": "late"}


def test_an_event_exactly_as_early_as_allowed_is_evaluated() -> None:
    """Clocks differ a little; one that is a minute ahead is wrong."""
    assert ingest_statuses(
        transaction(100 + SKEW, event_id="skewed"),
        transaction(100 + SKEW + 0.001, event_id="future"),
        now=100,
    ) == {"skewed": "evaluated", "future": "future"}


def test_an_event_from_the_future_moves_nothing() -> None:
    """One wrong clock makes no other events late, and its own events fire nothing."""
    future = [transaction(10**6, event_id=f"f{n}") for n in range(6)]
    ledger = build.detect([future, [transaction(0, event_id="a")]], now=build.moment(100))
    assert ledger.events["a"][1] == "evaluated"
    assert {ledger.events[f"f{n}"][1] for n in range(6)} == {"future"}
    assert ledger.signals == {}


def test_a_profile_is_never_late() -> None:
    """Reference data from last year says what holds today; a transaction of then is history."""
    year = -365 * 86_400
    assert ingest_statuses(
        transaction(0, event_id="newest"),
        profile(year, event_id="profile"),
        transaction(year, event_id="payment"),
        login(year, event_id="login"),
    ) == {"newest": "evaluated", "profile": "evaluated", "payment": "late", "login": "late"}


def test_a_late_event_is_kept_but_completes_nothing() -> None:
    """Too late for the pattern that it would have completed."""
    burst = [transaction(n, event_id=f"v{n}") for n in range(4)]
    ledger = build.detect([burst, [transaction(1000, "acc-2")], [transaction(2, event_id="late")]])
    assert ledger.signals == {}
    assert ledger.events["late"][1] == "late"


def test_lateness_is_counted_from_the_newest_event_of_any_account() -> None:
    """Event time is one for the whole bank, once a second customer confirms it."""
    assert ingest_statuses(
        login(1000, "cust-2", event_id="newest"),
        login(1010, "cust-3", event_id="company"),
        transaction(0, event_id="late"),
    ) == {"newest": "evaluated", "company": "evaluated", "late": "late"}


@pytest.mark.parametrize("days", [1, 30, 365])
@pytest.mark.parametrize("place", [0, 1, 10])
def test_one_mistyped_time_makes_nothing_else_late(days: int, place: int) -> None:
    """Only the customer whose event it is can be mistaken about the time."""
    log = [transaction(n * 10, f"acc-{n % 5}", customer_id=f"cust-{n % 5}") for n in range(40)]
    wrong = transaction(days * 86_400, "acc-1", event_id="mistyped")
    log.insert(place, wrong)
    ledger = build.detect([[event] for event in log], now=build.moment(days * 86_400 + 60))
    assert {status for _, status in ledger.events.values()} == {"evaluated"}


@pytest.mark.parametrize("gap", [0, 10, LATENESS, LATENESS + 1, 5000, 500_000])
def test_a_duplicate_is_recognised_however_old_it_is(gap: int) -> None:
    """Within a batch, in the next one, and long after it has left the memory of recent ids."""
    again = transaction(0, event_id="again")
    others = [[transaction(n)] for n in range(0, gap + 1, max(1, gap // 5))]
    ledger = build.detect([[again], *others, [again], [again, again]])
    assert ledger.duplicates == 3


def test_a_duplicate_in_one_batch_counts_once() -> None:
    """Five deliveries of one payment are one payment."""
    ledger = build.detect([[transaction(0, event_id="one")] * 5])
    assert (ledger.duplicates, len(ledger.events), ledger.signals) == (4, 1, {})


@pytest.mark.parametrize("kind", ["late", "future"])
def test_duplicates_of_events_that_were_not_evaluated_are_recognised_too(kind: str) -> None:
    """What is kept is known, whatever became of it."""
    event = transaction(-1000 if kind == "late" else 10**7, event_id="x")
    batches = [[transaction(0)], [event], [transaction(5000)], [transaction(9000)], [event]]
    ledger = build.detect(batches, now=build.moment(20_000))
    assert ledger.events["x"][1] == kind
    assert ledger.duplicates == 1


def test_the_watermark_is_the_newest_event_that_was_evaluated() -> None:
    """It never goes back, and no future event moves it."""
    detector = Detector(build.REAL, lambda ids: set(), clock=lambda: build.moment(1000))
    marks = [
        detector.process("t", build.batch([transaction(at)])).watermark
        for at in (10, 5, 900, 5000, 100)
    ]
    assert marks == [build.moment(at) for at in (10, 10, 900, 900, 900)]


def test_nothing_but_dead_letters_leaves_the_watermark_unknown() -> None:
    """A source that only ever sent garbage has no event time."""
    detector = Detector(build.REAL, lambda ids: set())
    work = detector.process("t", Batch([Record("logins", b"{", "f", 1)], "1", 0.0))
    assert (work.watermark, len(work.dead_letters)) == (None, 1)


def test_a_dead_letter_says_what_where_and_why() -> None:
    """Stream, origin, place and bytes, so that it can be found and mended."""
    [letter] = process(Record("logins", b'{"event_id": 5}', "logins.jsonl", 17))
    assert (letter.stream, letter.origin, letter.offset) == ("logins", "logins.jsonl", 17)
    assert letter.raw == b'{"event_id": 5}'
    assert "event_id" in letter.reason


def test_a_record_of_an_unknown_stream_is_a_dead_letter() -> None:
    """No topic is guessed at."""
    [letter] = process(Record("loans", b"{}", "topic", 1))
    assert "loans" in letter.reason


def test_card_numbers_are_masked_in_bytes_and_in_the_reason() -> None:
    """A card number in a field that knows only a few words is not quoted back."""
    raw = build.raw(login()).replace(b'"FAILURE"', f'"{CARD}"'.encode())
    [letter] = process(Record("logins", raw, "f", 1))
    assert CARD.encode() not in letter.raw
    assert CARD not in letter.reason
    assert "outcome" in letter.reason
    [token] = process(Record("transactions", build.raw(transaction(card_token=CARD)), "f", 1))
    assert CARD.encode() not in token.raw and CARD not in token.reason


@pytest.mark.parametrize(
    "when", ["1970-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "1970-01-01T10:00:00+10:00"]
)
@pytest.mark.parametrize("stream", list(build.every_kind()))
def test_the_first_and_the_last_moment_of_time_crash_nothing(stream: str, when: str) -> None:
    """Alone or beside others, the ends of the calendar are ordinary input."""
    record = build.raw(build.every_kind()[stream])
    start = build.raw(build.START)[1:-1]
    extreme = record.replace(start, when.encode())
    assert extreme != record
    for records in ([extreme], [extreme, record.replace(b'"e0', b'"x0')]):
        detector = Detector(build.REAL, lambda ids: set(), clock=lambda: build.NOW)
        batch = Batch([Record(stream, raw, "f", n) for n, raw in enumerate(records)], "1", 0.0)
        assert detector.process("t", batch).dead_letters == []


def test_no_lateness_at_all_means_strict_order() -> None:
    """A deployment may choose not to wait."""
    rules = build.rules_of(build.block(threshold=1), lateness=0)
    events = [transaction(10, event_id="a"), transaction(10, event_id="b"), transaction(9.999)]
    ledger = build.detect([[e] for e in events], rules)
    assert set(ledger.signals) == {"burst:a", "burst:b"}


def test_memory_of_ids_does_not_grow_for_ever() -> None:
    """Hours of events leave only the ids of the last few minutes in memory."""
    asked: list[Identity] = []

    def known(ids: list[Identity]) -> set[Identity]:
        asked.extend(ids)
        return set()

    detector = Detector(build.REAL, known, clock=lambda: build.NOW)
    for minute in range(0, 600, 5):
        events = [
            transaction(minute * 60 + n, f"acc-{n}", customer_id=f"cust-{n}") for n in range(20)
        ]
        detector.process("t", build.batch(events))
    assert asked == []
    old = transaction(0, event_id="old")
    detector.process("t", build.batch([old]))
    assert asked == [("transactions", "old")]
    assert len(detector._recent["transactions"]) <= 3 * 20 + 1


def test_quiet_days_never_make_an_account_critical() -> None:
    """A shopping spree, a mistyped password, a new phone and a flight are no crime together."""
    day = [
        profile(-100, devices=["d-1"]),
        login(0), login(20), login(90, outcome="SUCCESS"),
        *(transaction(200 + n * 25, card_token="tok-1", **build.SYDNEY) for n in range(4)),
        build.online(400, device_id="d-2", amount="120.00"),
        profile(500, devices=["d-1", "d-2"]),
        build.online(600, device_id="d-2", amount="600.00"),
        build.cash(700),
        transaction(700 + 5 * 3600, card_token="tok-1", **build.PERTH),
        build.cash(86_400),
    ]  # fmt: skip
    ledger = build.detect([day])
    assert {signal.pattern for signal in ledger.signals.values()} <= {"unusual_amount"}
    assert ledger.cases == {} and all(p.risk_level == "low" for p in ledger.risk.values())


def test_after_two_minutes_of_quiet_no_account_is_critical() -> None:
    """The score is a matter of the last 120 seconds; the case is what stays."""
    fraud = [build.cash(0), build.cash(1), build.online(1, device_id="d-9", amount="900.00")]
    detector = Detector(build.REAL, lambda ids: set(), clock=lambda: build.NOW)
    detector.process("t", build.batch(fraud))
    point = detector.risk.score("acc-1", build.moment(1))
    assert point is not None and point.risk_level == "critical"
    detector.process("t", build.batch([transaction(121, "acc-9")]))
    assert detector.risk.score("acc-1", build.moment(121)) is None


def test_a_clock_that_is_read_once_a_batch_judges_the_whole_batch() -> None:
    """Time is an argument: no two events of a batch meet different clocks."""
    times = iter([build.moment(0), build.moment(0) + timedelta(days=1)])
    detector = Detector(build.REAL, lambda ids: set(), clock=lambda: next(times))
    work = detector.process("t", build.batch([transaction(59), transaction(61), transaction(60)]))
    assert (work.count("evaluated"), work.count("future")) == (2, 1)


def test_the_same_id_on_two_streams_is_two_events() -> None:
    """Where each topic counts from 1, nothing is a duplicate of anything else."""
    detector = Detector(build.REAL, lambda _: set(), clock=lambda: build.NOW)
    work = detector.process(
        "t", build.batch([transaction(0, event_id="1"), login(1, event_id="1")])
    )
    assert work.duplicates == 0
    assert {stream for stream, _ in work.events} == {"transactions", "logins"}


def test_an_id_that_returns_with_other_content_is_reported() -> None:
    """The first counts, the other is a dead letter with its bytes; a redelivery is neither."""
    detector = Detector(build.REAL, lambda _: set(), clock=lambda: build.NOW)
    first = transaction(0, event_id="1", amount="10.00")
    other = transaction(0, event_id="1", amount="99.00")
    work = detector.process("t", build.batch([first, first, other]))
    assert work.duplicates == 2
    [letter] = work.dead_letters
    assert "other content" in letter.reason and b"99.00" in letter.raw
    [kept] = work.events["transactions", "evaluated"]
    assert kept.event_id == "1" and getattr(kept, "amount", "") == "10.00"
