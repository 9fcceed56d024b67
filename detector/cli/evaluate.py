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
from detector.core.errors import InputError
from detector.signals.rules import load_rules


def evaluate(
    folder: Folder,
    as_json: AsJson = False,
    store: Annotated[
        Path | None, typer.Option(help="Keep the replayed store here for inspection.")
    ] = None,
) -> None:
    """Replay a generated folder, then compare its signals with its truth.jsonl."""
    rules = load_rules()
    truth = folder / TRUTH_FILE
    if not truth.is_file():
        raise InputError(f"{truth} is missing. `fraud generate` writes it beside the events.")
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
    columns = ["pattern", "signals", "prec.", "cases", "recall", "ttd p50", "p95", "thru", "max"]
    fields = ["signals", "precision", "instances", "recall", "time_to_detect_s_p50"]
    fields += ["time_to_detect_s_p95", "got_through_mean", "got_through_max"]
    rows = [[name, *(found[f] for f in fields)] for name, found in report["patterns"].items()]
    print_rows("Evaluation", columns, rows)
    print(
        "cases: fraud instances in the truth. ttd: seconds from an instance's first event to its "
        "first signal.\nthru: approved transactions of an instance before that, on average and at "
        "most.\n"
        f"{report['transactions']:,} transactions, {report['fraud_share']:.2%} fraudulent; "
        f"{report['censored_instances']} instances cut off by the end of the log left out.\n"
        f"False signals per 1,000 quiet accounts: {report['false_alerts_per_1000_accounts']} "
        f"({report['quiet_accounts']:,} quiet accounts)."
    )
