"""Generating a bank and judging detection by its truth."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from detector.core.errors import InputError
from tests.cli.conftest import Fraud

PATTERNS = {
    "velocity",
    "geo_impossible",
    "account_takeover",
    "cnp_spike",
    "brute_force_login",
    "structuring",
    "compound",
}

REPLAY_WITH_A_WATCH = """
import sys
opened = []
sys.addaudithook(lambda name, args: opened.append(str(args[0])) if name == "open" else None)
from detector.cli.app import app
try:
    app(["replay", sys.argv[1], "--store", sys.argv[2], "--json"])
except SystemExit as stop:
    assert not stop.code, stop.code
assert any(path.endswith("transactions.jsonl") for path in opened), "the watch sees nothing"
assert not any("truth" in path for path in opened), "detection opened the truth"
"""


def test_the_same_seed_writes_the_same_files(tmp_path: Path, fraud: Fraud) -> None:
    """Generation is repeatable byte by byte, and another seed gives another bank."""
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        fraud("generate", "--out", tmp_path / name, "--events", 2000, "--seed", seed)
    written = {
        name: {p.name: p.read_bytes() for p in (tmp_path / name).iterdir()} for name in "abc"
    }
    assert written["a"] == written["b"]
    assert written["a"]["transactions.jsonl"] != written["c"]["transactions.jsonl"]


def test_generate_writes_as_many_events_as_asked(tmp_path: Path, fraud: Fraud) -> None:
    """The count covers all streams together."""
    counts = fraud("generate", "--out", tmp_path / "a", "--events", 1234, "--json")
    lines = sum(
        len(p.read_bytes().splitlines())
        for p in (tmp_path / "a").glob("*.jsonl")
        if p.name != "truth.jsonl"
    )
    assert counts["events"] == lines == 1234


def test_generate_refuses_to_overwrite(folder: Path, fraud: Fraud) -> None:
    """A folder that holds events is left as it is."""
    before = (folder / "transactions.jsonl").read_bytes()
    with pytest.raises(InputError, match="already holds"):
        fraud("generate", "--out", folder, "--events", 10)
    assert (folder / "transactions.jsonl").read_bytes() == before


def test_no_payload_carries_the_truth(folder: Path) -> None:
    """What detection reads never says what is fraud."""
    for path in folder.glob("*.jsonl"):
        if path.name != "truth.jsonl":
            content = path.read_bytes()
            assert b"fraud_scenario" not in content and b"is_fraud" not in content


def test_every_pattern_finds_its_frauds(folder: Path, fraud: Fraud) -> None:
    """Recall and precision on the demo bank, with its look-alikes, are as the README says."""
    report = fraud("evaluate", folder, "--json")
    assert set(report["patterns"]) == PATTERNS
    for name, found in report["patterns"].items():
        assert found["instances"] >= 20, name
        assert found["recall"] >= 0.98, name
        assert found["precision"] >= 0.95, name
        assert found["time_to_detect_s_p50"] is not None, name


def test_evaluation_notices_a_truth_that_does_not_fit(
    tmp_path: Path, folder: Path, fraud: Fraud
) -> None:
    """With every second label gone precision falls, and frauds invented lower recall."""
    copy = tmp_path / "copy"
    copy.mkdir()
    for path in folder.glob("*.jsonl"):
        (copy / path.name).write_bytes(path.read_bytes())
    rows = [json.loads(line) for line in (folder / "truth.jsonl").read_text().splitlines()]
    with (copy / "transactions.jsonl").open() as lines:
        benign = [json.loads(line)["event_id"] for line, _ in zip(lines, range(200), strict=False)]
    known = {row["event_id"] for row in rows}
    kept = [row for row in rows if int(row["instance"].encode().hex()[-1], 16) % 2]
    for number, event_id in enumerate(e for e in benign if e not in known):
        kept.append(
            {
                "event_id": event_id,
                "topic": "banking.transactions",
                "scenario": "velocity",
                "instance": f"invented-{number}",
            }
        )
    (copy / "truth.jsonl").write_text("".join(json.dumps(row) + "\n" for row in kept))
    report = fraud("evaluate", copy, "--json")["patterns"]
    assert report["velocity"]["recall"] < 0.5
    assert report["geo_impossible"]["precision"] < 0.9


def test_detection_never_opens_the_truth(tmp_path: Path, folder: Path) -> None:
    """Not one of the files that a replay opens is the truth file."""
    done = subprocess.run(
        [sys.executable, "-c", REPLAY_WITH_A_WATCH, str(folder), str(tmp_path / "s.duckdb")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_evaluate_needs_the_truth(tmp_path: Path, fraud: Fraud) -> None:
    """Without truth.jsonl the command says where it comes from."""
    with pytest.raises(InputError, match="fraud generate"):
        fraud("evaluate", tmp_path)
