"""A generated folder and its replayed store, made once."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from detector.cli.app import app

Fraud = Callable[..., Any]
SMALL = ("--fraud-rate", 0.1, "--customers", 500)
"""A bank small enough that little of it holds every pattern."""


@pytest.fixture(scope="session")
def fraud() -> Fraud:
    """Run the command with arguments; the answer is its JSON where --json is among them."""

    def call(*arguments: object, expect: int = 0) -> Any:
        result = CliRunner().invoke(app, [str(a) for a in arguments])
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == expect, result.output
        return json.loads(result.stdout) if "--json" in arguments else result.stdout

    return call


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory, fraud: Fraud) -> Path:
    """20,000 events of the demo bank."""
    out = tmp_path_factory.mktemp("events") / "bank"
    fraud("generate", "--out", out, "--events", 20_000, "--seed", 3, *SMALL)
    return out


@pytest.fixture(scope="session")
def replayed(tmp_path_factory: pytest.TempPathFactory, fraud: Fraud, folder: Path) -> Path:
    """The store of that folder."""
    store = tmp_path_factory.mktemp("store") / "fraud.duckdb"
    fraud("replay", folder, "--store", store, "--json")
    return store
