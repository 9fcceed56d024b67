"""The models as they are rendered without dbt."""

import shutil
from datetime import UTC
from itertools import cycle
from pathlib import Path

import duckdb
import pytest

from detector.adapters.bank_files import bank_settings, write_bank
from detector.adapters.rendering import PROJECT, RenderedProject, rendered
from detector.analysis.parity import parity
from detector.core.errors import InputError
from detector.signals.changes import with_changes
from detector.signals.lists import Entry, NamedList
from detector.signals.loading import load_rules
from tests import build
from tests.dbt.projects import nodes


def test_every_query_is_what_dbt_compiles(compiled: Path, with_an_eighth: Path) -> None:
    """The same text, the same dependencies."""
    found = rendered(load_rules(with_an_eighth / "dbt_project.yml"), with_an_eighth)
    by_dbt = {
        name: (node["compiled_code"].strip(), {key.split(".")[-1] for key in _parents(node)})
        for name, node in nodes(compiled).items()
        if node["config"]["enabled"] and node["config"]["materialized"] == "table"
    }
    assert {m.name: (m.sql, set(m.reads)) for m in found.models} == by_dbt


def _parents(node: dict[str, dict[str, list[str]]]) -> list[str]:
    return [key for key in node["depends_on"]["nodes"] if key.startswith("model.")]


def test_each_comes_after_those_it_reads(project: RenderedProject) -> None:
    """So they can be built in this order; a selection has what it needs and no more."""
    seen: set[str] = set()
    for model in project.models:
        assert model.reads <= seen
        seen.add(model.name)
    needed = [model.name for model in project.needed_for(["mv_velocity_alerts"])]
    assert needed == ["stg_transactions", "mv_velocity_alerts"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{{ burst('nothing') }}", "pattern 'nothing' is not in vars.patterns; known are velocity"),
        ("{{ burst('velocity') }}", "belongs to view mv_velocity_alerts, not to model mv_new"),
        ("{{ no_macro() }}", "'no_macro' is undefined"),
        ("{% if %}", "Expected an expression"),
    ],
)
def test_what_does_not_render_is_named(tmp_path: Path, text: str, message: str) -> None:
    """The file, and what is wrong in it."""
    copy = tmp_path / "project"
    shutil.copytree(PROJECT, copy, ignore=shutil.ignore_patterns("target", "logs"))
    (copy / "models/fraud_signals/mv_new.sql").write_text(text)
    with pytest.raises(InputError, match=rf"mv_new\.sql does not render: .*{message}"):
        rendered(build.REAL, copy)


def test_a_condition_in_sql_is_used_by_both(tmp_path: Path) -> None:
    """The engine and the models agree, also on a text that looks like code."""
    text = "(card_present or channel = 'ECOMMERCE') and not (amount < 15 or city = 'event.amount')"
    rules = with_changes(build.SHIPPED, "velocity", {"where": text, "threshold": 2})
    bank = bank_settings(seed=3, fraud_rate=0.1, customer_pool_size=100)
    write_bank(tmp_path / "bank", bank, 3_000)
    report = parity(tmp_path / "bank", rules)
    assert report.equal, report.examples
    assert report.compared["signals"] > 300


def test_a_list_is_used_by_both(tmp_path: Path) -> None:
    """Values that are listed always, from and until a time; in two patterns."""
    bank = bank_settings(seed=3, fraud_rate=0.1, customer_pool_size=100)
    write_bank(tmp_path / "bank", bank, 3_000)
    with duckdb.connect() as db:
        found = db.execute(
            "SELECT merchant_id, median(occurred_at::TIMESTAMP) "
            f"FROM '{tmp_path}/bank/transactions.jsonl' WHERE merchant_id IS NOT NULL "
            "GROUP BY ALL ORDER BY count(*) DESC LIMIT 30"
        ).fetchall()
    entries = [
        Entry(value=name, **{side: at.replace(tzinfo=UTC)} if side else {})
        for (name, at), side in zip(found, cycle(("since", "until", "")), strict=False)
    ]
    merchants = NamedList(title="Some merchants", of=["merchant_id"], entries=entries)
    rules = build.SHIPPED.model_copy(update={"lists": {**build.SHIPPED.lists, "some": merchants}})
    rules = with_changes(
        rules, "velocity", {"where": "merchant_id in list('some')", "threshold": 2}
    )
    rules = with_changes(rules, "cnp_spike", {"where": "merchant_id not in list('some')"})
    report = parity(tmp_path / "bank", rules)
    assert report.equal, report.examples
    assert report.compared["signals"] > 100
