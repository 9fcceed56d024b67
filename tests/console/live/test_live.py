"""The stream of news and the pulse."""

import asyncio
import json
from collections.abc import AsyncIterator, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from datetime import timedelta
from decimal import Decimal
from typing import Any, TypeVar

from fastapi.sse import ServerSentEvent

from detector.adapters.duckdb.store import DuckDBStore
from detector.console.live.hub import LISTENER_LIMIT, NEWEST, Hub
from detector.console.live.pulse import PulseKeeper, Vitals
from detector.console.live.watcher import Watcher
from detector.console.queries.minutes import read_minutes
from detector.pipeline.buckets import Buckets
from detector.pipeline.ports import Sink
from detector.pipeline.tally import Tally
from detector.pipeline.work import Work
from tests import build

T = TypeVar("T")


def work_of(count: int) -> Work:
    """Work with so many signals, and one case."""
    work = Work("t", "1", 0.0)
    ledger = build.detect([[build.cash(n, event_id=f"c{n}") for n in range(count + 1)]])
    work.new_signals = list(ledger.signals.values())
    work.cases = dict(ledger.cases)
    return work


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end in a thread: the browser tests keep a loop in this one."""
    with ThreadPoolExecutor(1) as threads:
        return threads.submit(asyncio.run, work).result()


async def take(news: AsyncIterator[ServerSentEvent], count: int) -> list[tuple[str, Any]]:
    """The next so many events."""
    found = []
    async for event in news:
        found.append((event.event or "", json.loads(event.raw_data or "null")))
        if len(found) == count:
            return found
    raise AssertionError("the stream ended")


def keeper(store: DuckDBStore) -> PulseKeeper:
    return PulseKeeper(build.SHIPPED, store)


def test_a_listener_gets_the_pulse_and_then_updates(full_store: DuckDBStore) -> None:
    """Signals with their reasons and cases, in the shape of their rows."""

    async def listening() -> list[tuple[str, Any]]:
        hub = Hub(keeper(full_store))
        async with hub.running(), aclosing(hub.listen()) as news:
            first = await take(news, 1)
            await asyncio.to_thread(hub.publish, work_of(2))
            return first + await asyncio.wait_for(take(news, 3), 2)

    pulse, one, two, case = run(listening())
    assert pulse[0] == "pulse" and pulse[1]["open_cases_by_level"]
    assert [one[0], two[0], case[0]] == ["signal", "signal", "case"]
    assert one[1]["reason"].startswith("2 cash transactions")
    assert case[1]["patterns"] == ["structuring"] and case[1]["level"] == "high"


def test_a_flood_is_thinned_and_a_slow_listener_misses_the_oldest(
    empty_store: DuckDBStore,
) -> None:
    """Memory is bounded whatever comes and however slowly it is read."""

    async def flooded() -> tuple[int, int]:
        hub = Hub(keeper(empty_store))
        async with aclosing(hub.listen()) as news:
            await take(news, 1)
            [queue] = hub._listeners
            for _ in range(30):
                hub.publish(work_of(100))
                for event in hub._collect():
                    hub._send(event)
            return queue.qsize(), len(hub._listeners)

    waiting, listeners = run(flooded())
    assert waiting == LISTENER_LIMIT < 30 * (NEWEST + 1)
    assert listeners == 1


def test_who_leaves_is_forgotten(empty_store: DuckDBStore) -> None:
    """A closed browser costs nothing."""

    async def left() -> int:
        hub = Hub(keeper(empty_store))
        async with aclosing(hub.listen()) as news:
            await take(news, 1)
        return len(hub._listeners)

    assert run(left()) == 0


def test_the_pulse_of_a_store_comes_from_its_views(full_store: DuckDBStore) -> None:
    """What only a detecting process knows is null."""
    pulse = keeper(full_store).now()
    [(cases, exposure, gone)] = full_store.query(
        "SELECT count(*), sum(exposure), sum(already_gone) FROM mv_open_fraud_cases"
    )
    assert sum(pulse.open_cases_by_level.values()) == cases
    assert pulse.at_risk_open == exposure - gone > 0
    assert pulse.already_gone_open == gone
    assert pulse.events is None and pulse.latency_ms.p99 is None
    minutes = keeper(full_store).minutes()
    assert minutes == sorted(minutes, key=lambda m: m.minute) and len(minutes) <= 60
    assert sum(m.transactions for m in minutes) > 0


def test_the_pulse_of_a_run_counts_what_it_commits(empty_store: DuckDBStore) -> None:
    """Rates, latencies and the trailing minute."""
    tally = Tally(build.SHIPPED)
    buckets = [Buckets(build.SHIPPED, timedelta(seconds=n), 60) for n in (60, 1)]
    work = work_of(2)
    work.keep("transactions", [build.cash(n) for n in range(3)], "evaluated")
    work.watermark, work.available_at, work.committed_at = build.moment(2), 10.0, 10.05
    sinks: list[Sink] = [tally, *buckets]
    for sink in sinks:
        sink.publish(work)
    pulse = PulseKeeper(build.SHIPPED, empty_store, Vitals(tally, buckets[0], buckets[1])).now()
    assert (pulse.events, pulse.transactions_per_min, pulse.flagged_per_min) == (3, 3, 2)
    assert pulse.latency_ms.p50 == 50.0 and pulse.fraud_rate_pct == 66.67
    assert pulse.signals_by_pattern["structuring"] == 2
    assert pulse.minutes[0].amount == Decimal("28500.00")


def test_minutes_read_from_views_are_those_that_were_counted(full_store: DuckDBStore) -> None:
    """A restart shows the same hour."""
    read = read_minutes(build.SHIPPED, full_store)
    rows = full_store.rows("SELECT * FROM mv_fraud_kpis_1min ORDER BY window_start DESC LIMIT 60")
    assert [b.transactions for b in reversed(read)] == [row["transactions"] for row in rows]


def test_a_watcher_tells_each_signal_once(full_store: DuckDBStore) -> None:
    """What is already there when it starts counts as seen; what changes is told again."""
    told: list[tuple[list[str], list[str]]] = []

    class Ear:
        def push(self, signals: Any, cases: Any) -> None:
            told.append(([s.signal_id for s in signals], [c.case_id for c in cases]))

    watcher = Watcher(full_store, Ear())  # type: ignore[arg-type]
    [(oldest,)] = full_store.query("SELECT min(occurred_at) FROM mv_fraud_signals")
    watcher._since = oldest
    watcher.poll()
    watcher.poll()
    signals, cases = told[0]
    [(count,)] = full_store.query("SELECT count(*) FROM mv_fraud_signals")
    assert len(signals) == len(set(signals)) == count
    assert cases
    assert told[1] == ([], [])
