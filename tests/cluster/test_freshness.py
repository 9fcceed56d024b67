"""Freshness as a reader sees it: from a published event to a row that can be read."""

from datetime import UTC, datetime

import pytest

from detector.core.events import Record, decode
from detector.signals.loading import load_rules
from scripts import freshness


class World:
    """A cluster that shows a signal some time after its events, and a clock."""

    def __init__(self, delay_s: float) -> None:
        self.delay_s = delay_s
        self.now = 0.0
        self.shown_at: dict[str, float] = {}
        self.sent: list[bytes] = []

    def publish(self, customer: str, events: list[bytes]) -> None:
        self.sent += events
        self.shown_at[customer] = self.now + self.delay_s

    def visible(self, customer: str) -> bool:
        return self.now >= self.shown_at[customer]

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def measured(self) -> list[float]:
        return freshness.measure(self.publish, self.visible, 5, lambda: self.now, self.sleep)


def test_it_measures_what_a_reader_waits() -> None:
    """To within one poll, and never less than the delay."""
    times = World(0.25).measured()
    assert len(times) == 5
    assert all(250 <= waited <= 250 + 2 * 1000 * freshness.POLL_S for waited in times)


def test_a_signal_that_never_shows_ends_it() -> None:
    """Instead of waiting for ever, or of leaving it out of the percentiles."""
    with pytest.raises(TimeoutError, match="no signal of freshness_"):
        World(3600).measured()


def test_the_goal_can_be_missed() -> None:
    """It prints the settings beside the figures."""
    text, kept = freshness.report([100, 120, 900], "barrier_interval_ms 1000", 300)
    assert not kept and "MISSED" in text and "barrier_interval_ms 1000" in text
    assert freshness.report([100, 120, 250], "", 300)[1]


def test_its_events_keep_the_contract_and_fire() -> None:
    """As many failures as the pattern needs, and too little weight to open a case."""
    pattern = load_rules().patterns["brute_force_login"]
    events = freshness.logins("freshness_x", datetime.now(UTC))
    assert len(events) == pattern.threshold
    for event in events:
        decode(Record("logins", event, "test", 1))
    assert pattern.weight < load_rules().case_score
