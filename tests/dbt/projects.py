"""dbt for tests: compiling needs no server, and none is there."""

import json
from pathlib import Path
from typing import Any

import pytest

from detector.adapters.rendering import PROJECT

NOWHERE = {"RISINGWAVE_HOST": "nowhere.invalid", "RISINGWAVE_SCHEMA": "public"}


def dbt(
    command: str,
    target: str,
    out: Path,
    variables: dict[str, Any] | None = None,
    project: Path = PROJECT,
) -> None:
    """Run a dbt command on a project, in this process; fails with dbt's own words."""
    from dbt.cli.main import dbtRunner

    arguments = ["--quiet", "--no-partial-parse", "--no-send-anonymous-usage-stats"]
    arguments += [*command.split(), "--target", target, "--target-path", str(out)]
    arguments += ["--project-dir", str(project), "--profiles-dir", str(project)]
    arguments += ["--log-path", str(out), "--vars", json.dumps(variables or {})]
    with pytest.MonkeyPatch.context() as patch:
        for name, value in NOWHERE.items():
            patch.setenv(name, value)
        done = dbtRunner().invoke(arguments)
    assert done.success, done.exception or done.result


def nodes(out: Path) -> dict[str, Any]:
    """The compiled models by name."""
    return {n["name"]: n for n in _nodes(out) if n["resource_type"] == "model"}


def data_tests(out: Path) -> dict[str, str]:
    """The compiled data tests by name: queries whose rows are failures."""
    found = (n for n in _nodes(out) if n["resource_type"] == "test" and n["config"]["enabled"])
    return {n["name"]: n["compiled_code"] for n in found}


def _nodes(out: Path) -> list[dict[str, Any]]:
    manifest = json.loads((out / "manifest.json").read_text("utf-8"))
    return list(manifest["nodes"].values())
