"""A console with users, over a small real store."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from fastapi import FastAPI
from fastapi.testclient import TestClient

from detector.adapters.duckdb.store import DuckDBStore
from detector.adapters.people.users import NO_PASSWORD
from detector.cases.principals import Principal, UserRole
from detector.console.access.sessions import COOKIE, Session
from detector.console.app import build_app
from detector.console.context import assemble
from detector.console.settings import ConsoleSettings
from detector.core.events import Event
from tests.build import SHIPPED, records, split, stored
from tests.console.bank import eventful_day

ROOT = Principal("root", "admin")
PEOPLE: dict[str, UserRole] = {
    "vic": "viewer",
    "kim": "analyst",
    "lee": "analyst",
    "sam": "supervisor",
    "pat": "supervisor",
    "root": "admin",
}
LOCALHOST = "http://localhost:8000"


@cache
def _eventful_store() -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "fraud.duckdb"
        stored(path, split(records(eventful_day()), [50]))
        return path.read_bytes()


class Harness:
    """The console of a bank on an eventful day; everyone in `PEOPLE` is a user."""

    def __init__(self, folder: Path, log: list[Event] | None = None, **settings: Any) -> None:
        path = folder / "fraud.duckdb"
        if log is None:
            path.write_bytes(_eventful_store())
        else:
            stored(path, [records(log)])
        self.store = DuckDBStore(path, SHIPPED)
        self.settings = ConsoleSettings(**{"_env_file": None, **settings})
        self.people = self.store.people(four_eyes=self.settings.four_eyes)
        self.now = 1_800_000_000.0
        context = assemble(SHIPPED, self.settings, self.store, self.people, b"key")
        self.sessions = context.sessions
        self.sessions._clock = lambda: self.now
        for name, role in PEOPLE.items():
            self.people.users.add(ROOT, name, role, NO_PASSWORD, False)
        self.app: FastAPI = build_app(context)

    def visitor(self, **options: Any) -> TestClient:
        """A client that is not signed in."""
        return TestClient(
            self.app,
            base_url=LOCALHOST,
            follow_redirects=False,
            client=("127.0.0.1", 50_000),
            **options,
        )

    def session(self, name: str) -> Session:
        """A session as signing in with a password gives it, without the time that takes."""
        user = self.people.users.get(name)
        assert user is not None
        return self.sessions._session(user, f"nonce-{name}")

    def person(self, name: str) -> TestClient:
        """The client of a signed-in user, with its CSRF token."""
        session = self.session(name)
        client = self.visitor(headers={"X-CSRF-Token": session.csrf})
        client.cookies.set(COOKIE, session.token)
        return client

    def machine(self) -> TestClient:
        """A program with an API key."""
        _, key = self.people.keys.add(ROOT, "payments")
        return self.visitor(headers={"Authorization": f"Bearer {key}"})

    def cases(self, level: str | None = None) -> list[dict[str, Any]]:
        """The open cases, highest score first."""
        rows = self.store.rows("SELECT * FROM mv_open_fraud_cases ORDER BY score DESC, case_id")
        return [row for row in rows if level in (None, row["level"])]

    def close(self) -> None:
        self.store.close()
