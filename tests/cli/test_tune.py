"""`fraud tune` searches by the measure that `fraud evaluate` reports."""

from pathlib import Path
from typing import Any

import pytest

from detector.core.errors import InputError
from tests.cli.conftest import Fraud


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory, fraud: Fraud) -> Path:
    """A day and more of a small adversarial bank."""
    folder = tmp_path_factory.mktemp("tune") / "bank"
    fraud(
        "generate", "--out", folder, "--events", 25_000, "--seed", 31, "--fraud-rate", 0.02,
        "--profile", "adversarial", "--rate", 0.15, "--customers", 1000,
    )  # fmt: skip
    return folder


@pytest.fixture(scope="module")
def report(bank: Path, fraud: Fraud) -> Any:
    """What `fraud evaluate` says of it."""
    return fraud("evaluate", bank, "--json")


def test_it_starts_from_what_evaluation_says(bank: Path, fraud: Fraud, report: Any) -> None:
    """The share before is that of `fraud evaluate`, at every number of alerts; after is no less."""
    queue = report["queue"]["cases"]
    for alerts in (10, 50):
        found = fraud("tune", bank, "--pattern", "new_payee_large", "--alerts", alerts, "--json")
        shares = found["value_caught_share"]
        assert (
            0
            < shares["before"]
            == pytest.approx(queue[str(alerts)]["value_caught_share"], abs=1e-4)
        )
        assert shares["after"] >= shares["before"]
        assert all(name.startswith("patterns.new_payee_large.") for name in found["changes"])


def test_it_needs_labels_and_known_patterns(tmp_path: Path, bank: Path, fraud: Fraud) -> None:
    """What is wrong is said with what is known."""
    with pytest.raises(InputError, match=r"No pattern nothing; there are velocity"):
        fraud("tune", bank, "--pattern", "nothing")
    (tmp_path / "logins.jsonl").touch()
    with pytest.raises(InputError, match=r"truth\.jsonl is missing"):
        fraud("tune", tmp_path)


def test_the_adversarial_bank_is_not_caught_by_construction(report: Any) -> None:
    """Kinds without a pattern have rows of their own, and most of their instances are missed."""
    assert {"scam", "stolen_card", "small_takeover"} <= set(report["kinds"])
    assert report["overall"]["in_case_share"] < 0.6
    assert report["patterns"]["brute_force_login"]["precision"] < 1
