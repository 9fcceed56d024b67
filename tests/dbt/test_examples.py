"""The examples in the patterns' blocks, run by both engines."""

from typing import Any

import pytest

from detector.analysis.examples import check
from detector.core.errors import RulesError
from detector.signals.changes import with_changes
from detector.signals.rules import Rules
from tests.build import REAL, SHIPPED


@pytest.mark.parametrize("name", REAL.patterns)
def test_every_pattern_does_what_its_examples_say(name: str) -> None:
    """At least one fires and one stays silent, in the engine and in SQL."""
    found = list(check(REAL, [name]))
    assert {result.must_fire for result in found} == {True, False}
    assert [result for result in found if not result.ok] == []


@pytest.mark.parametrize("name", SHIPPED.patterns)
def test_a_change_that_matters_breaks_an_example(name: str) -> None:
    """The examples are near enough to the threshold: a tenth more, or one more, silences them."""
    pattern = SHIPPED.patterns[name]
    factor = 1.1 if pattern.threshold > 10 or name == "unusual_amount" else 1
    more = pattern.threshold * (4 if name in ("unusual_amount", "geo_impossible") else factor)
    harder = with_changes(SHIPPED, name, {"threshold": more + (factor == 1)})
    assert [r for r in check(harder, [name]) if r.must_fire and r.engine + r.sql > 0] == []


def changed(examples: list[dict[str, Any]]) -> Rules:
    return with_changes(SHIPPED, "velocity", {"examples": examples})


FIVE = {"fires": "five", "events": [{"every": 1, "times": 5}]}
FOUR = {"silent": "four", "events": [{"every": 1, "times": 4}]}


@pytest.mark.parametrize(
    ("examples", "message"),
    [
        ([], "needs one that `fires` and one that stays `silent`, a near miss"),
        ([FIVE], "near miss"),
        ([FOUR], "near miss"),
        ([FIVE, {"silent": "x", "events": [{"amount": 5, "status": "LOST"}]}], "x: .*status"),
        ([FIVE, {"silent": "x", "events": [{"stream": "atms"}]}], "no stream atms"),
    ],
)
def test_what_is_no_example_is_refused(examples: list[dict[str, Any]], message: str) -> None:
    """With the pattern, and what is wrong."""
    with pytest.raises(RulesError, match=f"patterns.velocity.examples.*{message}"):
        list(check(changed(examples), ["velocity"]))


def test_an_example_is_one_of_two_kinds() -> None:
    """The block itself says so."""
    with pytest.raises(RulesError, match="either `fires` or `silent`"):
        changed([{"events": [{"at": 0}]}])


def test_an_example_that_says_otherwise_fails() -> None:
    """A near miss that fires is found by both engines."""
    wrong = [FIVE, {"silent": "five", "events": FIVE["events"]}]
    assert [r.ok for r in check(changed(wrong), ["velocity"])] == [True, False]
