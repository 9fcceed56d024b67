"""Asks a running system about transactions at a fixed rate and prints how long answers take.

    python -m benchmarks.score_load [--rate 1000] [--seconds 30] [--events 2000] [--json]

Starts `fraud run` with the synthetic bank at `--events` transactions a second, then sends
`POST /v1/score` at `--rate` from this process, each for a new transaction. Requests are sent when
they are due, whether or not earlier ones are answered, and waiting counts from that moment.
"""

import argparse
import asyncio
import json
import os
import platform
import secrets
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import uvloop

from detector.adapters.desk import Desk
from detector.cases.people import Person
from producers.bank import SyntheticBank
from producers.config import ProducerSettings
from producers.models import Transaction

CONNECTIONS = 32
WARM_UP_S = 5


class Client:
    """One kept-alive connection, used by one request at a time."""

    def __init__(self, head: bytes) -> None:
        self._head = head

    async def open(self, host: str, port: int) -> None:
        self._reader, self._writer = await asyncio.open_connection(host, port)

    async def ask(self, body: bytes) -> int:
        """Send a document and return the status of the answer."""
        self._writer.write(self._head % len(body) + body)
        head = await self._reader.readuntil(b"\r\n\r\n")
        for line in head.split(b"\r\n"):
            if line.lower().startswith(b"content-length:"):
                await self._reader.readexactly(int(line[15:]))
        return int(head[9:12])


async def load(
    host: str, port: int, key: str, bodies: list[bytes], rate: float, warm_up: int
) -> tuple[list[float], Counter[int]]:
    """Latencies in milliseconds, and statuses, of all requests after the warm-up."""
    head = (
        f"POST /v1/score HTTP/1.1\r\nHost: {host}:{port}\r\nAuthorization: Bearer {key}\r\n"
        "Content-Type: application/json\r\nContent-Length: "
    ).encode() + b"%d\r\n\r\n"
    free: asyncio.Queue[Client] = asyncio.Queue()
    for _ in range(CONNECTIONS):
        client = Client(head)
        await client.open(host, port)
        free.put_nowait(client)
    latencies: list[float] = []
    statuses: Counter[int] = Counter()

    async def one(number: int, body: bytes, due: float) -> None:
        client = await free.get()
        status = await client.ask(body)
        waited = time.perf_counter() - due
        free.put_nowait(client)
        if number >= warm_up:
            latencies.append(waited * 1000)
            statuses[status] += 1

    started, tasks = time.perf_counter(), set()
    for number, body in enumerate(bodies):
        due = started + number / rate
        if (delay := due - time.perf_counter()) > 0:
            await asyncio.sleep(delay)
        task = asyncio.create_task(one(number, body, due))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    await asyncio.gather(*tasks)
    return latencies, statuses


def transactions(count: int, seed: int) -> list[bytes]:
    """Transactions of another bank, all of now, each of its own event_id."""
    start = datetime.now(UTC)
    found: list[bytes] = []
    bank = SyntheticBank(
        ProducerSettings(seed=seed, transaction_rate=1000, customer_pool_size=20_000), start
    )
    for _, event in bank:
        if isinstance(event, Transaction):
            found.append(event.to_json())
            if len(found) == count:
                return found
    raise AssertionError("a bank never ends")


def percentile(values: list[float], share: float) -> float:
    """The nearest-rank percentile, in the unit of the values."""
    return round(sorted(values)[max(0, int(len(values) * share + 0.5) - 1)], 2)


def main() -> None:
    """Run it and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, default=1000)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--events", type=float, default=2000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "store.duckdb"
        key = _machine_key(store)
        bank = subprocess.Popen(
            [sys.executable, "-m", "detector.cli", "run", "--store", str(store), "--json",
             "--rate", str(options.events), "--port", "0"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        try:
            report = _measure(bank, key, options)
        finally:
            bank.terminate()
            summary = json.loads(bank.communicate()[0])
    report["pipeline"] = {n: summary[n] for n in ("events", "events_per_s", "latency_ms")}
    if options.json:
        print(json.dumps(report))
        return
    for name, value in report.items():
        print(f"{name:24} {value}")


def _measure(bank: Any, key: str, options: argparse.Namespace) -> dict[str, Any]:
    url = next(line.split()[-1] for line in bank.stderr if line.startswith("Console: "))
    host, port = url.removeprefix("http://").split(":")
    while httpx.get(f"{url}/readyz").status_code != 200:
        time.sleep(0.1)
    warm_up = int(options.rate * WARM_UP_S)
    bodies = transactions(warm_up + int(options.rate * options.seconds), secrets.randbits(30))
    latencies, statuses = uvloop.run(load(host, int(port), key, bodies, options.rate, warm_up))
    return {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python "
        f"{platform.python_version()}",
        "requests_per_s": options.rate,
        "seconds": options.seconds,
        "events_per_s": options.events,
        "statuses": dict(statuses),
        "errors": sum(n for status, n in statuses.items() if status != 200),
        "latency_ms": {
            name: percentile(latencies, share)
            for name, share in (("p50", 0.5), ("p99", 0.99), ("p999", 0.999), ("max", 1.0))
        },
    }


def _machine_key(store: Path) -> str:
    with closing(Desk.open(store)) as desk:
        return desk.staff.add_key(Person("benchmark", "admin"), "benchmark")[1]


if __name__ == "__main__":
    main()
