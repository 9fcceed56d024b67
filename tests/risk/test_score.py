"""The score of an account: distinct patterns of the last 120 seconds, at most 1."""

from datetime import datetime

import pytest

from detector.risk.score import RiskBook, RiskPoint
from detector.signals.rules import Rules
from detector.signals.signal import Signal
from tests import build

WEIGHTS = {"aa": 0.25, "bb": 0.25, "cc": 0.30, "dd": 0.24999, "ee": 0.9, "ff": 0.45, "gg": 0.35}


def rules() -> Rules:
    blocks = [
        build.block(view=f"mv_{name}", rule_id=name, alert_type=name.upper(), weight=weight)
        for name, weight in WEIGHTS.items()
    ]
    return build.rules_of(*blocks, lateness=300)


def signal(pattern: str, at: float, name: str | None = None) -> Signal:
    when = build.moment(at)
    event = name or f"{pattern}{at}"
    return Signal(
        signal_id=f"{pattern}:{event}",
        pattern=pattern,
        rule_id="R",
        severity="HIGH",
        weight=WEIGHTS[pattern],
        customer_id="cust-1",
        account_id="acc-1",
        subject="acc-1",
        event_id=event,
        occurred_at=when,
        window_start=when,
        observed=1,
        threshold=1,
        amount=None,
        exposed=[],
        reason="",
        evidence={},
    )


def history(*signals: Signal) -> dict[datetime, tuple[float, str]]:
    book, points = RiskBook(rules()), {}
    for one in signals:
        for point in book.add("acc-1", one):
            points[point.occurred_at] = (point.risk_score, point.risk_level)
    return points


@pytest.mark.parametrize(
    ("patterns", "score", "level"),
    [
        (["dd"], 0.24999, "low"),
        (["aa"], 0.25, "medium"),
        (["dd", "aa"], 0.49999, "medium"),
        (["aa", "bb"], 0.50, "high"),
        (["ff", "cc"], 0.75, "high"),
        (["ff", "gg"], 0.80, "critical"),
        (["aa", "bb", "cc"], 0.80, "critical"),
        (["ee", "ff"], 1.0, "critical"),
        (["ee", "ff", "aa", "bb", "cc"], 1.0, "critical"),
    ],
)
def test_levels_begin_exactly_at_their_threshold(
    patterns: list[str], score: float, level: str
) -> None:
    """Weights add up without binary rounding, and never beyond 1."""
    points = history(*(signal(p, 0) for p in patterns))
    assert points[build.moment(0)] == (score, level)


def test_a_pattern_counts_once_however_often_it_fires() -> None:
    """Ten bursts in a row are one pattern."""
    points = history(*(signal("cc", n, f"e{n}") for n in range(10)))
    assert {score for score, _ in points.values()} == {0.30}


def test_a_signal_counts_for_less_than_120_seconds() -> None:
    """The window is half open: (t - 120 s, t]."""
    assert history(signal("aa", 0), signal("bb", 119.999))[build.moment(119.999)][0] == 0.50
    assert history(signal("aa", 0), signal("bb", 120))[build.moment(120)][0] == 0.25


def test_a_late_signal_raises_the_points_after_it() -> None:
    """History is that of the ordered log, also where a point stood already."""
    points = history(signal("bb", 100), signal("cc", 200), signal("aa", 50))
    assert points == {
        build.moment(50): (0.25, "medium"),
        build.moment(100): (0.50, "high"),
        build.moment(200): (0.55, "high"),
    }
    assert history(signal("bb", 170), signal("aa", 50))[build.moment(170)] == (0.25, "medium")


def test_a_withdrawn_signal_takes_its_weight_and_its_point_with_it() -> None:
    """A moment at which nothing fired has no point."""
    book = RiskBook(rules())
    taken, kept = signal("aa", 0), signal("bb", 50)
    for one in (taken, kept):
        list(book.add("acc-1", one))
    gone, changed = list(book.withdraw("acc-1", taken))
    assert gone == taken.occurred_at
    assert isinstance(changed, RiskPoint)
    assert (changed.occurred_at, changed.risk_score) == (kept.occurred_at, 0.25)


def test_one_of_two_signals_of_a_pattern_at_a_moment_may_be_withdrawn() -> None:
    """The other still counts."""
    book = RiskBook(rules())
    first, second = signal("aa", 0, "one"), signal("aa", 0, "two")
    for one in (first, second):
        list(book.add("acc-1", one))
    [point] = list(book.withdraw("acc-1", first))
    assert isinstance(point, RiskPoint) and point.risk_score == 0.25


def test_scores_at_a_moment_decay_to_nothing() -> None:
    """Two minutes after its last signal an account has no score."""
    book = RiskBook(rules())
    list(book.add("acc-1", signal("aa", 0)))
    list(book.add("acc-1", signal("bb", 60)))

    def score(at: float) -> float | None:
        point = book.score("acc-1", build.moment(at))
        return None if point is None else point.risk_score

    assert score(-1) is None
    assert score(0) == 0.25
    assert score(60) == 0.50
    assert score(119.9) == 0.50
    assert score(120) == 0.25
    assert score(180) is None


def test_forgetting_leaves_what_still_counts() -> None:
    """Only accounts that were silent for a whole window disappear."""
    book = RiskBook(rules())
    list(book.add("acc-1", signal("aa", 0)))
    list(book.add("acc-2", signal("aa", 500)))
    for _ in book.forget(build.moment(510)):
        pass
    assert book.score("acc-1", build.moment(510)) is None
    assert book.score("acc-2", build.moment(510)) is not None
