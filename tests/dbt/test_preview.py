"""What a changed rule would do, computed before it is changed."""

import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from detector.adapters.bank_files import bank_settings, write_bank
from detector.adapters.duckdb.store import DuckDBStore
from detector.analysis.backtest import backtest
from detector.analysis.history import history_of_files, history_of_store
from detector.analysis.preview import Preview
from detector.analysis.replay import replay_folder
from detector.analysis.sweep import Point, knee, plot
from detector.cases.principals import Principal
from detector.core.errors import InputError, RulesError
from detector.signals.changes import with_changes
from tests.build import SHIPPED
from tests.people import act

CHANGE = {"threshold": 4, "window_seconds": 90}
SAM = Principal("sam", "supervisor")


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """6,000 events with their truth."""
    folder = tmp_path_factory.mktemp("bank")
    write_bank(folder, bank_settings(seed=3, fraud_rate=0.1, customer_pool_size=300), 6_000)
    return folder


def test_it_is_what_a_backtest_with_the_changed_rules_says(bank: Path) -> None:
    """Signals, cases, precision and recall of both, the same to the last digit."""
    changed = with_changes(SHIPPED, "velocity", CHANGE)
    truth = bank / "truth.jsonl"
    with history_of_files([bank], SHIPPED) as db:
        found = Preview(db, SHIPPED, "velocity", truth).compare(changed)
    for kind, rules in (("before", SHIPPED), ("after", changed)):
        report = backtest([bank], rules, truth=truth)
        signals, own = report["patterns"]["velocity"], report["truth"]["patterns"]["velocity"]
        assert found[kind]["signals"] == signals["signals"]
        assert found[kind]["subjects"] == signals["subjects"]
        assert found[kind]["critical"] == report["cases"]["critical"]
        for name in ("precision", "precision_interval", "recall", "instances"):
            assert found[kind]["truth"][name] == own[name]
    assert found["after"]["signals"] > found["before"]["signals"]


def test_cases_that_appear_are_not_there_before(bank: Path) -> None:
    """And back again: what appears with a change disappears without it."""
    changed = with_changes(SHIPPED, "velocity", CHANGE)
    with history_of_files([bank], SHIPPED) as db:
        there = Preview(db, SHIPPED, "velocity").compare(changed)
    with history_of_files([bank], SHIPPED) as db:
        back = Preview(db, changed, "velocity").compare(SHIPPED)
    assert there["cases"]["new"]["count"] > 0
    assert there["cases"]["new"] == back["cases"]["gone"]
    assert there["cases"]["gone"] == back["cases"]["new"]
    assert (there["before"], there["after"]) == (back["after"], back["before"])


def test_a_store_says_the_same_and_compares_with_decisions(bank: Path, tmp_path: Path) -> None:
    """Its evaluated events; a confirmed case that a change would lose is counted."""
    path = tmp_path / "store.duckdb"
    replay_folder(bank, path, SHIPPED)
    store = DuckDBStore(path, SHIPPED)
    people = store.people(four_eyes=False)
    [velocity] = store.rows(
        "SELECT * FROM mv_open_fraud_cases WHERE patterns LIKE '%velocity%, %' "
        "ORDER BY case_id LIMIT 1"
    )
    act(people, SAM, {**velocity, "next_case_id": None}, "close", disposition="CONFIRMED_FRAUD")
    store.close()
    none = with_changes(SHIPPED, "velocity", {"threshold": 1000})
    with history_of_store(path, SHIPPED, "velocity") as db:
        of_store = Preview(db, SHIPPED, "velocity").compare(none)
    with history_of_files([bank], SHIPPED) as db:
        of_files = Preview(db, SHIPPED, "velocity").compare(none)
    for kind in ("before", "after"):
        decided = of_store[kind].pop("decided")
        assert (decided["confirmed"], decided["confirmed_shown"]) == (1, 1)  # by its other pattern
        assert of_store[kind] == of_files[kind]
    assert of_store["after"]["signals"] == 0 and of_store["cases"] == of_files["cases"]


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("velocity", {"treshold": 4}, "velocity.treshold: not a known key"),
        ("velocity", {"threshold": -1}, "velocity.threshold: .* greater than 0"),
        ("nothing", {"threshold": 1}, "no pattern nothing; there are velocity"),
    ],
)
def test_what_a_block_cannot_have_is_refused(
    name: str, change: dict[str, float], message: str
) -> None:
    """In the words of the rules' own check."""
    with pytest.raises(RulesError, match=message):
        with_changes(SHIPPED, name, change)


def point(value: int, cost: float, gain: float | None) -> Point:
    truth = None if gain is None else {"value_in_case_share": gain}
    return Point(value, {"cases_per_day": cost, "signals": value, "truth": truth})


def test_the_knee_is_where_more_work_stops_to_pay() -> None:
    """Without a truth there is none, nor where nothing changes."""
    assert knee([point(3, 100, 0.9), point(4, 20, 0.85), point(5, 10, 0.2)]) == 1
    assert knee([point(3, 100, None), point(4, 20, None)]) is None
    assert knee([point(3, 10, 0.5), point(4, 10, 0.6)]) is None


def test_the_drawing_has_every_value(tmp_path: Path) -> None:
    """Well-formed, with the knee marked, and no markup of a value; the same each time."""
    points = [point(3, 100, 0.9), Point("<$4$>", point(4, 20, 0.8).outcome), point(5, 10, 0.2)]
    for name in ("one.svg", "two.svg", "one.png"):
        plot(tmp_path / name, points, 1, "velocity", "threshold")
    drawn = ElementTree.parse(tmp_path / "one.svg")
    texts = {n.text: n.get("style") for n in drawn.iter() if n.tag.endswith("text")}
    assert {"3", "<$4$>", "5", "velocity: threshold"} <= texts.keys()
    assert [text for text, style in texts.items() if "700" in str(style)] == ["<$4$>"]
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()
    assert (tmp_path / "one.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(InputError, match="drawn as"):
        plot(tmp_path / "one.pdf", points, 1, "velocity", "threshold")


def test_drawing_without_its_extra_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Saying what to install."""
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(InputError, match=r"\.\[plots\]"):
        plot(tmp_path / "one.svg", [point(3, 1, 0.9)], None, "velocity", "threshold")
