"""A console over a small real store, served to real browsers."""

import json
import os
import queue
import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse

from detector.adapters.duckdb_store import DuckDBStore
from detector.console.app import build_app
from detector.console.assembly import assemble
from detector.console.security import Person, Role
from detector.console.settings import ConsoleSettings
from tests.build import REAL, records, split, stored
from tests.console.bank import eventful_day

_CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


class Feed:
    """A stream of server-sent events that a test writes."""

    def __init__(self) -> None:
        self._listeners: list[queue.Queue[str | None]] = []

    def send(self, event: str, data: dict[str, Any]) -> None:
        """Tell every browser that listens."""
        for listener in self._listeners:
            listener.put(f"event: {event}\ndata: {json.dumps(data, default=str)}\n\n")

    @property
    def listeners(self) -> int:
        """How many browsers listen."""
        return len(self._listeners)

    def drop(self) -> None:
        """End every connection, as a server that restarts does."""
        for listener in self._listeners:
            listener.put(None)

    def listen(self) -> Iterator[str]:
        """What one browser receives."""
        mine: queue.Queue[str | None] = queue.Queue()
        self._listeners.append(mine)
        try:
            yield "retry: 200\n\n"
            while (chunk := mine.get()) is not None:
                yield chunk
        finally:
            self._listeners.remove(mine)


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckDBStore]:
    """A store in which nothing happened yet."""
    with closing(DuckDBStore(tmp_path_factory.mktemp("empty") / "fraud.duckdb", REAL)) as store:
        yield store


@pytest.fixture(scope="session")
def full_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckDBStore]:
    """A store in which every pattern fired and cases of every level that opens are open."""
    path = tmp_path_factory.mktemp("full") / "fraud.duckdb"
    stored(path, split(records(eventful_day()), [50]))
    with closing(DuckDBStore(path, REAL)) as store:
        yield store


def console(store: DuckDBStore, role: Role | None = "supervisor", **settings: Any) -> FastAPI:
    """The console over a store, with everyone signed in as `kim` in that role."""
    chosen = ConsoleSettings(**{"_env_file": None, **settings})
    app = build_app(assemble(REAL, chosen, store, store.desk(), b"tests only"))

    @app.middleware("http")
    async def sign_in(request: Request, call_next: Any) -> Any:
        if role is not None:
            request.state.person = Person("kim", role)
        return await call_next(request)

    return app


@contextmanager
def serving(app: FastAPI) -> Iterator[str]:
    """Serve an app on a free port of this machine; the value is its address."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        server = uvicorn.Server(
            uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1)
        )
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(10)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """Debian's Chromium; without it browser tests are skipped, but never in CI."""
    executable = shutil.which("chromium") or shutil.which("chromium-browser")
    if executable is None:
        if os.environ.get("CI") == "true":
            pytest.fail("CI needs Chromium for the browser tests: apt-get install chromium")
        pytest.skip("no Chromium on this machine: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=_CHROMIUM_FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def feed() -> Feed:
    """The stream that the served console gives to browsers."""
    return Feed()


@pytest.fixture
def server(full_store: DuckDBStore, feed: Feed) -> Iterator[str]:
    """The address of a console over the full store."""
    app = console(full_store)
    app.add_api_route(
        "/v1/stream", lambda: StreamingResponse(feed.listen(), media_type="text/event-stream")
    )
    with serving(app) as address:
        yield address
        feed.drop()


class Watched:
    """A browser page that remembers what went wrong: console errors and outside requests."""

    def __init__(self, page: Any, address: str) -> None:
        self.page = page
        self.errors: list[str] = []
        self.outside: list[str] = []
        page.on("console", lambda m: self.errors.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", lambda r: self._check(r.url, address))

    def _check(self, url: str, address: str) -> None:
        if not url.startswith((address, "data:", "blob:")):
            self.outside.append(url)

    def quiet(self) -> None:
        """Assert that nothing went wrong."""
        assert self.errors == []
        assert self.outside == []


@pytest.fixture
def watched(chromium: Any, server: str) -> Iterator[Watched]:
    """A fresh browser page at 1366 by 768 whose errors fail the test."""
    context = chromium.new_context(
        viewport={"width": 1366, "height": 768}, base_url=server, reduced_motion="reduce"
    )
    page = Watched(context.new_page(), server)
    yield page
    context.close()
    page.quiet()


@pytest.fixture
def store_file(tmp_path: Path) -> Path:
    """Where a test may put a store of its own."""
    return tmp_path / "fraud.duckdb"
