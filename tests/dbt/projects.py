"""dbt in a process of its own, for tests: compiling needs no server, and none is there."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from detector.adapters.dbt_models import PROJECT

NOWHERE = {"RISINGWAVE_HOST": "nowhere.invalid", "RISINGWAVE_SCHEMA": "public"}


def dbt(command: str, target: str, out: Path, variables: dict[str, Any] | None = None) -> None:
    """Run a dbt command on the project; fails with dbt's own words."""
    arguments = [*command.split(), "--target", target, "--target-path", str(out)]
    arguments += ["--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT)]
    arguments += ["--log-path", str(out), "--vars", json.dumps(variables or {})]
    done = subprocess.run(
        [sys.executable, "-m", "dbt.cli.main", "--no-partial-parse", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **NOWHERE, "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"},
    )
    assert done.returncode == 0, done.stdout + done.stderr


def nodes(out: Path) -> dict[str, Any]:
    """The compiled models by name."""
    manifest = json.loads((out / "manifest.json").read_text("utf-8"))
    return {n["name"]: n for n in manifest["nodes"].values() if n["resource_type"] == "model"}
