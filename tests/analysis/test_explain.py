"""Why something fired, or did not."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from detector.adapters.duckdb.store import DuckDBStore
from detector.analysis.explain import explain
from detector.core.errors import InputError
from detector.core.events import Event
from detector.signals.changes import challenger, with_changes
from tests import build
from tests.build import SHIPPED, cash, login, online, transaction

LOG: list[Event] = [
    *(transaction(n * 10, event_id=f"v{n}", amount="20.00") for n in range(5)),
    cash(100, event_id="c1"),
    cash(160, event_id="c2"),
    online(400, event_id="o1", amount="150.00", device_id="d-new"),
    *(login(500 + n, "cust-2", event_id=f"l{n}") for n in range(2)),
]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckDBStore]:
    """A store with a burst, structured cash, and what stays below the thresholds."""
    path = tmp_path_factory.mktemp("explain") / "s.duckdb"
    build.stored(path, build.split(build.records(LOG), [3]))
    with closing(DuckDBStore(path, SHIPPED)) as store:
        yield store


def test_a_signal_rests_on_events_and_without_any_of_them_it_is_gone(store: DuckDBStore) -> None:
    """At its threshold, each event that is named is one that it needs."""
    found = explain(store._connection, SHIPPED, "velocity:v4")
    assert (found["observed"], found["threshold"]) == (5, 5)
    names = [row["event_id"] for row in found["rests_on"]]
    assert names == ["v0", "v1", "v2", "v3", "v4"]
    assert found["scores"] == [
        {
            "account_id": "acc-1",
            "risk_score": 0.3,
            "risk_level": "medium",
            "patterns": "velocity",
        }
    ]
    assert "velocity:v4" in build.detect([LOG], SHIPPED).signals
    for name in names:
        rest = [event for event in LOG if event.event_id != name]
        assert "velocity:v4" not in build.detect([rest], SHIPPED).signals


def test_a_case_is_told_signal_by_signal(store: DuckDBStore) -> None:
    """What each adds to the score, and at which it opened."""
    [case] = store.rows("SELECT * FROM cases")
    found = explain(store._connection, SHIPPED, case["case_id"])
    steps = [(s["signal_id"], s["adds"], s["score"], s["level"]) for s in found["steps"]]
    assert steps == [
        ("velocity:v4", 0.3, 0.3, "medium"),
        ("structuring:c2", 0.5, 0.8, "critical"),
    ]
    assert [s["opens"] for s in found["steps"]] == [False, True]
    assert found["steps"][-1]["score"] == case["score"]


def test_an_event_shows_how_far_each_pattern_was_from_firing(store: DuckDBStore) -> None:
    """Observed of the threshold, or the condition that is not met."""
    found = explain(store._connection, SHIPPED, "o1")
    by_pattern = {row["pattern"]: row for row in found["patterns"]}
    assert set(by_pattern) == {
        name for name, p in SHIPPED.patterns.items() if p.source == "transactions"
    }
    takeover = by_pattern["account_takeover"]
    assert not takeover["fired"] and takeover["not_met"] == []
    assert by_pattern["velocity"]["observed"] == 1 and by_pattern["velocity"]["missing"] == 4
    assert by_pattern["cnp_spike"]["not_met"] == ["card is missing"]
    assert "card present" in by_pattern["geo_impossible"]["not_met"]
    fired = explain(store._connection, SHIPPED, "v4")["patterns"]
    assert [row["pattern"] for row in fired if row["fired"]] == ["velocity"]


def test_logins_have_their_own_patterns(store: DuckDBStore) -> None:
    """Two failed of three."""
    [row] = explain(store._connection, SHIPPED, "l1")["patterns"]
    assert (row["pattern"], row["observed"], row["missing"]) == ("brute_force_login", 2, 1)


def test_what_is_not_there_is_said(store: DuckDBStore) -> None:
    """With the form of a signal's id."""
    with pytest.raises(InputError, match="PATTERN:EVENT_ID"):
        explain(store._connection, SHIPPED, "nothing")


def test_the_command_prints_tables(store: DuckDBStore, tmp_path: Path) -> None:
    """Also for people: each kind of answer."""
    from typer.testing import CliRunner

    from detector.cli.app import app

    path = tmp_path / "copy.duckdb"
    build.stored(path, build.split(build.records(LOG), [100]))
    for name, words in (("velocity:v4", "rests on"), ("o1", "card present"), ("l1", "brute_force")):
        shown = CliRunner().invoke(app, ["explain", name, "--store", str(path)])
        assert shown.exit_code == 0 and words in shown.stdout


def test_what_fired_in_shadow_is_explained(tmp_path: Path) -> None:
    """Of a pattern in shadow and of a version that is tried; the event says that it fired."""
    rules = with_changes(SHIPPED, "velocity", {"mode": "shadow"})
    tried = challenger(rules, "velocity", 2, {"threshold": 4})
    rules = rules.model_copy(update={"challengers": {tried.id: tried}})
    build.stored(tmp_path / "s.duckdb", [build.records(LOG)], rules)
    with closing(DuckDBStore(tmp_path / "s.duckdb", rules)) as store:
        for name, count in (("velocity:v4", 5), ("velocity@2:v3", 4)):
            found = explain(store._connection, rules, name)
            assert (found["mode"], found["observed"], found["scores"]) == ("shadow", count, [])
            assert len(found["rests_on"]) == count
        velocity = explain(store._connection, rules, "v4")["patterns"][0]
    assert (velocity["pattern"], velocity["mode"], velocity["fired"]) == (
        "velocity",
        "shadow",
        True,
    )
