"""dbt for tests: compiling needs no server, and none is there."""

import json
from pathlib import Path
from typing import Any

import pytest

from detector.adapters.dbt_models import PROJECT

NOWHERE = {"RISINGWAVE_HOST": "nowhere.invalid", "RISINGWAVE_SCHEMA": "public"}


def dbt(command: str, target: str, out: Path, variables: dict[str, Any] | None = None) -> None:
    """Run a dbt command on the project, in this process; fails with dbt's own words."""
    from dbt.cli.main import dbtRunner

    arguments = ["--quiet", "--no-partial-parse", "--no-send-anonymous-usage-stats"]
    arguments += [*command.split(), "--target", target, "--target-path", str(out)]
    arguments += ["--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT)]
    arguments += ["--log-path", str(out), "--vars", json.dumps(variables or {})]
    with pytest.MonkeyPatch.context() as patch:
        for name, value in NOWHERE.items():
            patch.setenv(name, value)
        done = dbtRunner().invoke(arguments)
    assert done.success, done.exception or done.result


def nodes(out: Path) -> dict[str, Any]:
    """The compiled models by name."""
    manifest = json.loads((out / "manifest.json").read_text("utf-8"))
    return {n["name"]: n for n in manifest["nodes"].values() if n["resource_type"] == "model"}
