"""The list of commands agrees with the commands."""

import inspect
import subprocess
import sys

import pytest

from detector.cli.commands import COMMANDS, load


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_says_what_the_command_says(name: str) -> None:
    """Each summary is the first sentence of its help."""
    text = " ".join(inspect.cleandoc(load(name).help).split())
    first, _, _ = text.partition(". ")
    assert COMMANDS[name][1] == first.removesuffix(".") + "."


def test_help_imports_no_command() -> None:
    """Nor what only commands need."""
    check = (
        "import sys; from detector.cli.app import app\n"
        "try: app(['--help'])\n"
        "except SystemExit: pass\n"
        "slow = {'duckdb', 'fastapi', 'pydantic', 'detector.cli.run'} & sys.modules.keys()\n"
        "sys.exit(f'imported: {slow}' if slow else 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", check], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert all(f"{summary}\n" in done.stdout for _, summary in COMMANDS.values())
