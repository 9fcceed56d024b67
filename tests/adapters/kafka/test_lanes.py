"""Partitions are kept in step: earlier records first, nothing stuck, nothing unbounded."""

from hypothesis import given
from hypothesis import strategies as st

from detector.adapters.kafka import lanes as kafka_lanes
from detector.adapters.kafka.lanes import Lanes
from detector.core.events import Record

NOW = 2_000_000_000.0
A, B = ("banking.transactions", 0), ("banking.logins", 0)


def _lanes(*keys: tuple[str, int]) -> Lanes:
    lanes = Lanes()
    for key in keys:
        lanes.add(key)
    return lanes


def _put(lanes: Lanes, key: tuple[str, int], at: float | None, raw: bytes = b"{}") -> None:
    lane = lanes.get(key)
    assert lane is not None
    lanes.put(lane, Record("logins", raw, lane.origin, lane.read_to or 0), at, NOW)


def _end(lanes: Lanes, key: tuple[str, int]) -> None:
    lane = lanes.get(key)
    assert lane is not None
    lane.at_end = True


def _taken(lanes: Lanes, limit: int = 1_000) -> list[tuple[str, float]]:
    return [(held.key[0], held.at) for held in lanes.take(limit)]


def test_a_partition_that_has_not_answered_holds_the_others_back() -> None:
    """Its first record might be the earliest of all."""
    lanes = _lanes(A, B)
    _put(lanes, A, 1.0)
    assert _taken(lanes) == []
    assert [lane.key for lane in lanes.blocking()] == [B]
    _end(lanes, B)
    assert _taken(lanes) == [(A[0], 1.0)]


def test_records_are_handed_over_up_to_where_every_partition_has_come() -> None:
    """What is ahead waits until the partition behind is past it, or at its end."""
    lanes = _lanes(A, B)
    for at in (1.0, 4.0, 9.0):
        _put(lanes, A, at)
    for at in (2.0, 3.0):
        _put(lanes, B, at)
    assert [at for _, at in _taken(lanes)] == [1.0, 2.0, 3.0]
    _put(lanes, B, 5.0)
    assert [at for _, at in _taken(lanes)] == [4.0, 5.0]
    _end(lanes, B)
    assert [at for _, at in _taken(lanes)] == [9.0]


def test_a_live_partition_at_its_end_delays_no_other() -> None:
    """A quiet topic costs no latency, and its next record goes out at once."""
    lanes = _lanes(A, B)
    _end(lanes, A)
    _end(lanes, B)
    _put(lanes, A, 7.0)
    assert _taken(lanes) == [(A[0], 7.0)]
    _end(lanes, A)
    _put(lanes, B, 6.0)
    assert _taken(lanes) == [(B[0], 6.0)]


def test_the_earlier_of_event_time_and_record_time_counts() -> None:
    """A log published long afterwards is read in event time; a clock ahead of us disturbs none."""
    lanes = _lanes(A)
    _put(lanes, A, 100.0, b'{"occurred_at":"1970-01-01T00:00:50Z"}')
    _put(lanes, A, 100.0, b'{"occurred_at":"1970-01-01T00:01:50+00:00"}')
    _put(lanes, A, NOW + 5, b'{"occurred_at":"2999-01-01T00:00:00Z"}')
    _put(lanes, A, 101.0, b'{"occurred_at":"no time"}')
    _put(lanes, A, None, b'{"occurred_at":"1970-01-01T00:03:00"}')
    assert [at for _, at in _taken(lanes)] == [50.0, 100.0, 100.0, 101.0, 101.0]


def test_a_record_without_any_time_follows_its_predecessor() -> None:
    """Also when it is the very first: it must not stop what comes after it."""
    lanes = _lanes(A)
    _put(lanes, A, None)
    _put(lanes, A, 3.0)
    assert len(_taken(lanes)) == 2


def test_what_was_not_handed_over_of_a_lost_partition_is_forgotten() -> None:
    """Its new owner reads it; the rest stays."""
    lanes = _lanes(A, B)
    for at in (1.0, 2.0):
        _put(lanes, A, at)
        _put(lanes, B, at)
    assert _taken(lanes, 1) == [(A[0], 1.0)]
    lanes.drop([A])
    assert _taken(lanes) == [(B[0], 1.0), (B[0], 2.0)]
    assert lanes.keys() == {B}


def test_a_partition_that_is_ahead_is_full_and_one_that_is_waited_for_is_not() -> None:
    """Memory stays bounded by bytes and by records, however far one partition is ahead."""
    lanes = _lanes(A, B)
    ahead, waited_for = lanes.get(A), lanes.get(B)
    assert ahead is not None and waited_for is not None
    big = bytes(kafka_lanes.MOST_BYTES // 4)
    _put(lanes, A, 0, big)
    assert not lanes.full(ahead), "its share is half of the most"
    _put(lanes, A, 1, big)
    assert lanes.full(ahead) and not lanes.roomy(ahead)
    assert not lanes.full(waited_for)
    _end(lanes, B)
    _taken(lanes, 1)
    assert ahead.bytes == 0 and not lanes.full(ahead), "what is ready fills no lane"
    for at in range(kafka_lanes.MOST_RECORDS // 2):
        assert not lanes.full(waited_for)
        _put(lanes, B, 2 + at)
    assert lanes.full(waited_for) and lanes.roomy(ahead)


def test_little_in_all_is_never_too_much() -> None:
    """With many partitions the share of each is small, and not looked at until much is buffered."""
    keys = [("banking.logins", n) for n in range(200)]
    lanes = _lanes(*keys)
    for at in range(kafka_lanes.MOST_RECORDS // 100):
        _put(lanes, keys[0], at)
    lane = lanes.get(keys[0])
    assert lane is not None
    assert not lanes.roomy(lane) and not lanes.full(lane)


@given(
    chunks=st.lists(st.tuples(st.integers(0, 3), st.integers(1, 6)), max_size=30),
    limit=st.integers(1, 7),
)
def test_any_arrival_of_chunks_gives_one_order_of_time(
    chunks: list[tuple[int, int]], limit: int
) -> None:
    """Whatever the broker sends first, partitions come out merged, whole and in their order."""
    keys = [(f"topic-{n}", 0) for n in range(4)]
    lanes = _lanes(*keys)
    clock = dict.fromkeys(keys, 0)
    out: list[tuple[str, float]] = []
    for number, size in chunks:
        for _ in range(size):
            clock[keys[number]] += 3 + number
            _put(lanes, keys[number], clock[keys[number]])
        out += _taken(lanes, limit)
    for key in keys:
        _end(lanes, key)
    while found := _taken(lanes, limit):
        out += found
    assert [at for _, at in out] == sorted(at for _, at in out)
    for number, key in enumerate(keys):
        own = [at for name, at in out if name == key[0]]
        assert own == list(range(3 + number, clock[key] + 1, 3 + number))
