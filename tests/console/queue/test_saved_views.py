"""Saved views: of one person, shared, replaced, deleted."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.console.harness import Harness

LARGE = {"name": "Large ones", "filters": {"level": ["high"], "sort": "exposure"}}


@pytest.fixture
def harness(tmp_path: Path) -> Iterator[Harness]:
    """A bank's console."""
    with closing(Harness(tmp_path)) as harness:
        yield harness


def names(person: Any) -> list[tuple[str, str]]:
    return [(v["owner"], v["name"]) for v in person.get("/v1/views").json()["views"]]


def test_a_view_is_ones_own_until_it_is_shared(harness: Harness) -> None:
    """It opens the queue as it was; saving again replaces it; others see only shared ones."""
    kim, lee = harness.person("kim"), harness.person("lee")
    saved = kim.post("/v1/views", json=LARGE)
    assert saved.status_code == 201
    assert saved.json()["href"] == "/cases?level=high&sort=exposure"
    assert "Large ones" in kim.get("/cases").text and "Large ones" not in lee.get("/cases").text
    chosen = kim.get(saved.json()["href"]).text
    assert 'class="chip saved" aria-current="true"' in chosen
    assert kim.post("/v1/views", json={**LARGE, "shared": True}).status_code == 201
    assert names(kim) == names(lee) == [("kim", "Large ones")]
    assert "Shared by kim" in lee.get("/cases").text
    assert harness.people.audit.entries(1)[0].action == "save_view"


def test_only_its_owner_or_a_lead_deletes_a_view(harness: Harness) -> None:
    """A private view of someone else is not even found."""
    kim, lee, sam = (harness.person(name) for name in ("kim", "lee", "sam"))
    kim.post("/v1/views", json=LARGE)
    assert lee.delete("/v1/views/kim/Large ones").status_code == 404
    kim.post("/v1/views", json={**LARGE, "shared": True})
    assert lee.delete("/v1/views/kim/Large ones").status_code == 403
    assert sam.delete("/v1/views/kim/Large ones").status_code == 204
    assert names(kim) == []
    assert kim.delete("/v1/views/kim/Large ones").status_code == 404


def test_a_viewer_keeps_views_but_shares_none(harness: Harness) -> None:
    """Reading is enough to remember what one reads."""
    vic = harness.person("vic")
    assert vic.post("/v1/views", json=LARGE).status_code == 201
    assert vic.post("/v1/views", json={**LARGE, "shared": True}).status_code == 403


@pytest.mark.parametrize(
    "wrong",
    [
        {**LARGE, "name": ""},
        {**LARGE, "name": "a/b"},
        {**LARGE, "name": "x" * 41},
        {**LARGE, "filters": {"level": ["huge"]}},
        {**LARGE, "other": 1},
    ],
)
def test_what_is_no_view_is_refused(harness: Harness, wrong: dict[str, Any]) -> None:
    """Nothing is saved."""
    kim = harness.person("kim")
    assert kim.post("/v1/views", json=wrong).status_code == 422
    assert names(kim) == []


def test_there_is_a_limit(harness: Harness) -> None:
    """Twenty each; one of them can still be replaced."""
    kim = harness.person("kim")
    for n in range(20):
        assert kim.post("/v1/views", json={**LARGE, "name": f"v{n}"}).status_code == 201
    assert kim.post("/v1/views", json={**LARGE, "name": "one more"}).status_code == 409
    assert kim.post("/v1/views", json={**LARGE, "name": "v3"}).status_code == 201


def test_a_view_keeps_its_columns(harness: Harness) -> None:
    """What is left out is gone from the table, one click away, and comes with the view."""
    kim = harness.person("kim")
    fewer = {**LARGE, "filters": {"hide": ["due", "recommended"]}}
    saved = kim.post("/v1/views", json=fewer).json()["href"]
    assert saved == "/cases?hide=due&hide=recommended"
    table = kim.get(saved).text
    assert "<th>Due</th>" not in table and "<th>Recommended</th>" not in table
    assert "<th>Owner</th>" in table
    assert 'href="/cases?hide=recommended" data-column="due"' in table
    assert "<th>Due</th>" in kim.get("/cases").text
