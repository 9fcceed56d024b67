"""Asking about one transaction while the pipeline runs, and what becomes of it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from detector.adapters.duckdb.store import DuckDBStore
from detector.adapters.sources.api import ApiSource
from detector.pipeline.pipeline import InvalidTransaction, Pipeline, Stopped
from detector.pipeline.work import Work
from tests import build
from tests.build import cash, online, profile, transaction

_encode = msgspec.json.encode


class Unheard(ApiSource):
    """The source of nothing, which therefore is never acknowledged anything."""

    def acknowledge(self, position: str) -> None:
        raise AssertionError("nothing came from this source")


def stored(pipeline: Pipeline) -> DuckDBStore:
    """The real store of a pipeline of `running`."""
    assert isinstance(pipeline.store, DuckDBStore)
    return pipeline.store


@contextmanager
def running(path: Path, *sinks: Any, brake: bool = False) -> Iterator[Pipeline]:
    """A pipeline on a real store without a source."""
    store = DuckDBStore(path, build.REAL)
    pipeline = Pipeline(store.rules, Unheard(), store, sinks, lambda: build.NOW, brake=brake)
    thread = threading.Thread(target=pipeline.run)
    thread.start()
    try:
        assert pipeline.ready.wait(10)
        yield pipeline
    finally:
        pipeline.stop()
        thread.join(10)
        store.close()


def ask(pipeline: Pipeline, event: Any) -> dict[str, Any]:
    """The answer about an event."""
    answer: dict[str, Any] = msgspec.json.decode(pipeline.score(_encode(event)).answer)
    return answer


def test_an_ordinary_transaction_is_approved(tmp_path: Path) -> None:
    """With what each pattern that looks at it observed."""
    with running(tmp_path / "s.duckdb") as pipeline:
        said = ask(pipeline, transaction(0))
    assert (said["decision"], said["risk_level"], said["risk_score"]) == ("approve", "low", 0)
    assert said["patterns"]["velocity"] == {"observed": 1, "threshold": 5, "fired": False}
    assert said["reasons"] == [] and said["ingest_status"] == "evaluated"


def test_decisions_rise_with_the_account(tmp_path: Path) -> None:
    """Structuring alone is for review; with an account takeover on top it is declined."""
    with running(tmp_path / "s.duckdb") as pipeline:
        pipeline.submit(build.records([profile(-10)]))
        assert ask(pipeline, cash(0))["decision"] == "approve"
        second = ask(pipeline, cash(10))
        third = ask(pipeline, online(20, device_id="d-9", amount="900.00"))
    assert (second["decision"], second["risk_level"]) == ("review", "high")
    assert [r["pattern"] for r in second["reasons"]] == ["structuring"]
    assert second["patterns"]["structuring"]["observed"] == 2
    assert (third["decision"], third["risk_level"]) == ("decline", "critical")
    assert third["active_patterns"] == ["account_takeover", "structuring"]
    assert [r["pattern"] for r in third["reasons"]] == ["account_takeover"]


def test_every_reading_equals_what_its_signal_would_say(tmp_path: Path) -> None:
    """An observation that fired is the signal's own; one that did not is below the threshold."""
    with running(tmp_path / "s.duckdb") as pipeline:
        pipeline.submit(build.records([profile(-10)]))
        for n in range(12):
            said = ask(pipeline, online(n, card_token="tok-1", device_id="d-9", amount="600.00"))
            for name, value in said["patterns"].items():
                signal = pipeline.detector.signals._open.get(f"{name}:{said['event_id']}")
                assert value["fired"] == (signal is not None)
                if signal is not None:
                    assert value["observed"] == signal.observed
                elif value["observed"] is not None:
                    assert value["observed"] < value["threshold"]
        assert said["patterns"]["cnp_spike"] == {"observed": 12, "threshold": 8, "fired": True}
        ask(pipeline, transaction(90, card_token="tok-2", **build.SYDNEY))
        there = ask(pipeline, transaction(95, card_token="tok-2", **build.PERTH))
        assert there["patterns"]["geo_impossible"]["observed"] > 3000


def test_the_same_event_gets_the_same_answer(tmp_path: Path) -> None:
    """At once, after its commit, after a restart, and whatever happened since."""
    path = tmp_path / "s.duckdb"
    first = cash(0)
    with running(path) as pipeline:
        answers = [ask(pipeline, first) for _ in range(3)]
        for n in range(1, 5):
            ask(pipeline, cash(n))
        pipeline._committer.settle()
        answers.append(ask(pipeline, first))
    with running(path) as pipeline:
        answers.append(ask(pipeline, first))
        [(events, asked)] = stored(pipeline).query(
            "SELECT (SELECT count(*) FROM transactions), (SELECT count(*) FROM score_decisions)"
        )
    assert answers == [answers[0]] * 5
    assert (events, asked) == (5, 5)


def test_what_came_by_another_way_is_judged_by_what_is_known(tmp_path: Path) -> None:
    """It is not counted a second time."""
    with running(tmp_path / "s.duckdb") as pipeline:
        one, two = cash(0), cash(10)
        pipeline.submit(build.records([one, two]))
        assert ask(pipeline, two)["decision"] == "review"
        assert ask(pipeline, cash(20))["patterns"]["structuring"]["observed"] == 3


@pytest.mark.parametrize("at", [-1000, 10**8])
def test_what_cannot_be_evaluated_is_for_a_person(tmp_path: Path, at: float) -> None:
    """Too late or from the future: kept, not evaluated, and never simply approved."""
    with running(tmp_path / "s.duckdb") as pipeline:
        ask(pipeline, transaction(0))
        said = ask(pipeline, transaction(at))
    assert said["decision"] == "review" and said["ingest_status"] in ("late", "future")
    assert said["patterns"] == {}


def test_a_broken_document_is_refused_and_kept(tmp_path: Path) -> None:
    """The reason names the field; the bytes are among the dead letters."""
    with running(tmp_path / "s.duckdb") as pipeline:
        with pytest.raises(InvalidTransaction, match=r"amount"):
            pipeline.score(_encode(transaction(0)).replace(b'"20.00"', b'"-1"'))
        pipeline._committer.settle()
        [(reason, origin)] = stored(pipeline).query("SELECT reason, origin FROM dead_letters")
    assert "amount" in reason and origin == "api"


def test_nothing_is_taken_before_the_start_and_after_the_end(tmp_path: Path) -> None:
    """The caller gets an error that says to retry."""
    with running(tmp_path / "s.duckdb") as pipeline:
        pass
    with pytest.raises(Stopped):
        pipeline.score(_encode(transaction(0)))
    with pytest.raises(Stopped):
        pipeline.submit(build.records([transaction(0)]))


def test_many_callers_at_once_and_a_source_beside_them_lose_nothing(tmp_path: Path) -> None:
    """All that was answered is in the store, and equals what one caller would have got."""
    path, commits = tmp_path / "s.duckdb", []

    class Listener:
        def publish(self, work: Work) -> None:
            commits.append(work.committed_at)

    with running(path, Listener()) as pipeline:

        def caller(number: int) -> None:
            for n in range(50):
                ask(pipeline, transaction(n, f"acc-{number}"))

        threads = [threading.Thread(target=caller, args=(n,)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        pipeline._committer.settle()
        [(events, signals)] = stored(pipeline).query(
            "SELECT (SELECT count(*) FROM transactions), (SELECT count(*) FROM fraud_signals)"
        )
    log = [transaction(n, f"acc-{number}") for number in range(4) for n in range(50)]
    alone = build.detect([log])
    assert (events, signals) == (200, len(alone.signals))
    assert len(commits) == 200, "a sink hears of every submission"
    assert len(set(commits)) < 200, "what waits together is one transaction"
