"""The example of docs/fraud_patterns.md: a pattern of a known shape, added as the page says."""

import re
import shutil
from pathlib import Path
from textwrap import dedent, indent

from detector.adapters.rendering import PROJECT
from scripts import pattern_docs

PAGE = pattern_docs.PAGE.read_text("utf-8")
STEPS = PAGE[PAGE.index("## Add a pattern") :]
NAME = "declined_burst"
VIEW = "mv_declined_burst"


def shown(language: str, number: int = 0) -> str:
    """A block of code of the page, without its indentation."""
    found = re.findall(rf"^ *```{language}\n(.*?)^ *```$", STEPS, re.M | re.S)
    return dedent(found[number])


def project_with_it(folder: Path) -> Path:
    """A copy of the dbt project after steps 1 to 3."""
    shutil.copytree(PROJECT, folder, ignore=shutil.ignore_patterns("target", "logs"))
    settings = folder / "dbt_project.yml"
    settings.write_text(settings.read_text("utf-8") + "\n" + indent(shown("yaml"), "    "), "utf-8")
    models = folder / "models" / "fraud_signals"
    (models / f"{VIEW}.sql").write_text(shown("sql"), "utf-8")
    described = models / "_fraud_signals.yml"
    described.write_text(
        described.read_text("utf-8").rstrip() + "\n" + indent(shown("yaml", 1), "  "), "utf-8"
    )
    return folder
