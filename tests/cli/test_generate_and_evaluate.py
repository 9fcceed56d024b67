"""Generating a bank and judging detection by its truth."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from detector.analysis.rates import wilson
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
        fraud("generate", "--out", tmp_path / name, "--events", 3000, "--seed", seed)
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
    assert set(report["patterns"]) > PATTERNS
    for name in PATTERNS:
        found = report["patterns"][name]
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


@pytest.fixture
def copy(tmp_path: Path, folder: Path) -> Path:
    """A copy of the generated folder, to be changed."""
    copy = tmp_path / "copy"
    copy.mkdir()
    for path in folder.glob("*.jsonl"):
        (copy / path.name).write_bytes(path.read_bytes())
    return copy


def labels(folder: Path) -> list[dict[str, str]]:
    """The rows of a truth file."""
    return [json.loads(line) for line in (folder / "truth.jsonl").read_text().splitlines()]


def test_frauds_whose_events_are_missing_are_missed(copy: Path, fraud: Fraud) -> None:
    """Without the events of every second velocity attack, recall is about a half."""
    attacks = sorted({r["instance"] for r in labels(copy) if r["scenario"] == "velocity"})
    lost = {r["event_id"] for r in labels(copy) if r["instance"] in attacks[::2]}
    for stream in ("transactions", "alerts"):
        path = copy / f"{stream}.jsonl"
        lines = path.read_text().splitlines(keepends=True)
        path.write_text("".join(x for x in lines if json.loads(x)["event_id"] not in lost))
    report = fraud("evaluate", copy, "--json")
    velocity, kind = report["patterns"]["velocity"], report["kinds"]["velocity"]
    assert kind["instances"] - kind["evaluated"] == len(attacks[::2])
    assert velocity["missed"] == len(attacks[::2])
    assert 0.4 < velocity["recall"] < 0.6
    low, high = velocity["recall_interval"]
    assert low < velocity["recall"] < high < 0.8


def test_a_kind_that_no_pattern_knows_is_missed(copy: Path, fraud: Fraud) -> None:
    """Scams added to the truth get a row of their own, and lower the share in cases overall."""
    before = fraud("evaluate", copy, "--json")["overall"]
    known = {row["event_id"] for row in labels(copy)}
    benign = [
        event
        for line in (copy / "transactions.jsonl").read_text().splitlines()
        if (event := json.loads(line))["event_id"] not in known and event["status"] == "APPROVED"
    ][:500]
    scams = [
        {"event_id": e["event_id"], "topic": "x", "scenario": "scam", "instance": e["event_id"]}
        for e in benign
    ]
    with (copy / "truth.jsonl").open("a") as truth:
        truth.writelines(json.dumps(row) + "\n" for row in scams)
    report = fraud("evaluate", copy, "--json")
    scam, overall = report["kinds"]["scam"], report["overall"]
    assert scam["instances"] >= 490 and scam["in_case"] <= 20
    assert float(scam["value"]) > 0 and scam["value_in_case_share"] < 0.05
    assert overall["instances"] >= before["instances"] + 490
    assert overall["in_case_share"] < before["in_case_share"]


def test_labels_of_single_events_are_a_truth_too(
    tmp_path: Path, folder: Path, fraud: Fraud
) -> None:
    """event_id, is_fraud and kind as CSV; the money in cases is that of the events in cases."""
    rows = [r for r in labels(folder) if r["topic"] == "banking.transactions"]
    path = tmp_path / "labels.csv"
    lines = [f"{r['event_id']},1,{r['scenario']}" for r in rows]
    path.write_text("\n".join(["event_id,is_fraud,kind", *lines, "nothing,0,velocity"]) + "\n")
    report = fraud("evaluate", folder, "--truth", path, "--json")
    assert report["overall"]["instances"] + report["censored_instances"] == len(rows)
    structuring = report["kinds"]["structuring"]
    assert 0 < structuring["with_signal"] < structuring["instances"]  # the first deposit is silent


def test_a_truth_without_labels_is_refused(tmp_path: Path, folder: Path, fraud: Fraud) -> None:
    """The message says what came and what is expected."""
    path = tmp_path / "labels.csv"
    path.write_text("id,fraud\n1,1\n")
    with pytest.raises(InputError, match=r"columns fraud, id; a truth file has event_id"):
        fraud("evaluate", folder, "--truth", path)


def test_intervals_are_those_of_wilson() -> None:
    """Against the published values for ten trials."""
    assert wilson(0, 0) is None
    assert wilson(0, 10) == (0.0, 0.2775)
    assert wilson(5, 10) == (0.2366, 0.7634)
    assert wilson(10, 10) == (0.7225, 1.0)


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
