"""Closings of cases: the engine and the models agree on what belongs to which case."""

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.adapters.dbt_models import event_files, load, open_database, run
from detector.adapters.duckdb.store import DuckDBStore
from detector.adapters.rendering import RenderedProject
from detector.analysis.parity import MODELS, compare
from detector.cases.principals import Principal
from detector.core.events import Event
from detector.pipeline.detector import Detector
from tests import build, oracle
from tests.dbt.conftest import write_log
from tests.people import act

SAM = Principal("sam", "supervisor")


class Bank:
    """A store with its detector, in which cases are closed and reopened."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = DuckDBStore(folder / "embedded.duckdb", build.REAL)
        self.people = self.store.people(four_eyes=False)
        self.people.reviews.on_closing = self.review
        self.detector = self.restarted()
        self.log: list[Event] = []

    def restarted(self) -> Detector:
        """A detector that takes up where the store is."""
        detector = Detector(build.REAL, self.store.known_events, clock=lambda: build.NOW)
        detector.resume(self.store.recall(build.REAL))
        return detector

    def review(self, customer_id: str) -> None:
        self.store.commit(self.detector.review(self.store.customer_signals(customer_id)))

    def feed(self, *events: Event) -> None:
        self.log += events
        self.store.commit(self.detector.process("test", build.batch(events)))

    def act(self, action: str, **fields: str) -> str:
        """Act on the customer's newest case; return its id."""
        query = "SELECT * FROM fraud_cases ORDER BY first_signal_at DESC LIMIT 1"
        [case] = self.store.rows(query)
        act(self.people, SAM, {**case, "next_case_id": None}, action, **fields)
        return str(case["case_id"])

    def close_case(self) -> str:
        return self.act("close", disposition="FALSE_POSITIVE")

    def check(self, project: RenderedProject) -> None:
        """Compare with the models, with the plain definition, and with a restart."""
        rows = self.store.query(
            "SELECT case_id, customer_id, status, owner, closed_until FROM case_reviews"
        )
        closings = sorted(until for *_, status, _, until in rows if status == "CLOSED")
        write_log(self.folder, self.log)
        self.store.close()
        with open_database() as db:
            db.execute(f"ATTACH '{self.folder / 'embedded.duckdb'}' AS embedded (READ_ONLY)")
            load(db, event_files([self.folder]))
            if rows:
                db.executemany("INSERT INTO case_reviews VALUES (?, ?, ?, ?, ?)", rows)
            run(db, project.needed_for(MODELS))
            report = compare(db)
            assert report.equal, report.examples
            counts = db.execute("SELECT case_id, signal_count FROM fraud_cases").fetchall()
        expected = oracle.Bank(self.log, build.REAL, closings={"cust-1": closings}).cases()
        assert dict(counts) == {case["case_id"]: case["signal_count"] for case in expected}


def structured(at: float, name: str) -> Sequence[Event]:
    return build.cash(at - 1, event_id=f"{name}1"), build.cash(at, event_id=f"{name}2")


def test_fraud_after_a_closing_opens_a_new_linked_case(
    tmp_path: Path, project: RenderedProject
) -> None:
    """A false positive does not blind anyone to what comes after it."""
    bank = Bank(tmp_path)
    bank.feed(*structured(0, "a"))
    first = bank.close_case()
    assert bank.store.rows("SELECT * FROM mv_open_fraud_cases") == []
    bank.feed(*structured(600, "b"))
    [case] = bank.store.rows("SELECT * FROM mv_open_fraud_cases")
    assert case["previous_case_id"] == first
    assert case["signal_count"] == 2
    bank.check(project)


def test_late_evidence_goes_to_the_closed_case(tmp_path: Path, project: RenderedProject) -> None:
    """A signal of before the closing that arrives after it opens nothing."""
    bank = Bank(tmp_path)
    bank.feed(*structured(100, "a"))
    first = bank.close_case()
    bank.feed(build.cash(50, event_id="late"))
    [case] = bank.store.rows("SELECT * FROM fraud_cases")
    assert (case["case_id"], case["signal_count"]) == (first, 2)
    bank.check(project)


def test_a_reopened_case_takes_up_what_came_since(tmp_path: Path, project: RenderedProject) -> None:
    """A signal too light for a case of its own joins the reopened one; so after a restart."""
    bank = Bank(tmp_path)
    bank.feed(*structured(0, "a"))
    bank.close_case()
    bank.feed(*(build.login(5000 + n, event_id=f"l{n}") for n in range(3)))
    bank.act("reopen")
    [case] = bank.store.rows("SELECT * FROM mv_open_fraud_cases")
    assert (case["signal_count"], case["score"]) == (2, 0.75)
    bank.detector = bank.restarted()
    bank.feed(build.online(9000, device_id="d-9", amount="900.00"))
    assert bank.store.rows("SELECT * FROM mv_open_fraud_cases")[0]["signal_count"] == 3
    bank.check(project)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("cash"), st.sampled_from([1, 60, 1500, 1801, 4000])),
        st.tuples(st.just("takeover"), st.sampled_from([1, 60, 1500, 1801, 4000])),
        st.tuples(st.just("late"), st.just(100)),
        st.tuples(st.sampled_from(["close", "restart", "forget"]), st.just(0)),
    ),
    min_size=4,
    max_size=14,
)


@settings(max_examples=settings().max_examples // 4)
@given(steps=STEPS)
def test_cases_are_a_function_of_signals_and_closings(
    tmp_path_factory: pytest.TempPathFactory, project: RenderedProject, steps: list[tuple[str, int]]
) -> None:
    """Whatever is closed when, and restarted in between, the three definitions agree."""
    bank, now = Bank(tmp_path_factory.mktemp("closings")), 0
    with closing(bank.store):
        bank.feed(build.profile(0, event_id="p"))
        for number, (step, seconds) in enumerate(steps):
            now += 0 if step == "late" else seconds
            at, name = now - (seconds if step == "late" else 0), f"e{number}"
            if step in ("cash", "late"):
                bank.feed(build.cash(at, event_id=name))
            elif step == "takeover":
                bank.feed(build.online(at, device_id=name, amount="600.00", event_id=name))
            elif step == "restart":
                bank.detector = bank.restarted()
            elif step == "forget":
                now += 700
                bank.feed(build.transaction(now, "acc-9", customer_id="cust-9", event_id=name))
            elif bank.store.rows("SELECT 1 FROM mv_open_fraud_cases"):
                bank.close_case()
        bank.check(project)
