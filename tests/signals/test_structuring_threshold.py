"""One structuring threshold: the environment moves the bank, the engine and the models alike."""

from decimal import Decimal
from pathlib import Path

import pytest

from detector.adapters.bank_files import bank_settings, write_bank
from detector.adapters.database import connect
from detector.adapters.rendering import rendered
from detector.analysis.evaluate import judge
from detector.analysis.parity import parity
from detector.analysis.replay import replay_folder
from detector.signals.loading import load_rules
from detector.signals.pattern import Condition
from producers.patterns import structuring_threshold

ROOT = Path(__file__).parents[2]


@pytest.fixture
def low(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bank whose cash reports begin at 5,000."""
    monkeypatch.setenv("STRUCTURING_THRESHOLD", "5000")


@pytest.mark.usefixtures("low")
def test_the_environment_moves_all_three(tmp_path: Path) -> None:
    """The bank structures below 5,000; both engines find all of it and agree."""
    settings = bank_settings(seed=3, fraud_rate=0.1, customer_pool_size=500)
    assert structuring_threshold(settings) == Decimal(5000)
    rules = load_rules()
    [amount] = [c for c in rules.patterns["structuring"].where if c.fields == {"base_amount"}]
    assert isinstance(amount, Condition)
    assert (amount.at_least, amount.below) == (4500, 5000)
    write_bank(tmp_path / "bank", settings, 8_000)
    replay_folder(tmp_path / "bank", tmp_path / "store.duckdb", rules)
    with connect(tmp_path / "store.duckdb", read_only=True) as db:
        found = judge(db, tmp_path / "bank" / "truth.jsonl", rules)["patterns"]["structuring"]
    assert found["instances"] > 5 and found["recall"] == found["precision"] == 1
    report = parity(tmp_path / "bank", rules)
    assert report.equal, report.examples


@pytest.mark.usefixtures("low")
def test_the_models_have_the_threshold_of_the_environment() -> None:
    """As dbt has it, which reads the same variable."""
    sql = {m.name: m.sql for m in rendered(load_rules()).models}
    assert "base_amount >= 4500\n" in sql["mv_structuring_detection"]


def test_the_example_environment_has_the_threshold_of_the_rules() -> None:
    """`.env.example` shows defaults."""
    example = (ROOT / ".env.example").read_text("utf-8")
    assert f"STRUCTURING_THRESHOLD={load_rules().amounts['structuring_threshold']:g}\n" in example
