"""Asks a running system about transactions at a fixed rate and prints how long answers take.

    python -m benchmarks.score_load [--rate 1000] [--events 2000] [--seconds 30] [--json]

Three processes on this machine: `fraud run --source api` with its console, a feeder that sends
`--events` events a second in batches to `POST /v1/events`, and this one, which sends
`POST /v1/score` at `--rate`, each for a new transaction. Requests are sent when they are due,
whether or not earlier ones are answered, and waiting counts from that moment.
"""

import argparse
import asyncio
import gc
import json
import multiprocessing
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import uvloop

from detector.adapters.people.store import PeopleStore
from detector.cases.principals import Principal
from producers.bank import SyntheticBank
from producers.config import ProducerSettings

CONNECTIONS = 32
BATCH = 100
WARM_UP_S = 5
_TIME = b'"occurred_at":"'


class Target(NamedTuple):
    """Where requests go."""

    host: str
    port: int
    key: str


class Draft(NamedTuple):
    """An event whose time is filled in when it is sent."""

    stream: bytes
    before: bytes
    after: bytes

    def sent_at(self, now: bytes) -> bytes:
        """The event as of now."""
        return self.before + _TIME + now + self.after


class Client:
    """One kept-alive connection, used by one request at a time."""

    async def open(self, target: Target, path: str) -> "Client":
        """Connect."""
        self._head = (
            f"POST {path} HTTP/1.1\r\nHost: {target.host}:{target.port}\r\n"
            f"Authorization: Bearer {target.key}\r\nContent-Type: application/json\r\n"
            "Content-Length: "
        ).encode() + b"%d\r\n\r\n"
        self._reader, self._writer = await asyncio.open_connection(target.host, target.port)
        return self

    async def ask(self, body: bytes) -> int:
        """Send a document and return the status of the answer."""
        self._writer.write(self._head % len(body) + body)
        head = await self._reader.readuntil(b"\r\n\r\n")
        for line in head.split(b"\r\n"):
            if line.lower().startswith(b"content-length:"):
                await self._reader.readexactly(int(line[15:]))
        return int(head[9:12])


async def paced(
    target: Target, path: str, bodies: Sequence[Callable[[], bytes]], rate: float
) -> list[tuple[float, int]]:
    """Milliseconds from when each request was due until its answer, and the status."""
    free: asyncio.Queue[Client] = asyncio.Queue()
    for _ in range(CONNECTIONS):
        free.put_nowait(await Client().open(target, path))

    async def one(body: Callable[[], bytes], due: float) -> tuple[float, int]:
        client = await free.get()
        status = await client.ask(body())
        free.put_nowait(client)
        return (time.perf_counter() - due) * 1000, status

    started = time.perf_counter()
    tasks: list[Awaitable[tuple[float, int]]] = []
    for number, body in enumerate(bodies):
        due = started + number / rate
        if (delay := due - time.perf_counter()) > 0:
            await asyncio.sleep(delay)
        tasks.append(asyncio.create_task(one(body, due)))
    return list(await asyncio.gather(*tasks))


def drafts(count: int, seed: int, stream: str | None = None) -> list[Draft]:
    """Events of a bank of their own, each with an event_id of its own."""
    found: list[Draft] = []
    settings = ProducerSettings(seed=seed, transaction_rate=1000, customer_pool_size=20_000)
    for topic, event in SyntheticBank(settings, datetime.now(UTC)):
        name = topic.removeprefix("banking.")
        if name == "kyc_profiles" or stream not in (None, name):
            continue
        before, _, rest = event.to_json().partition(_TIME)
        found.append(Draft(name.encode(), before, rest[rest.index(b'"') :]))
        if len(found) == count:
            return found
    raise AssertionError("a bank never ends")


def _now() -> bytes:
    return datetime.now(UTC).isoformat().encode()


def _batch(group: list[Draft]) -> bytes:
    now = _now()
    events = b",".join(
        b'{"stream":"%s","event":%s}' % (draft.stream, draft.sent_at(now)) for draft in group
    )
    return b'{"events":[' + events + b"]}"


def _dated(draft: Draft) -> bytes:
    return draft.sent_at(_now())


def feed(target: Target, rate: float, seconds: float, ready: Any, go: Any) -> None:
    """Send events in batches at a rate; a process of its own."""
    events = drafts(int(rate * seconds), seed=1)
    groups = [events[n : n + BATCH] for n in range(0, len(events), BATCH)]
    bodies = [partial(_batch, group) for group in groups]
    ready.set()
    go.wait()
    answers = uvloop.run(paced(target, "/v1/events", bodies, rate / BATCH))
    refused = Counter(status for _, status in answers if status != 200)
    if refused:
        print(f"batches of events refused: {dict(refused)}", file=sys.stderr)


def main() -> None:
    """Run it and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, default=1000)
    parser.add_argument("--events", type=float, default=2000)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "store.duckdb"
        with closing(PeopleStore.open(store)) as people:
            key = people.keys.add(Principal("benchmark", "admin"), "benchmark")[1]
        log = Path(folder) / "log"
        with log.open("w") as said:
            system = subprocess.Popen(
                [sys.executable, "-m", "detector.cli", "run", "--source", "api", "--port", "0",
                 "--store", str(store), "--json"],
                stdout=subprocess.PIPE, stderr=said, text=True,
            )  # fmt: skip
        try:
            report = _measure(_address(log), key, options)
        finally:
            system.terminate()
            summary = json.loads(system.communicate()[0])
    report["pipeline"] = {n: summary[n] for n in ("events", "dead_letters", "latency_ms")}
    if options.json:
        print(json.dumps(report))
        return
    for name, value in report.items():
        print(f"{name:24} {value}")


def _address(log: Path) -> str:
    """Where the console is, once it has said so."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        for line in log.read_text().splitlines():
            if line.startswith("Console: "):
                return line.split()[-1].partition("/?")[0]
        time.sleep(0.1)
    raise RuntimeError(f"the system did not start:\n{log.read_text()}")


def _measure(url: str, key: str, options: argparse.Namespace) -> dict[str, Any]:
    host, port = url.removeprefix("http://").split(":")
    target = Target(host, int(port), key)
    while httpx.get(f"{url}/readyz").status_code != 200:
        time.sleep(0.1)
    seconds = WARM_UP_S + options.seconds
    processes = multiprocessing.get_context("spawn")
    ready, go = processes.Event(), processes.Event()
    feeder = processes.Process(target=feed, args=(target, options.events, seconds, ready, go))
    feeder.start()
    asked = drafts(int(options.rate * seconds), seed=2, stream="transactions")
    bodies = [partial(_dated, draft) for draft in asked]
    gc.disable()  # a pause here would count as one there
    ready.wait()
    go.set()
    answers = uvloop.run(paced(target, "/v1/score", bodies, options.rate))
    feeder.join()
    counted = answers[int(options.rate * WARM_UP_S) :]
    waited = sorted(milliseconds for milliseconds, _ in counted)
    statuses = Counter(status for _, status in counted)
    shares = {"p50": 0.5, "p99": 0.99, "p999": 0.999, "max": 1.0}
    return {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python "
        f"{platform.python_version()}",
        "requests_per_s": options.rate,
        "events_per_s": options.events,
        "seconds": options.seconds,
        "statuses": dict(statuses),
        "errors": sum(count for status, count in statuses.items() if status != 200),
        "latency_ms": {
            name: round(waited[max(0, round(len(waited) * share) - 1)], 2)
            for name, share in shares.items()
        },
    }


if __name__ == "__main__":
    main()
