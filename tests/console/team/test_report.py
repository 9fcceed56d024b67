"""The report of a period: counted again from what was done, as Markdown, page and JSON."""

import json
import re
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from detector.analysis.digest import markdown, page
from detector.analysis.report import report
from tests.build import SHIPPED
from tests.console.backlog import KIM, LEE, SAM
from tests.console.harness import Harness
from tests.people import act

WHOLE = (datetime(2020, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
ENDS = ("CONFIRMED_FRAUD", "FALSE_POSITIVE", "FALSE_POSITIVE", "INCONCLUSIVE")


def _decided(harness: Harness) -> list[Any]:
    query = "SELECT snapshot FROM case_reviews WHERE status = 'CLOSED' ORDER BY reviewed_at"
    return [json.loads(row) for (row,) in harness.store.query(query)]


@pytest.fixture
def harness(tmp_path: Path) -> Iterator[Harness]:
    """A bank's console, with four decided cases, each a quarter of an hour after its claim."""
    with closing(Harness(tmp_path)) as harness:
        begin = harness.people.audit.clock()
        times = iter([begin + timedelta(minutes=15 * n) for n in range(60)])
        harness.people.audit.clock = lambda: next(times)
        for case, end in zip(harness.cases("high")[:4], ENDS, strict=True):
            act(harness.people, KIM, case, "claim")
            act(harness.people, KIM, case, "close", disposition=end)
        versions = harness.people.rule_versions
        versions.propose(LEE, "velocity", {"threshold": 4}, "Cards are tested.", {})
        versions.approve(SAM, "velocity", 1)
        yield harness


def test_it_counts_what_was_found_and_decided(harness: Harness) -> None:
    """Against the tables, by other queries; a rule without a part in a confirmed case missed it."""
    found = report(harness.store, SHIPPED, *WHOLE)
    totals = found["totals"]
    assert (totals["confirmed"], totals["refuted"], totals["inconclusive"]) == (1, 2, 1)
    assert totals["precision"] == 0.3333
    assert (totals["hours_of_analysts"], totals["hours_on_false_positives"]) == (1.0, 0.5)
    confirmed, *wrong, _ = _decided(harness)
    assert float(totals["exposed"]) == float(confirmed["exposure"])
    stored = dict(
        harness.store.query("SELECT pattern, count(*) FROM fraud_signals GROUP BY pattern")
    )
    for row in found["patterns"]:
        name = row["pattern"]
        assert row["signals"] == stored.get(name, 0)
        assert row["refuted"] == sum(name in case["patterns"].split(", ") for case in wrong)
        assert row["missed_by"] == (name not in confirmed["patterns"].split(", "))
    assert sum(row["refuted"] for row in found["combinations"]) == 2
    assert [change["decided_by"] for change in found["changes"]] == ["sam"]


def test_the_period_bounds_it_and_the_one_before_is_compared(harness: Harness) -> None:
    """Nothing is decided in the period after; its precision before is that of the period."""
    now = datetime.now(UTC) + timedelta(days=1)
    later = report(harness.store, SHIPPED, now, now + timedelta(days=2))
    assert later["totals"]["confirmed"] == later["totals"]["transactions"] == 0
    assert later["totals"]["precision"] is None and later["combinations"] == []
    assert any(row["precision_before"] is not None for row in later["patterns"])


def test_a_reader_sees_the_same_figures_everywhere(harness: Harness) -> None:
    """As Markdown, as a page, from the console; names of rules and reasons are escaped."""
    found = report(harness.store, SHIPPED, *WHOLE)
    text, html = markdown(found, SHIPPED), page(found, SHIPPED)
    for table in re.findall(r"^\| .* \|$", text, re.M):
        if "---" not in table:
            for cell in table.strip("| ").split(" | "):
                assert cell in html.replace("&#34;", '"'), cell
    assert len(re.findall("<td>", html)) > 100 and "Cards are tested." in html
    sam = harness.person("sam")
    asked = {"since": WHOLE[0].isoformat(), "until": WHOLE[1].isoformat()}
    assert sam.get("/v1/report", params=asked).json()["totals"]["confirmed"] == 1
    assert "<h2>Rules</h2>" in sam.get("/team/report").text
    assert harness.person("kim").get("/v1/report").status_code == 403
    wrong = sam.get("/v1/report", params={"since": asked["until"], "until": asked["since"]})
    assert wrong.status_code == 422
