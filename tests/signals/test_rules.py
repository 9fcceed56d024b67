"""Rules are read from the dbt project; a malformed block is refused in words that help."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from detector.core.errors import RulesError
from detector.signals.loading import DEFAULT_PATH, load_rules
from tests import build


def refusal(folder: Path, block: Any) -> str:
    """What the user reads when a project with this `vars` block is loaded."""
    path = folder / "dbt_project.yml"
    path.write_text(yaml.safe_dump({"name": "x", "vars": block}))
    with pytest.raises(RulesError) as error:
        load_rules(path)
    return str(error.value)


def with_pattern(**changes: Any) -> dict[str, Any]:
    operator = changes.pop("operator_of", "burst")
    return build.vars_block(build.block(operator, **changes))


def test_the_rules_that_ship_are_those_of_the_design() -> None:
    """The seven patterns of design.md and the two of habit, five minutes of lateness."""
    rules = load_rules(DEFAULT_PATH)
    assert {p.id: p.view for p in build.SHIPPED.patterns.values()} == {
        "velocity": "mv_velocity_alerts",
        "geo_impossible": "mv_geo_impossible_trips",
        "account_takeover": "mv_device_anomalies",
        "cnp_spike": "mv_cnp_spike",
        "brute_force_login": "mv_login_failure_storm",
        "structuring": "mv_structuring_detection",
        "compound": "mv_correlated_alert_burst",
        "unusual_amount": "mv_unusual_amounts",
        "new_payee_large": "mv_new_payee_payments",
    }
    assert rules.lateness == timedelta(minutes=5)
    assert rules.risk.window == timedelta(seconds=120)
    assert rules.cases.gap == timedelta(minutes=30)
    assert rules.case_score == 0.5


def test_well_formed_blocks_of_every_operator_are_accepted(tmp_path: Path) -> None:
    """What the refusals below change is otherwise fine."""
    path = tmp_path / "dbt_project.yml"
    blocks = [
        build.block(name) for name in ("burst", "distinct_burst", "pair", "novelty", "outlier")
    ]
    path.write_text(yaml.safe_dump({"vars": build.vars_block(*blocks)}))
    assert set(load_rules(path).patterns) == {
        "burst",
        "distinct_burst",
        "pair",
        "novelty",
        "outlier",
    }


KEYS = [
    "title", "view", "rule_id", "source", "operator", "key", "scope", "where", "window_seconds",
    "threshold", "weight", "severity", "alert_type", "reason", "action",
]  # fmt: skip


@pytest.mark.parametrize("key", KEYS)
def test_a_missing_key_is_named(tmp_path: Path, key: str) -> None:
    """A pattern without one of its keys says which."""
    block = build.vars_block(build.block())
    del block["patterns"]["burst"][key]
    assert f"vars.patterns.burst.{key}: Field required" in refusal(tmp_path, block)


@pytest.mark.parametrize("key", ["allowed_lateness_seconds", "risk", "cases", "patterns"])
def test_a_missing_section_is_named(tmp_path: Path, key: str) -> None:
    """So does the block as a whole."""
    block = build.vars_block(build.block())
    del block[key]
    assert f"vars.{key}: Field required" in refusal(tmp_path, block)


REFUSED: dict[str, tuple[dict[str, Any], list[str]]] = {
    "unknown operator": (
        {"operator": "bursts"},
        [
            "patterns.burst: operator 'bursts' not known",
            "burst, distinct_burst, novelty, outlier, pair",
        ],
    ),
    "unknown source": ({"source": "payments"}, ["patterns.burst.source", "'payments'", "logins"]),
    "unknown scope": ({"scope": "card"}, ["patterns.burst.scope", "'card'", "customer"]),
    "unknown severity": ({"severity": "BAD"}, ["severity", "'BAD'", "CRITICAL"]),
    "unknown key": ({"wight": 0.5}, ["patterns.burst.wight", "not a known key"]),
    "weight of 2": ({"weight": 2}, ["patterns.burst.weight", "less than or equal to 1", "came: 2"]),
    "weight of 0": ({"weight": 0}, ["patterns.burst.weight", "greater than 0", "came: 0"]),
    "no window": ({"window_seconds": 0}, ["window_seconds", "greater than 0"]),
    "half a second": ({"window_seconds": 0.5}, ["window_seconds", "0.5"]),
    "no threshold": ({"threshold": 0}, ["threshold", "greater than 0"]),
    "text for a number": ({"threshold": "many"}, ["threshold", "'many'"]),
    "empty key": ({"key": []}, ["patterns.burst.key"]),
    "unknown field in key": ({"key": ["acount_id"]}, ["acount_id", "known are", "account_id"]),
    "unknown field in where": (
        {"where": [{"field": "colour", "equals": "red"}]},
        ["colour", "known are", "merchant_id"],
    ),
    "field of another stream": (
        {
            "operator_of": "distinct_burst",
            "source": "logins",
            "key": ["customer_id"],
            "scope": "customer",
            "value": "amount",
        },
        ["amount", "known are", "outcome"],
    ),
    "scope account without an account": (
        {"source": "logins", "key": ["customer_id"]},
        ["account_id", "known are"],
    ),
    "condition that tests nothing": (
        {"where": [{"field": "city"}]},
        ["where.0", "equals", "is_null"],
    ),
    "condition that compares with null": (
        {"where": [{"field": "city", "equals": None}]},
        ["where.0", "equals", "is_null"],
    ),
    "condition with an unknown test": (
        {"where": [{"field": "city", "like": "S%"}]},
        ["where.0.like", "not a known key"],
    ),
    "condition that allows nothing": (
        {"where": [{"field": "city", "in": []}]},
        ["where.0.in"],
    ),
    "a text compared with a number": (
        {"where": [{"field": "city", "at_least": 5}]},
        ["city", "amount", "latitude"],
    ),
    "unknown placeholder": (
        {"reason": "{observed} of {colour}"},
        ["patterns.burst", "'colour'", "known are", "observed", "amount"],
    ),
    "placeholder of another operator": ({"reason": "from {from_city}"}, ["'from_city'"]),
    "broken placeholder": ({"reason": "{observed"}, ["patterns.burst", "reason"]),
    "nameless placeholder": ({"reason": "{} of {}"}, ["patterns.burst", "reason"]),
    "placeholder with an index": ({"reason": "{observed[x]}"}, ["patterns.burst", "reason"]),
    "placeholder with an attribute": ({"reason": "{observed.x}"}, ["patterns.burst", "reason"]),
    "placeholder with a number format": ({"reason": "{observed:.2f}"}, ["reason"]),
    "view with a wrong name": ({"view": "velocity alerts"}, ["patterns", "view"]),
    "value for burst": ({"value": "merchant_id"}, ["operator burst needs none", "'value'"]),
    "no value for distinct_burst": (
        {"operator_of": "distinct_burst", "value": None},
        ["patterns.distinct_burst", "operator distinct_burst needs value", "given: []"],
    ),
    "unknown value": (
        {"operator_of": "distinct_burst", "value": "shop"},
        ["patterns.distinct_burst", "shop", "known are"],
    ),
    "no measure for pair": (
        {"operator_of": "pair", "measure": None},
        ["operator pair needs measure"],
    ),
    "unknown measure for pair": (
        {"operator_of": "pair", "measure": "speed"},
        ["measure", "speed", "distance_km"],
    ),
    "pair of events without a place": (
        {"operator_of": "pair", "source": "logins", "key": ["customer_id"], "scope": "customer"},
        ["latitude", "longitude", "known are"],
    ),
    "pair of places that may be missing": (
        {"operator_of": "pair", "where": [{"field": "latitude", "is_null": False}]},
        ["distance_km", "longitude", "is_null: false"],
    ),
    "no value for novelty": (
        {"operator_of": "novelty", "value": None},
        ["operator novelty needs measure, value"],
    ),
    "no prior for outlier": (
        {"operator_of": "outlier", "prior": None},
        ["operator outlier needs history, least, measure, prior"],
    ),
    "a history of nothing": ({"operator_of": "outlier", "history": 0}, ["history", "came: 0"]),
    "unknown registry": (
        {"operator_of": "novelty", "registered_in": "devices"},
        ["registered_in", "devices", "registered_device_ids"],
    ),
    "novelty of a key without profiles": (
        {"operator_of": "novelty", "key": ["card_token"]},
        ["key", "card_token", "customer_id"],
    ),
    "novelty measured in words": (
        {"operator_of": "novelty", "measure": "city"},
        ["city", "amount", "latitude"],
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_malformed_pattern_is_refused_with_key_what_came_and_what_is_known(
    tmp_path: Path, name: str
) -> None:
    """Every way to get a pattern wrong gives a sentence, never a traceback or silence."""
    changes, expected = REFUSED[name]
    said = refusal(tmp_path, with_pattern(**changes))
    assert said.startswith("dbt_project.yml has a malformed rule:")
    assert [word for word in expected if word not in said] == []


@pytest.mark.parametrize("name", ["card-testing", "Card", "x'; DROP TABLE cases; --", "1st", ""])
def test_a_pattern_needs_a_name_that_can_be_a_column(tmp_path: Path, name: str) -> None:
    """The name of a pattern becomes part of column names in both executions."""
    block = build.vars_block()
    block["patterns"] = {name: build.block()}
    assert "vars.patterns" in refusal(tmp_path, block)


@pytest.mark.parametrize("shared", ["view", "rule_id", "alert_type"])
def test_two_patterns_never_share_a_name(tmp_path: Path, shared: str) -> None:
    """A view, a rule id and an alert type belong to one pattern each."""
    one, two = build.block("burst"), build.block("distinct_burst")
    two[shared] = one[shared]
    block = build.vars_block(one)
    block["patterns"]["other"] = two
    said = refusal(tmp_path, block)
    assert f"patterns burst and other share {shared} '{one[shared]}'" in said


@pytest.mark.parametrize(
    ("section", "changes", "expected"),
    [
        ("risk", {"levels": {"critical": 0.8, "high": 0.5}}, ["risk", "critical, high and medium"]),
        ("risk", {"levels": {"critical": 0.5, "high": 0.5, "medium": 0.2}}, ["risk", "fall"]),
        ("risk", {"levels": {"critical": 2, "high": 0.5, "medium": 0.2}}, ["critical", "came: 2"]),
        ("risk", {"decisions": {"critical": "decline"}}, ["decisions lacks high, low, medium"]),
        ("risk", {"decisions": {"low": "hold"}}, ["decisions.low", "'hold'", "approve"]),
        ("risk", {"window_seconds": 0}, ["risk.window_seconds", "came: 0"]),
        ("cases", {"opens_at": "low"}, ["cases.opens_at", "'low'", "critical"]),
        (
            "cases",
            {"due_seconds": {"critical": 900}},
            ["cases", "due_seconds lacks high, medium, low"],
        ),
        ("cases", {"gap_seconds": -1}, ["cases.gap_seconds", "came: -1"]),
    ],
)
def test_malformed_risk_and_cases_are_refused(
    tmp_path: Path, section: str, changes: dict[str, Any], expected: list[str]
) -> None:
    """Levels must fall, windows must be there, and every case needs a due time."""
    block = build.vars_block(build.block())
    block[section] = {**block[section], **changes}
    said = refusal(tmp_path, block)
    assert [word for word in expected if word not in said] == []


@pytest.mark.parametrize(
    "text",
    ["", "vars:", "vars: 5", "- a list", "name: x", "vars: {patterns: [", "vars: {patterns: []}"],
)
def test_what_is_no_project_is_refused(tmp_path: Path, text: str) -> None:
    """An empty, broken or foreign file is named and not guessed at."""
    path = tmp_path / "dbt_project.yml"
    path.write_text(text)
    with pytest.raises(RulesError, match=r"dbt_project\.yml"):
        load_rules(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """The path that was looked at stands in the error."""
    with pytest.raises(RulesError, match=r"nowhere\.yml"):
        load_rules(tmp_path / "nowhere.yml")


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    """Binary files and other encodings are no projects."""
    path = tmp_path / "dbt_project.yml"
    path.write_bytes(b"vars: \xff\xfe")
    with pytest.raises(RulesError, match=r"dbt_project\.yml"):
        load_rules(path)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(90, "90 seconds"), (60, "1 minute"), (300, "5 minutes"), (7200, "2 hours")],
)
def test_a_window_reads_as_an_analyst_would_say_it(seconds: int, text: str) -> None:
    """Reasons speak of minutes and hours."""
    rules = build.rules_of(build.block(window_seconds=seconds))
    assert rules.patterns["burst"].window_text == text
