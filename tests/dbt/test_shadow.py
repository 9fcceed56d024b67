"""A pattern in shadow means the same as models: its view has its signals, nothing else does."""

import shutil
from pathlib import Path

import pytest

from detector.adapters.bank_files import bank_settings, write_bank
from detector.adapters.dbt_models import event_files, load, open_database, run
from detector.adapters.rendering import PROJECT, rendered
from detector.analysis.replay import replay_folder
from detector.signals.loading import load_rules
from tests import build

SHADOWED = ("velocity", "brute_force_login")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the dbt project with two patterns in shadow."""
    folder = tmp_path_factory.mktemp("project") / "fraud_detection"
    shutil.copytree(PROJECT, folder, ignore=shutil.ignore_patterns("target", "logs"))
    settings = folder / "dbt_project.yml"
    text = settings.read_text("utf-8")
    for name in SHADOWED:
        text = text.replace(f"    {name}:\n", f"    {name}:\n      mode: shadow\n")
    settings.write_text(text, "utf-8")
    return folder


def test_both_executions_agree(project: Path, tmp_path: Path) -> None:
    """Signals of each pattern, the union, scores and cases: no difference; shadow has no effect."""
    rules = load_rules(project / "dbt_project.yml")
    folder = tmp_path / "bank"
    bank = bank_settings(seed=3, fraud_rate=0.1, customer_pool_size=500)
    write_bank(folder, bank, 15_000, build.START)
    replay_folder(folder, tmp_path / "embedded.db", rules)
    models = rendered(rules, project)
    with open_database() as db:
        db.execute(f"ATTACH '{tmp_path / 'embedded.db'}' AS embedded (READ_ONLY)")
        load(db, event_files([folder]))
        run(db, models.models)

        def count(query: str) -> int:
            [(found,)] = db.execute(query).fetchall()
            return int(found)

        views = [p.view for p in rules.patterns.values()]
        for view in (*views, "mv_fraud_signals", "mv_account_risk_score_realtime"):
            columns = (
                "account_id, risk_score" if view.startswith("mv_account_risk") else "signal_id"
            )
            for one, other in ((f"embedded.{view}", view), (view, f"embedded.{view}")):
                query = f"SELECT {columns} FROM {one} EXCEPT ALL SELECT {columns} FROM {other}"
                assert count(f"SELECT count(*) FROM ({query})") == 0, view
        cases = "SELECT customer_id, score, patterns, signal_count FROM {}mv_open_fraud_cases"
        for one, other in (("", "embedded."), ("embedded.", "")):
            query = f"{cases.format(one)} EXCEPT ALL {cases.format(other)}"
            assert count(f"SELECT count(*) FROM ({query})") == 0
        for name in SHADOWED:
            view = rules.patterns[name].view
            assert count(f"SELECT count(*) FROM {view}") > 10
            for where in ("", "embedded."):
                union = f"SELECT count(*) FROM {where}mv_fraud_signals WHERE pattern = '{name}'"
                assert count(union) == 0
                assert count(f"{cases.format(where)} WHERE patterns LIKE '%{name}%'"
                             .replace("SELECT customer_id, score, patterns, signal_count",
                                      "SELECT count(*)")) == 0  # fmt: skip
