"""Explanations in the console: from a case to its signals to their events."""

import re
from pathlib import Path

import pytest

from detector.analysis.explain import explain
from tests.build import SHIPPED
from tests.console.harness import Harness


@pytest.fixture
def bank(tmp_path: Path) -> Harness:
    """An eventful day."""
    return Harness(tmp_path)


def test_a_case_is_followed_to_the_events_of_its_signals(bank: Harness) -> None:
    """By the links on the pages; every answer is what the command prints."""
    vic = bank.person("vic")
    [(case_id,)] = bank.store.query("SELECT case_id FROM cases ORDER BY exposure DESC LIMIT 1")
    page = vic.get(f"/cases/{case_id}").text
    assert f'href="/explain/{case_id}"' in page
    steps = vic.get(f"/explain/{case_id}").text
    names = dict.fromkeys(re.findall(r'href="/explain/([^"]+)"', steps))
    assert names and "the case opens" in steps
    for name in names:
        signal = name.replace("%3A", ":")
        found = vic.get(f"/v1/explanations/{signal}").json()
        assert found["signal_id"] == signal and found["kind"] == "signal"
        assert found["reason"] == explain(bank.store._connection, SHIPPED, signal)["reason"]
        events = vic.get(f"/explain/{name}").text
        for event in found["rests_on"]:
            assert f'href="/explain/{event["event_id"]}"' in events


def test_every_event_of_a_timeline_says_how_far_each_pattern_was(bank: Harness) -> None:
    """Fired or not: one that fired leads to its signal."""
    vic = bank.person("vic")
    cases = bank.store.query("SELECT case_id FROM cases")
    pages = "".join(vic.get(f"/cases/{case_id}").text for (case_id,) in cases)
    fired = dict(bank.store.query("SELECT event_id, pattern FROM fraud_signals"))
    linked = set(re.findall(r'class="why" href="/explain/([^"]+)"', pages))
    assert linked & fired.keys() and linked - fired.keys()
    for event_id in sorted(linked & fired.keys())[:3]:
        page = vic.get(f"/explain/{event_id}").text
        assert f"/explain/{fired[event_id]}%3A{event_id}" in page
    for event_id in sorted(linked - fired.keys())[:3]:
        found = vic.get(f"/v1/explanations/{event_id}").json()
        assert found["patterns"] and not any(row["fired"] for row in found["patterns"])
        assert "yes, why" not in vic.get(f"/explain/{event_id}").text
    assert vic.get("/v1/explanations/nothing").status_code == 404
    assert "no signal, case or evaluated event" in vic.get("/explain/nothing").text
