"""A source that is mostly set aside is an alarm, not a statistic."""

import pytest

from detector.pipeline.alarms import WINDOW_S, Alarms
from detector.pipeline.work import DeadLetter, IngestStatus, Work
from tests import build


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def work(evaluated: int, status: IngestStatus, count: int, source: str = "kafka:bank") -> Work:
    """Committed logins of a source."""
    found = Work(source, "1", 0.0)
    found.keep("logins", [build.login(n) for n in range(evaluated)], "evaluated")
    found.keep("logins", [build.login(n) for n in range(count)], status)
    return found


@pytest.mark.parametrize(("status", "words"), [("late", "too late"), ("future", "in the future")])
def test_mostly_late_or_future_is_an_alarm(status: IngestStatus, words: str) -> None:
    """It says which stream of which source, how many, and what to look for."""
    alarms = Alarms(Clock())
    alarms.publish(work(40, status, 60))
    [text] = alarms.active()
    assert text.startswith("Most logins of kafka (60 of 100 in the last 5 minutes)")
    assert words in text and alarms.blind


def test_half_is_not_most_and_few_are_nothing() -> None:
    """A few late events are normal."""
    alarms = Alarms(Clock())
    alarms.publish(work(50, "late", 50))
    assert alarms.active() == [] and not alarms.blind
    few = Alarms(Clock())
    few.publish(work(0, "late", 19))
    assert few.active() == []


def test_it_ends_when_the_source_recovers() -> None:
    """Only the last minutes count."""
    clock = Clock()
    alarms = Alarms(clock)
    alarms.publish(work(0, "late", 100))
    assert alarms.blind
    clock.now = WINDOW_S + 1
    alarms.publish(work(30, "late", 1))
    assert alarms.active() == []


def test_callers_of_the_api_do_not_decide_about_readiness() -> None:
    """Their records are an alarm on the screen only; unknown stream names are not repeated."""
    alarms = Alarms(Clock())
    found = work(0, "future", 30, source="")
    for n in range(30):
        found.dead_letters.append(
            DeadLetter(stream="4111111111111111", reason="", origin="api", offset=n, raw=b"")
        )
    alarms.publish(found)
    texts = alarms.active()
    assert len(texts) == 2 and not alarms.blind
    assert not any("4111" in text for text in texts)
