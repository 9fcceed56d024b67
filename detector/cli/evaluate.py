"""`fraud evaluate`: how well the patterns find the fraud labelled in the truth file."""

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from detector.adapters.bank_files import TRUTH_FILE
from detector.adapters.database import connect
from detector.analysis.evaluate import judge
from detector.cli.options import AsJson, Folder
from detector.cli.output import print_json, print_rows
from detector.cli.replay import replay_shown
from detector.core.data import JsonObject
from detector.core.errors import InputError
from detector.signals.rules import load_rules

FEW = 30
"""Below this many instances a rate says little."""


def evaluate(
    folder: Folder,
    truth: Annotated[
        Path | None,
        typer.Option(
            help="Labels: event_id, scenario and instance, or event_id and is_fraud (and kind); "
            "JSONL, CSV or Parquet. By default truth.jsonl of the folder."
        ),
    ] = None,
    as_json: AsJson = False,
    store: Annotated[
        Path | None, typer.Option(help="Keep the replayed store here for inspection.")
    ] = None,
) -> None:
    """Replay a folder, then compare its signals and cases with the truth."""
    rules = load_rules()
    truth = truth or folder / TRUTH_FILE
    if not truth.is_file():
        raise InputError(
            f"{truth} is missing. `fraud generate` writes it beside the events; --truth names "
            "other labels."
        )
    with tempfile.TemporaryDirectory() as scratch:
        path = store or Path(scratch) / "evaluate.duckdb"
        if path.exists():
            raise InputError(f"{path} already exists. Name a new file.")
        replay_shown(folder, path, rules)
        with connect(path, read_only=True) as db:
            report = judge(db, truth, rules)
    if as_json:
        print_json(report)
        return
    columns = ["pattern", "signals", "prec.", "95 %", "cases", "recall", "95 %", "ttd p50", "p95"]
    columns += ["thru", "max"]
    fields = ["signals", "precision", "precision_interval", "instances", "recall"]
    fields += ["recall_interval", "time_to_detect_s_p50", "time_to_detect_s_p95"]
    fields += ["got_through_mean", "got_through_max"]
    print_rows("Patterns", columns, _rows(report["patterns"], fields))
    columns = ["kind", "cases", "seen", "signal", "in case", "share", "95 %", "value", "in case"]
    columns += ["saved"]
    fields = ["instances", "evaluated", "with_signal", "in_case", "in_case_share"]
    fields += ["in_case_interval", "value", "value_in_case_share", "value_saved_share"]
    print_rows(
        "Fraud in cases", columns, _rows(report["kinds"] | {"all": report["overall"]}, fields)
    )
    few = [name for name, found in report["kinds"].items() if found["instances"] < FEW]
    print(
        "cases: fraud instances in the truth; seen: those with an evaluated event, the others are "
        "missed. ttd: seconds from an instance's\nfirst event to its first signal. thru: approved "
        "transactions of an instance before that, mean and maximum. value: approved amounts\nat "
        "face value; saved: after the case opened.\n"
        f"{report['transactions']:,} transactions, {report['fraud_share']:.2%} fraudulent; "
        f"{report['censored_instances']} instances cut off by the end of the log not counted.\n"
        f"False signals per 1,000 quiet accounts: {report['false_alerts_per_1000_accounts']} "
        f"({report['quiet_accounts']:,} quiet accounts)."
    )
    if few:
        print(f"Fewer than {FEW} instances, read the interval: {', '.join(few)}.")


def _rows(found: JsonObject, fields: list[str]) -> list[list[object]]:
    return [[name, *(_shown(row[field]) for field in fields)] for name, row in found.items()]


def _shown(value: object) -> object:
    return f"{value[0]:.2f}-{value[1]:.2f}" if isinstance(value, tuple) else value
