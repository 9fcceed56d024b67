"""Lists as CSV, as filtered, and in the audit log."""

import csv
import json
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta

import pytest
from pydantic import BaseModel

from detector.console.http.spreadsheet import csv_file
from tests.console.backlog import SAM
from tests.console.harness import Harness


@pytest.fixture(scope="module")
def harness(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    """A bank's console."""
    with closing(Harness(tmp_path_factory.mktemp("csv"))) as harness:
        yield harness


@pytest.mark.parametrize(
    ("page", "path", "name"),
    [
        ("/v1/cases", "/v1/cases.csv", "cases"),
        ("/v1/cases?level=high", "/v1/cases.csv?level=high", "cases"),
        ("/v1/signals?limit=500", "/v1/signals.csv", "signals"),
        ("/v1/signals?pattern=velocity&limit=500", "/v1/signals.csv?pattern=velocity", "signals"),
    ],
)
def test_a_list_is_exported_as_it_is_filtered(
    harness: Harness, page: str, path: str, name: str
) -> None:
    """The same rows in the same order as the page has; every export is an entry of the log."""
    vic = harness.person("vic")
    answer = vic.get(path)
    rows = list(csv.DictReader(answer.text.splitlines()))
    key = "case_id" if name == "cases" else "signal_id"
    shown = [row[key] for row in vic.get(page).json()[name]]
    assert shown and [row[key] for row in rows] == shown
    assert answer.headers["content-type"].startswith("text/csv")
    assert "attachment" in answer.headers["content-disposition"]
    entry = harness.people.audit.entries(1)[0]
    assert (entry.actor, entry.detail[name]) == ("vic", len(rows))


def test_the_audit_log_is_exported_as_one_may_read_it(harness: Harness) -> None:
    """With its filters, details as JSON; for those who read it, and with an entry of its own."""
    sam = harness.person("sam")
    sam.get("/v1/cases.csv")
    answer = sam.get("/v1/audit.csv?action=export_open")
    rows = list(csv.DictReader(answer.text.splitlines()))
    assert rows and {row["action"] for row in rows} == {"export_open"}
    assert json.loads(rows[0]["detail"])["cases"] > 0
    assert harness.people.audit.entries(1)[0].action == "export_audit"
    assert 'href="/v1/audit.csv?actor=sam" download' in sam.get("/audit?actor=sam").text
    assert harness.person("kim").get("/v1/audit.csv").status_code == 403


def test_snoozes_are_exported(harness: Harness) -> None:
    """Those in force and those that are over."""
    until = harness.people.audit.clock() + timedelta(hours=1)
    harness.people.snoozes.add(SAM, "velocity", "account", "acc-9", until, "known shop")
    kim = harness.person("kim")
    [row] = csv.DictReader(kim.get("/v1/snoozes.csv").text.splitlines())
    assert (row["entity"], row["reason"], row["ended_at"]) == ("acc-9", "known shop", "")
    assert 'href="/v1/snoozes.csv" download' in kim.get("/snoozes").text


@pytest.mark.parametrize("path", ["/cases?level=high", "/signals?pattern=velocity"])
def test_the_page_links_to_the_export_of_what_it_shows(harness: Harness, path: str) -> None:
    """With its filters."""
    html = harness.person("kim").get(path).text
    name, query = path.split("?")
    assert f'href="/v1{name}.csv?{query}" download' in html


class Note(BaseModel):
    """A row with text and a list."""

    text: str
    names: list[str]


def test_a_formula_is_text() -> None:
    """A cell that a spreadsheet would run starts with a quote."""
    rows = [Note(text="=1+1", names=["a", "b"]), Note(text="plain", names=["@x"])]
    body = bytes(csv_file("notes", Note, rows).body).decode()
    assert body.splitlines() == ["text,names", '\'=1+1,"a, b"', "plain,'@x"]
