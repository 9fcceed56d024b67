"""Events and single transactions by the API, against a running pipeline on a real store."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest
from fastapi.testclient import TestClient

from detector.cases.principals import Principal
from detector.console.app import build_app
from detector.console.context import assemble
from detector.console.settings import ConsoleSettings
from detector.pipeline.pipeline import Pipeline
from tests import build
from tests.build import cash, login, transaction
from tests.pipeline.test_scoring import running, stored


class Api(NamedTuple):
    """A console beside a pipeline, and a client with a machine's key."""

    pipeline: Pipeline
    client: TestClient


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    """A machine that may send events and ask about transactions."""
    with running(tmp_path / "s.duckdb") as pipeline:
        store = stored(pipeline)
        people = store.people()
        settings = ConsoleSettings(_env_file=None)
        context = assemble(build.SHIPPED, settings, store, people, b"tests only", pipeline=pipeline)
        pipeline.sinks = [context.metrics]
        _, secret = people.keys.add(Principal("admin", "admin"), "payments")
        headers = {"Authorization": f"Bearer {secret}"}
        with TestClient(build_app(context), "http://127.0.0.1", headers=headers) as client:
            yield Api(pipeline, client)


def body(*events: Any, stream: str = "transactions") -> dict[str, Any]:
    """A batch of events of one stream."""
    return {"events": [{"stream": stream, "event": msgspec.to_builtins(e)} for e in events]}


def test_a_batch_is_answered_after_its_commit(api: Api) -> None:
    """What the answer says is in the store by then."""
    answer = api.client.post("/v1/events", json=body(cash(0), cash(5, event_id="second")))
    assert answer.status_code == 200
    assert answer.json() == {
        "evaluated": 2, "duplicates": 0, "late": 0, "future": 0,
        "signals": ["structuring:second"], "rejected": [],
    }  # fmt: skip
    rows = api.pipeline.store.query("SELECT signal_id FROM fraud_signals")  # type: ignore[attr-defined]
    assert rows == [("structuring:second",)]


def test_a_batch_sent_twice_changes_nothing(api: Api) -> None:
    """A machine that did not hear the answer sends it again."""
    batch = body(*(login(n) for n in range(4)), stream="logins")
    first, again = (api.client.post("/v1/events", json=batch).json() for _ in range(2))
    assert first["evaluated"] == 4 and len(first["signals"]) == 2
    assert (again["evaluated"], again["duplicates"], again["signals"]) == (0, 4, [])


def test_bad_events_are_listed_and_kept_and_the_good_ones_count(api: Api) -> None:
    """Each with its place and its reason; unknown streams too."""
    batch = body(transaction(0), transaction(1))
    batch["events"][0]["event"]["amount"] = 12.5
    batch["events"].append({"stream": "payments", "event": {}})
    answer = api.client.post("/v1/events", json=batch).json()
    assert answer["evaluated"] == 1
    assert [r["index"] for r in answer["rejected"]] == [0, 2]
    assert "amount" in answer["rejected"][0]["reason"]
    assert "unknown stream 'payments'" in answer["rejected"][1]["reason"]
    letters = api.pipeline.store.query("SELECT stream, origin FROM dead_letters ORDER BY 1")  # type: ignore[attr-defined]
    assert letters == [("payments", "api"), ("transactions", "api")]


@pytest.mark.parametrize(
    ("sent", "status", "said"),
    [
        (b"{", 422, "cannot be read"),
        (b"[]", 422, "object"),
        (b'{"events": [{"stream": "logins"}]}', 422, "event"),
        (b'{"events": [' + b"0," * 9_000_000 + b"0]}", 413, "large"),
    ],
)
def test_a_batch_that_is_none_is_refused(api: Api, sent: bytes, status: int, said: str) -> None:
    """With a problem document that says what is wrong."""
    answer = api.client.post("/v1/events", content=sent)
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert said in answer.json()["detail"].lower()


def test_more_events_than_allowed_are_refused_whole(api: Api) -> None:
    """Nothing of the batch is taken."""
    batch = {"events": [{"stream": "logins", "event": {}}] * 10_001}
    answer = api.client.post("/v1/events", json=batch)
    assert answer.status_code == 413 and "at most 10000" in answer.json()["detail"]
    assert api.pipeline.store.query("SELECT count(*) FROM dead_letters") == [(0,)]  # type: ignore[attr-defined]


def test_a_transaction_is_decided_on_and_the_answer_repeats(api: Api) -> None:
    """The same document to the byte, at once and after the commit."""
    api.client.post("/v1/events", json=body(cash(0)))
    document = msgspec.json.encode(cash(10))
    first = api.client.post("/v1/score", content=document)
    assert first.status_code == 200
    assert first.json()["decision"] == "review"
    assert first.json()["reasons"][0]["reason"].startswith("2 cash transactions")
    assert api.client.post("/v1/score", content=document).content == first.content


def test_a_broken_transaction_is_refused(api: Api) -> None:
    """422 names the field."""
    document = json.loads(msgspec.json.encode(transaction(0)))
    del document["account_id"]
    answer = api.client.post("/v1/score", json=document)
    assert answer.status_code == 422 and "account_id" in answer.json()["detail"]


def test_without_a_key_nothing_is_taken(api: Api) -> None:
    """401, whatever is sent."""
    for path in ("/v1/events", "/v1/score"):
        answer = api.client.post(path, json=body(cash(0)), headers={"Authorization": "Bearer x"})
        assert answer.status_code == 401
    assert api.pipeline.store.query("SELECT count(*) FROM transactions") == [(0,)]  # type: ignore[attr-defined]


def test_before_the_start_and_after_the_end_the_caller_is_sent_away(tmp_path: Path) -> None:
    """503 with Retry-After, and readiness says so too; health does not mind."""
    with running(tmp_path / "s.duckdb") as pipeline:
        store = stored(pipeline)
        people = store.people()
        settings = ConsoleSettings(_env_file=None)
        context = assemble(build.SHIPPED, settings, store, people, b"tests only", pipeline=pipeline)
        _, secret = people.keys.add(Principal("admin", "admin"), "payments")
        headers = {"Authorization": f"Bearer {secret}"}
        with TestClient(build_app(context), "http://127.0.0.1", headers=headers) as client:
            assert client.get("/readyz").status_code == 200
            pipeline._committer.trouble = "the disk is full"
            refused = client.get("/readyz")
            assert refused.status_code == 503 and "cannot be written" in refused.json()["detail"]
            assert "disk" not in refused.text
            pipeline._committer.trouble = None
            pipeline.ready.clear()
            for path in ("/v1/events", "/v1/score"):
                content = b'{"events": []}' if path == "/v1/events" else b"{}"
                answer = client.post(path, content=content)
                assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
            assert client.get("/readyz").status_code == 503
            assert client.get("/healthz").json() == {"status": "ok"}


def test_metrics_count_events_and_decisions(api: Api) -> None:
    """In Prometheus' text format."""
    api.client.post("/v1/events", json=body(cash(0), cash(1)))
    text = api.client.get("/metrics").text
    assert 'fraud_events_total{ingest_status="evaluated",stream="transactions"} 2.0' in text
    assert 'fraud_signals_total{pattern="structuring"} 1.0' in text
    # An answer does not wait for its commit, which is what the counters wait for.
    api.client.post("/v1/score", content=msgspec.json.encode(cash(2)))
    api.pipeline._committer.settle()
    text = api.client.get("/metrics").text
    assert 'fraud_events_total{ingest_status="evaluated",stream="transactions"} 3.0' in text
    assert 'fraud_score_decisions_total{decision="review"} 1.0' in text
