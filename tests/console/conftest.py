"""A console over a small real store, served to real browsers."""

import os
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient
from msgspec.structs import replace

from detector.adapters.duckdb.store import DuckDBStore
from detector.adapters.sources.api import ApiSource
from detector.cases.principals import Principal, Role
from detector.cli.serve import console_beside
from detector.console.access.passwords import hashed
from detector.console.app import build_app
from detector.console.context import assemble
from detector.console.settings import ConsoleSettings
from detector.core.events import Event
from detector.pipeline.pipeline import Pipeline
from detector.pipeline.tally import Tally
from tests.build import SHIPPED, ListSource, records, split, stored
from tests.console.bank import eventful_day
from tests.console.harness import PEOPLE, ROOT

_CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

PASSWORD = "correct horse battery staple"
Enter = Callable[[str], "Watched"]


def browsing(store: DuckDBStore, role: Role | None = "supervisor", **settings: Any) -> TestClient:
    """A client of the console over a store, as `console` makes it."""
    return TestClient(console(store, role, **settings), base_url="http://localhost")


class Bank:
    """A running pipeline with its console; what it is told goes the whole way to the screen."""

    def __init__(self, address: str, pipeline: Pipeline, store: DuckDBStore, entry: str) -> None:
        self.address = address
        self.entry = entry
        self.store = store
        self._pipeline = pipeline

    def tell(self, *events: Event) -> None:
        """Let events happen now, in this order; returns when they are committed."""
        _, committed = self._pipeline.submit(records(happening(events, datetime.now(UTC))))
        committed.result(10)


def happening(events: Sequence[Event], until: datetime) -> list[Event]:
    """The same events, moved so that the last of them happens at `until`."""
    shift = until - max(event.occurred_at for event in events)
    return [replace(event, occurred_at=event.occurred_at + shift) for event in events]


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckDBStore]:
    """A store in which nothing happened yet."""
    with closing(DuckDBStore(tmp_path_factory.mktemp("empty") / "fraud.duckdb", SHIPPED)) as store:
        yield store


@pytest.fixture(scope="session")
def full_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckDBStore]:
    """A store in which every pattern fired and cases of every level that opens are open."""
    path = tmp_path_factory.mktemp("full") / "fraud.duckdb"
    stored(path, split(records(eventful_day()), [50]))
    with closing(DuckDBStore(path, SHIPPED)) as store:
        yield store


def console(store: DuckDBStore, role: Role | None = "supervisor", **settings: Any) -> FastAPI:
    """The console over a store, with everyone signed in as `kim` in that role."""
    chosen = ConsoleSettings(**{"_env_file": None, **settings})
    app = build_app(assemble(SHIPPED, chosen, store, store.people(), b"tests only"))

    @app.middleware("http")
    async def sign_in(request: Request, call_next: Any) -> Any:
        if role is not None:
            request.state.principal = Principal("kim", role)
        return await call_next(request)

    return app


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """Debian's Chromium; without it browser tests are skipped, but never in CI."""
    names = ("chromium", "chromium-browser", "google-chrome")
    executable = next(filter(None, map(shutil.which, names)), None)
    if executable is None:
        if os.environ.get("CI") == "true":
            pytest.fail("CI needs Chromium for the browser tests: apt-get install chromium")
        pytest.skip("no Chromium on this machine: apt-get install chromium")
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=20_000)  # a busy machine may need it; a good page never waits

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=_CHROMIUM_FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def bank(tmp_path: Path) -> Iterator[Bank]:
    """A bank after an eventful hour that ended a moment ago, shown as a demonstration."""
    with open_bank(tmp_path, demo=True) as bank:
        yield bank


@contextmanager
def open_bank(folder: Path, **settings: Any) -> Iterator[Bank]:
    """A bank after an eventful hour that ended a moment ago, with its console and settings."""
    path = folder / "fraud.duckdb"
    hour = records(happening(eventful_day(), datetime.now(UTC) - timedelta(seconds=5)))
    with closing(DuckDBStore(path, SHIPPED)) as store:
        Pipeline(SHIPPED, ListSource([hour]), store).run()
        tally = Tally(SHIPPED)
        pipeline = Pipeline(store.rules, ApiSource(), store, [tally])
        chosen = ConsoleSettings(**{"_env_file": None, "port": 0, **settings})
        with console_beside(pipeline, store, tally, store.rules, chosen) as served:
            detecting = threading.Thread(target=pipeline.run)
            detecting.start()
            pipeline.ready.wait(10)
            yield Bank(served.address, pipeline, store, served.entry)
            pipeline.stop()
            detecting.join(10)


@pytest.fixture
def server(bank: Bank) -> str:
    """The address of the bank's console."""
    return bank.address


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
def watched(chromium: Any, server: str, request: pytest.FixtureRequest) -> Iterator[Watched]:
    """A fresh browser page at 1366 by 768 whose errors fail the test."""
    context = chromium.new_context(
        viewport={"width": 1366, "height": 768}, base_url=server, reduced_motion="reduce"
    )
    page = Watched(context.new_page(), server)
    if "bank" in request.fixturenames:
        page.page.goto(request.getfixturevalue("bank").entry)
    yield page
    context.close()
    page.quiet()


@pytest.fixture(scope="session")
def kept_password() -> str:
    """The hash of everybody's password, which takes a while to make."""
    return hashed(PASSWORD)


@pytest.fixture
def harness(tmp_path: Path, kept_password: str) -> Iterator[Bank]:
    """A bank where one has to sign in."""
    with open_bank(tmp_path) as bank:
        for name, role in PEOPLE.items():
            bank.store.people().users.add(ROOT, name, role, kept_password, False)
        yield bank


@pytest.fixture
def enter(chromium: Any, harness: Bank) -> Iterator[Enter]:
    """Signs a user in with a separate browser; what goes wrong there fails the test."""
    opened: list[tuple[Any, Watched]] = []

    def _enter(name: str) -> Watched:
        context = chromium.new_context(
            viewport={"width": 1366, "height": 768}, base_url=harness.address,
            reduced_motion="reduce",
        )  # fmt: skip
        form = {"username": name, "password": PASSWORD, "next": "/"}
        assert context.request.post("/login", form=form, max_redirects=0).status == 303
        opened.append((context, Watched(context.new_page(), harness.address)))
        return opened[-1][1]

    yield _enter
    for context, watched in opened:
        context.close()
        watched.quiet()
