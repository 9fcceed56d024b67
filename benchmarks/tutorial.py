"""Runs the commands of docs/tutorial.md in a copy of this checkout and times each.

    python -m benchmarks.tutorial

Prints a line of JSON for each command, and the seconds of all.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PAGE = Path("docs/tutorial.md")
LEFT_OUT = shutil.ignore_patterns(
    ".git",
    ".venv",
    "venv",
    "node_modules",
    "__pycache__",
    "target",
    "logs",
    "data",
    "build",
    ".*_cache",
)


def commands(page: str) -> list[str]:
    """The lines of the page's bash blocks."""
    blocks = re.findall(r"^```bash\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    return [line for block in blocks for line in block.splitlines() if line]


def main() -> None:
    """Run them all; the first that fails ends it."""
    total = 0.0
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "checkout"
        shutil.copytree(Path.cwd(), copy, ignore=LEFT_OUT)
        # The copy, not the installed checkout, is what has the new pattern.
        environment = {**os.environ, "PYTHONPATH": str(copy)}
        for command in commands(PAGE.read_text("utf-8")):
            program, *arguments = shlex.split(command)
            assert program == "fraud", command
            began = time.monotonic()
            done = subprocess.run(
                [sys.executable, "-m", "detector.cli", *arguments],
                cwd=copy, env=environment, capture_output=True, text=True,
            )  # fmt: skip
            seconds = round(time.monotonic() - began, 1)
            total += seconds
            if done.returncode:
                raise SystemExit(f"{command}\n{done.stdout}{done.stderr}")
            print(json.dumps({"seconds": seconds, "command": command}))
    print(json.dumps({"seconds": round(total, 1), "command": "all"}))


if __name__ == "__main__":
    main()
