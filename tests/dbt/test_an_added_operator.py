"""An operator added in a copy as docs/fraud_patterns.md says: one Python file and one macro."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from textwrap import dedent, indent
from typing import Any

import pytest

from scripts import pattern_docs
from tests import build
from tests.dbt.conftest import write_log

PAGE = pattern_docs.PAGE.read_text("utf-8")
STEPS = PAGE[PAGE.index("## Add an operator") :]
DESCRIBE = """
import json, sys
from fastapi.testclient import TestClient
from pathlib import Path
from detector.adapters.duckdb.store import DuckDBStore
from detector.console.app import build_app
from detector.console.context import assemble
from detector.console.settings import ConsoleSettings
from detector.signals.loading import load_rules
from scripts import pattern_docs

rules = load_rules()
store = DuckDBStore(Path(sys.argv[1]), rules)
settings = ConsoleSettings(_env_file=None, demo=True)
people = store.people(four_eyes=False)
app = build_app(assemble(rules, settings, store, people, b"key"))
client = TestClient(app, base_url="http://localhost:8000", client=("127.0.0.1", 50000))
client.get("/")
page = client.get("/patterns")
facts = client.get("/v1/patterns").json()
overview = pattern_docs.overview(rules)
print(json.dumps({"status": page.status_code, "page": page.text, "facts": facts, "docs": overview}))
store.close()
"""


def shown(language: str) -> str:
    """The block of code in a language that the section has, without its indentation."""
    [text] = re.findall(rf"^ *```{language}\n(.*?)^ *```$", STEPS, re.M | re.S)
    return dedent(text)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the product after the steps; nothing else in it is changed."""
    copy = tmp_path_factory.mktemp("product")
    ignored = shutil.ignore_patterns("target", "logs", "__pycache__", ".venv")
    for name in ("detector", "producers", "fraud_detection", "scripts"):
        shutil.copytree(pattern_docs.ROOT / name, copy / name, ignore=ignored)
    (copy / "detector/signals/operators/total.py").write_text(shown("python"), "utf-8")
    project = copy / "fraud_detection"
    (project / "macros/operators/total.sql").write_text(shown("sql"), "utf-8")
    settings = project / "dbt_project.yml"
    settings.write_text(settings.read_text("utf-8") + "\n" + indent(shown("yaml"), "    "), "utf-8")
    model = project / "models/fraud_signals/mv_large_total.sql"
    model.write_text("{{ total('large_total') }}\n", "utf-8")
    return copy


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sums at the threshold, one cent below, late and tied events, and what does not count."""
    folder = tmp_path_factory.mktemp("log")
    payments = [
        (0, "acc-1", "4000.00"), (0, "acc-2", "4000.00"), (0, "acc-3", "4000.00"),
        (50, "acc-4", "3000.00"), (50, "acc-4", "2500.00"),  # peers see each other
        (90, "acc-5", "2600.00"), (80, "acc-5", "2600.00"),  # the earlier one arrives later
        (600, "acc-1", "1000.00"),  # exactly at the threshold, at the window's edge
        (600, "acc-2", "999.99"),  # one cent below
        (600.001, "acc-3", "1000.00"),  # just outside the window
    ]  # fmt: skip
    events = [
        build.transaction(at, account, amount=money, event_id=f"t{number}")
        for number, (at, account, money) in enumerate(payments)
    ]
    declined = build.transaction(601, "acc-6", amount="9000.00", status="DECLINED")
    write_log(folder, [*events, declined, *(build.transaction(700 + i, "acc-7") for i in range(5))])
    return folder


def run(copy: Path, *words: str) -> Any:
    """The JSON that a command of the copy prints."""
    environment = {**os.environ, "PYTHONPATH": str(copy), "PATTERNS_FILE": ""}
    done = subprocess.run(
        [sys.executable, *words],
        cwd=copy, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


def test_both_engines_agree_and_the_console_describes_it(
    copy: Path, folder: Path, tmp_path: Path
) -> None:
    """No difference; signals where the amounts add up; the same words on the page and in docs."""
    found = run(copy, "-m", "detector.cli", "parity", str(folder), "--json")
    assert set(found["differences"].values()) == {0}, found
    store = tmp_path / "store.duckdb"
    replay = ["replay", str(folder), "--store", str(store), "--json"]
    summary = run(copy, "-m", "detector.cli", *replay)
    assert summary["signals"]["large_total"] == 4  # acc-1, both of acc-4, the later of acc-5
    described = run(copy, "-c", DESCRIBE, str(store))
    sentence = "ransactions of one account that add up to 5,000 or more within 10 minutes"
    assert described["status"] == 200 and sentence in described["page"]
    assert sentence in described["docs"]
    [facts] = [p for p in described["facts"]["patterns"] if p["id"] == "large_total"]
    assert (facts["unit"], facts["in_all"]) == ("money", 4)
    # The evidence for each signal spans more than one event, so detection takes time.
    assert facts["detection_time"]["sample"] > 0


def test_a_restart_reads_what_it_needs(copy: Path, folder: Path, tmp_path: Path) -> None:
    """A sum begun before the restart is completed after it."""
    half, store = tmp_path / "half", tmp_path / "store.duckdb"
    half.mkdir()
    lines = (folder / "transactions.jsonl").read_text().splitlines(keepends=True)
    replay = ["-m", "detector.cli", "replay", str(half), "--store", str(store), "--json"]
    found = []
    for size in (7, len(lines)):
        (half / "transactions.jsonl").write_text("".join(lines[:size]))
        found.append(run(copy, *replay)["signals"]["large_total"])
    assert found == [3, 1]  # both of acc-4 and that of acc-5, then acc-1


def test_evaluation_judges_it_by_the_events_in_its_windows(copy: Path, tmp_path: Path) -> None:
    """A generated folder is evaluated; the operator says which events its signals rest on."""
    out = str(tmp_path / "generated")
    words = ["generate", "--out", out, "--events", "3000", "--seed", "5", "--fraud-rate", "0.1"]
    words += ["--customers", "500"]
    run(copy, "-m", "detector.cli", *words, "--json")
    report = run(copy, "-m", "detector.cli", "evaluate", out, "--json")
    assert report["patterns"]["large_total"]["signals"] > 0


def test_no_other_file_names_an_operator() -> None:
    """Code outside the operators' files asks the operator instead of comparing its name."""
    names = "burst|distinct_burst|pair|novelty"
    compared = re.compile(rf'(operator|name)\s*(==|!=|in)\s*[(\["\']+({names})\b|case "({names})"')
    guilty = [
        str(path.relative_to(pattern_docs.ROOT))
        for path in (pattern_docs.ROOT / "detector").rglob("*.py")
        if path.parent.name != "operators" and compared.search(path.read_text("utf-8"))
    ]
    assert guilty == []
