"""Values are added to lists and taken off again while detection runs."""

from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from detector.adapters.duckdb.store import DuckDBStore
from detector.adapters.people.list_entries import ListEntries
from detector.cases.principals import Principal
from detector.cases.review import ActionRefused
from detector.pipeline.pipeline import Pipeline
from detector.signals.changes import with_changes
from detector.signals.lists import NamedList
from detector.signals.rules import Rules
from tests import build
from tests.build import SHIPPED, moment, online
from tests.journeys.test_rule_versions import Changing

KIM = Principal("kim", "analyst")


def with_list(**changes: dict[str, Any]) -> Rules:
    """The shipped rules with an empty list of devices, and these changes."""
    devices = NamedList(title="Devices", of=["device_id"])
    rules = SHIPPED.model_copy(update={"lists": {**SHIPPED.lists, "devices": devices}})
    for pattern, change in changes.items():
        rules = with_changes(rules, pattern, change)
    return rules


LISTED = with_list(
    velocity={"where": "device_id in list('devices')", "threshold": 1},
    account_takeover={"where": "not card_present and device_id not in list('devices')"},
)


class Listing:
    """A run during which entries are added and ended."""

    def __init__(self, path: Path, batches: list[Any]) -> None:
        self.path, self.batches, self.done = path, batches, 0

    def until(self, at: int, change: Any) -> None:
        """Process the batches before the `at`-th, then change the entries while it runs."""
        with closing(DuckDBStore(self.path, LISTED)) as store:
            people = store.people()
            source = Changing(self.batches[: at + 1], at, lambda: change(people.list_entries))
            pipeline = Pipeline(store.rules, source, store, clock=lambda: build.NOW)
            people.follow_rules(pipeline.adopt, store.rules_given)
            pipeline.run()

    def rules(self) -> Rules:
        """The rules in force at the end."""
        with closing(DuckDBStore(self.path, LISTED)) as store:
            return store.rules


def device(at: float, name: str, **fields: Any) -> Any:
    return online(at, device_id=name, **fields)


def test_the_store_is_that_of_an_engine_that_knew_the_entries_from_the_start(
    tmp_path: Path,
) -> None:
    """Though they came and went while it ran, with restarts in between."""
    seen = [
        device(60 * n, f"d-{n % 3}", event_id=f"e{n}", customer_id=f"cust-{n % 4}", amount="900.00")
        for n in range(40)
    ]
    late = [device(60 * n + 30, "d-1", event_id=f"late{n}") for n in (18, 19)]
    log = [*seen[:20], *late[:1], *seen[20:30], *late[1:], *seen[30:]]
    batches = build.split(build.records(log), [8])
    run = Listing(tmp_path / "one.duckdb", batches)
    run.until(1, lambda entries: entries.add(KIM, "devices", "d-1", "Seen in a takeover.", None))
    run.until(3, lambda entries: entries.end(KIM, entries.all()[0].entry_id))
    run.until(4, lambda entries: entries.add(KIM, "devices", "d-2", "For a while.", 1))
    known = run.rules()
    assert [e.value for e in known.lists["devices"].entries] == ["d-1", "d-2"]
    build.stored(tmp_path / "two.duckdb", batches[:5], known)
    one = build.contents(tmp_path / "one.duckdb", LISTED)
    two = build.contents(tmp_path / "two.duckdb", known)
    assert len(one.pop("list_entries")) == 2 and len(one.pop("audit_log")) == 3
    assert one.items() <= two.items()
    velocity = [row for row in one["fraud_signals"] if row[1] == "velocity"]
    assert 3 < len(velocity) < 20


def test_an_entry_says_nothing_of_events_before_it(tmp_path: Path) -> None:
    """Nor does one of a late event from before; the next event counts, whatever its source."""
    with closing(DuckDBStore(tmp_path / "s.duckdb", LISTED)) as store:
        people = store.people()

        def add() -> None:
            pipeline.submit(build.records([device(100, "d-1", event_id="ahead")]))
            entry = people.list_entries.add(KIM, "devices", "d-1", "A reason.", 2)
            assert entry.since == moment(100) + timedelta(microseconds=1)
            assert entry.until == entry.since + timedelta(days=2)

        batches = [
            build.records([device(0, "d-1", event_id="before")]),
            build.records(
                [
                    device(50, "d-1", event_id="late"),
                    device(101, "d-1", event_id="after"),
                    device(102, "d-2", event_id="other"),
                ]
            ),
        ]
        pipeline = Pipeline(store.rules, Changing(batches, 1, add), store, clock=lambda: build.NOW)
        people.follow_rules(pipeline.adopt, store.rules_given)
        pipeline.run()
        found = store.query("SELECT signal_id FROM fraud_signals WHERE pattern = 'velocity'")
    assert found == [("velocity:after",)]


@pytest.fixture
def entries(tmp_path: Path) -> Any:
    with closing(DuckDBStore(tmp_path / "s.duckdb", LISTED)) as store:
        yield store.people().list_entries


def test_an_entry_is_made_once_and_ended_once(entries: ListEntries) -> None:
    """A value can come back; each has its own row."""
    first = entries.add(KIM, "devices", "d-1", "A reason.", None)
    with pytest.raises(ActionRefused, match="d-1 is in list devices already"):
        entries.add(KIM, "devices", "d-1", "Again.", None)
    entries.end(KIM, first.entry_id)
    with pytest.raises(ActionRefused, match="over already"):
        entries.end(KIM, first.entry_id)
    with pytest.raises(KeyError):
        entries.end(KIM, "lst_000000000000")
    again = entries.add(KIM, "devices", "d-1", "It came back.", 3)
    assert [e.entry_id for e in entries.all()] == [again.entry_id, first.entry_id]
