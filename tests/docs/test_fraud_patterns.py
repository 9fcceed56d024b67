"""The page on the patterns says what the rules say."""

import re

import pytest

from scripts import pattern_docs
from tests import build

PAGE = pattern_docs.PAGE.read_text("utf-8")


def test_the_tables_are_those_of_the_rules() -> None:
    """`make docs-patterns` would change nothing."""
    assert pattern_docs.rewritten(PAGE, build.REAL) == PAGE
    readme = pattern_docs.README.read_text("utf-8")
    assert pattern_docs.readme(readme, build.REAL) == readme


def test_the_overview_says_which_events_count() -> None:
    """Failed logins, and cash just under the threshold: not any login, not any transaction."""
    overview = pattern_docs.overview(build.REAL)
    assert "3 or more logins of one customer within 1 minute; counted if outcome is failure" in (
        overview
    )
    assert "amount is at least 9,000 and below 10,000" in overview


def test_a_changed_threshold_would_be_noticed() -> None:
    """The comparison above is not of two empty tables."""
    velocity = build.REAL.patterns["velocity"].model_copy(update={"threshold": 6.0})
    rules = build.REAL.model_copy(
        update={"patterns": {**build.REAL.patterns, "velocity": velocity}}
    )
    assert "6 or more transactions" in pattern_docs.rewritten(PAGE, rules)


def test_a_pattern_without_a_part_is_refused() -> None:
    """Adding a pattern fails until the page has it."""
    page = PAGE.replace("<!-- generated: compound -->", "")
    with pytest.raises(ValueError, match="compound"):
        pattern_docs.rewritten(page, build.REAL)


@pytest.mark.parametrize("name", build.REAL.patterns)
def test_every_pattern_is_explained(name: str) -> None:
    """An analyst finds what it is and why it matters, before its parameters."""
    section = re.search(rf"^## {name}\n(.*?)<!-- generated: {name} -->", PAGE, re.M | re.S)
    assert section is not None
    assert "**What.** " in section[1] and "**Why.** " in section[1]
