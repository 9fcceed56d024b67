"""Webhooks: at least once, in order, whatever the receiver does."""

import hashlib
import hmac
import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from detector.adapters.people import follower as following
from detector.adapters.people.mirror import mirrored
from detector.adapters.people.store import PeopleStore
from detector.adapters.people.webhook import SIGNATURE, Webhook
from detector.cases.principals import Principal
from detector.cases.review import Review
from tests.adapters.people.test_people import KIM, PAT, SAM, case
from tests.people import act


class Receiver:
    """Another system's HTTP server; `answers` are the statuses of its next answers, then 204."""

    def __init__(self) -> None:
        self.answers: list[int] = []
        self.got: list[tuple[dict[str, str], bytes]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = receiver.answers.pop(0) if receiver.answers else 204
                if 200 <= status < 300:
                    receiver.got.append((dict(self.headers), body))
                self.send_response(status)
                if status == 307:
                    self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_port
        self.url = f"http://127.0.0.1:{self.port}/hook?token=very-secret"
        self._thread = threading.Thread(target=self._server.serve_forever, args=[0.01])
        self._thread.start()

    def told(self) -> list[dict[str, Any]]:
        """The entries it took."""
        return [json.loads(body) for _, body in self.got]

    def actions(self) -> list[str]:
        return [entry["action"] for entry in self.told()]

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    kept = Receiver()
    yield kept
    kept.close()


@pytest.fixture
def people(tmp_path: Path) -> Iterator[PeopleStore]:
    kept = PeopleStore.open(tmp_path / "console.duckdb")
    yield kept
    kept.close()


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "FIRST_WAIT_S", 0.01)
    monkeypatch.setattr(following, "LONGEST_WAIT_S", 0.05)


@contextmanager
def telling(people: PeopleStore, url: str, secret: str = "") -> Iterator[None]:
    follower = Webhook(url, secret).follow(people.audit)
    follower.start()
    yield
    follower.stop()


def eventually(holds: Callable[[], bool]) -> None:
    """Wait until it holds, at most five seconds."""
    deadline = time.monotonic() + 5
    while not holds():
        assert time.monotonic() < deadline, "it never came to hold"
        time.sleep(0.005)


def test_a_receiver_gets_the_entries_that_concern_it(
    people: PeopleStore, receiver: Receiver
) -> None:
    """Instructions and decisions, with what an undo revokes; nothing else leaves the house."""
    with telling(people, receiver.url):
        act(people, KIM, case(), "claim")
        act(people, KIM, case(), "note", text="For colleagues only.")
        act(people, KIM, case(), "instruct", instruction="BLOCK_CARD", target="tok-1")
        act(people, KIM, case(), "undo")
        act(people, KIM, case(), "undo")
        people.reports.read(SAM, "case_1")
        people.reports.save(SAM, "case_1", {})
        people.users.add(Principal("root", "admin"), "new", "viewer", "hash", False)
        act(people, SAM, case(), "close", disposition="CONFIRMED_FRAUD", text="Sure.")
        act(people, PAT, case(), "approve")
        eventually(lambda: len(receiver.got) >= 4)
    assert receiver.actions() == ["instruct", "undo", "close", "approve"]
    sent, revoked, closed, approved = receiver.told()
    assert (sent["subject"], sent["actor"]) == ("case_1", "kim")
    assert sent["detail"]["case"]["customer_id"] == "cust-1"
    assert revoked["detail"]["undoes"] == sent["seq"]
    assert (revoked["detail"]["instruction"], revoked["detail"]["target"]) == (
        "BLOCK_CARD", "tok-1",
    )  # fmt: skip
    assert closed["detail"]["after"]["status"] == "PENDING_APPROVAL"
    assert approved["detail"]["after"]["status"] == "CLOSED"


def test_a_signature_proves_who_sent_it(people: PeopleStore, receiver: Receiver) -> None:
    """Anyone with the secret computes the same; without one there is none."""
    with telling(people, receiver.url, "shared secret"):
        act(people, KIM, case(), "escalate")
        eventually(lambda: len(receiver.got) == 1)
    [(headers, body)] = receiver.got
    parts = dict(part.split("=") for part in headers[SIGNATURE].split(","))
    said = f"{parts['t']}.".encode() + body
    assert parts["v1"] == hmac.new(b"shared secret", said, hashlib.sha256).hexdigest()
    with telling(people, receiver.url):
        act(people, SAM, case(), "instruct", instruction="STEP_UP")
        eventually(lambda: len(receiver.got) == 2)
    assert SIGNATURE not in receiver.got[1][0]


def test_order_and_completeness_outlive_refusals(people: PeopleStore, receiver: Receiver) -> None:
    """Errors and redirects are no acceptance: the same entry is sent until it is taken."""
    receiver.answers = [500, 404, 307, 503, 200, 429]
    with telling(people, receiver.url):
        for n in range(4):
            act(people, KIM, case(), "instruct", instruction="STEP_UP", target=f"tok-{n}")
        eventually(lambda: len(receiver.got) == 4)
    targets = [entry["detail"]["target"] for entry in receiver.told()]
    assert targets == ["tok-0", "tok-1", "tok-2", "tok-3"]


def test_a_dead_receiver_delays_nothing_else(people: PeopleStore, receiver: Receiver) -> None:
    """Users are not delayed, nor are other receivers."""
    receiver.close()
    living = Receiver()
    with telling(people, receiver.url), telling(people, living.url):
        started = time.monotonic()
        for _ in range(20):
            act(people, KIM, case(), "instruct", instruction="STEP_UP")
        assert time.monotonic() - started < 3
        eventually(lambda: len(living.got) == 20)
    living.close()


def test_undelivered_entries_are_delivered_after_a_restart(tmp_path: Path) -> None:
    """An outage of the receiver and a restart of ours lose nothing."""
    path, receiver = tmp_path / "d.duckdb", Receiver()
    people = PeopleStore.open(path)
    with telling(people, receiver.url):
        act(people, KIM, case(), "instruct", instruction="STEP_UP", target="one")
        eventually(lambda: len(receiver.got) == 1)
        receiver.answers = [503] * 1000
        act(people, KIM, case(), "instruct", instruction="STEP_UP", target="two")
    people.close()
    people = PeopleStore.open(path)
    act(people, KIM, case(), "instruct", instruction="STEP_UP", target="three")
    receiver.answers = []
    with telling(people, receiver.url):
        eventually(lambda: len(receiver.got) == 3)
    assert [entry["detail"]["target"] for entry in receiver.told()] == ["one", "two", "three"]
    people.close()
    receiver.close()


def test_a_new_receiver_gets_no_old_instructions(people: PeopleStore, receiver: Receiver) -> None:
    """A card is not blocked today because of an instruction a month old."""
    act(people, KIM, case(), "instruct", instruction="BLOCK_CARD", target="old")
    with telling(people, receiver.url):
        act(people, KIM, case(), "instruct", instruction="BLOCK_CARD", target="new")
        eventually(lambda: len(receiver.got) == 1)
    assert receiver.told()[0]["detail"]["target"] == "new"


def test_neither_address_nor_secret_reach_the_log(
    people: PeopleStore, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    """Addresses of webhooks often carry a token."""
    receiver.close()
    with caplog.at_level(logging.DEBUG), telling(people, receiver.url, "hidden"):
        act(people, KIM, case(), "escalate")
        eventually(lambda: "retrying in" in caplog.text)
    said = caplog.text
    assert "did not accept entry 1" in said
    assert "very-secret" not in said and "hidden" not in said
    assert "very-secret" not in repr(people.audit.rows("SELECT * FROM audit_followers"))


class Table:
    """A mirror that is away at times."""

    def __init__(self, failures: int = 0) -> None:
        self.failures = failures
        self.rows: dict[str, Review] = {}

    def put(self, review: Review) -> None:
        if self.failures:
            self.failures -= 1
            raise ConnectionError("away")
        self.rows[review.case_id] = review


def test_a_mirror_catches_up_and_stays_so(people: PeopleStore) -> None:
    """From the first review on, over outages; reports and users are no business of it."""
    act(people, KIM, case("case_1"), "claim")
    people.reports.read(SAM, "case_1")
    act(people, KIM, case("case_2", "high"), "close", disposition="INCONCLUSIVE")
    table = Table(failures=3)
    follower = mirrored(people, table)
    follower.start()
    act(people, KIM, case("case_1"), "release")
    eventually(lambda: set(table.rows) == {"case_1", "case_2"} and not table.rows["case_1"].owner)
    follower.stop()
    assert table.rows == people.reviews.of(["case_1", "case_2"])
