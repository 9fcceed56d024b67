"""`fraud pattern new`: the files it writes are a pattern that both engines know."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from detector.adapters.rendering import PROJECT, rendered
from detector.analysis.examples import check
from detector.analysis.new_pattern import add_pattern, examples_of
from detector.core.errors import InputError, RulesError
from detector.signals.loading import load_rules
from scripts import pattern_docs


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A checkout with what a pattern is written into."""
    copy = tmp_path / "fraud_detection"
    shutil.copytree(PROJECT, copy, ignore=shutil.ignore_patterns("target", "logs"))
    (tmp_path / "docs").mkdir()
    shutil.copy(pattern_docs.PAGE, tmp_path / "docs")
    return copy


def block(**changes: Any) -> dict[str, Any]:
    """A block as the command makes it."""
    return {
        "title": "Tried cards: declined", "view": "mv_tried_cards", "rule_id": "FR-TRY-100",
        "source": "transactions", "operator": "burst", "key": ["card_token", "merchant_id"],
        "scope": "account", "where": "status = 'DECLINED' and merchant_id is not null",
        "window_seconds": 120, "threshold": 3, "weight": 0.3, "severity": "MEDIUM",
        "alert_type": "TRIED_CARDS", "mode": "live",
        "reason": "Tried: {observed} within {window}; the limit is {threshold}.",
        "action": "STEP_UP", **changes,
    }  # fmt: skip


SHAPES = [
    block(key=["card_token"], where="status = 'DECLINED'"),
    block(
        key=["account_id"], threshold=1,
        where="payee_id in list('known_bad_payees') and status = 'APPROVED'",
    ),
    block(key=["account_id"], where="device_id in list('known_bad_devices')"),
    block(key=["account_id"], where="merchant_category = '5947' and merchant_country = 'NO'"),
    block(
        operator="distinct_burst", source="alerts", scope="customer", key=["customer_id"],
        where="severity in ('HIGH', 'CRITICAL')", value="alert_type", window_seconds=600,
    ),
    block(
        operator="novelty", key=["customer_id"],
        where="channel = 'MOBILE' and not card_present and payee_id in list('known_bad_payees')",
        value="device_id", measure="base_amount", threshold=250.0, window_seconds=3600,
    ),
]  # fmt: skip


@pytest.mark.parametrize("given", SHAPES, ids=lambda b: b["operator"])
def test_what_is_written_works(project: Path, given: dict[str, Any]) -> None:
    """The rules load, the model renders, and the examples do what they say in both engines."""
    written = add_pattern(project, "tried_cards", given, examples_of(given))
    assert len(written) == 4
    rules = load_rules(project / "dbt_project.yml")
    assert rules.patterns["tried_cards"].title == "Tried cards: declined"
    models = rendered(rules, project)
    assert "mv_tried_cards" in {model.name for model in models.models}
    found = list(check(rules, ["tried_cards"], project))
    assert [r.must_fire for r in found] == [True, False] and all(r.ok for r in found)
    page = (project.parent / "docs/fraud_patterns.md").read_text("utf-8")
    filled = pattern_docs.rewritten(page, rules)
    assert "## tried_cards\n**What.** Tried cards: declined." in filled


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"weight": 3}, "tried_cards.weight: .* less than or equal to 1"),
        ({"key": ["no_column"]}, r"fields \['no_column'\] not known"),
        ({"where": "amount + 1 > 2"}, "is not understood"),
    ],
)
def test_a_refused_block_leaves_nothing_behind(
    project: Path, change: dict[str, Any], message: str
) -> None:
    """Every file is as it was."""
    before = {p: p.read_bytes() for p in project.parent.rglob("*") if p.is_file()}
    with pytest.raises(RulesError, match=message):
        add_pattern(project, "tried_cards", block(**change), [])
    assert {p: p.read_bytes() for p in project.parent.rglob("*") if p.is_file()} == before


def test_a_name_in_use_and_a_place_without_a_checkout_are_refused(project: Path) -> None:
    """With what to do instead."""
    with pytest.raises(InputError, match="velocity already"):
        add_pattern(project, "velocity", block(), [])
    (project.parent / "docs/fraud_patterns.md").unlink()
    with pytest.raises(InputError, match="not in a checkout"):
        add_pattern(project, "tried_cards", block(), [])


def test_shapes_that_need_thought_get_no_example() -> None:
    """Distances and habits: the command says so."""
    assert examples_of(block(operator="outlier")) == []
    assert examples_of(block(threshold=1)) == []
