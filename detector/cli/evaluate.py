"""`fraud evaluate`: how well the patterns find the fraud labelled in the truth file."""

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from detector.adapters.bank_files import TRUTH_FILE
from detector.adapters.duckdb.at_rest import connect_to_read
from detector.analysis.alerts import DEPTHS, QUEUES
from detector.analysis.evaluate import judge
from detector.cli.options import AsJson, Folder
from detector.cli.output import print_json, print_rows
from detector.cli.replay import replay_shown
from detector.core.data import JsonObject
from detector.core.errors import InputError
from detector.signals.loading import load_rules

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
    """Replay a folder, then compare its cases with the truth."""
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
        with connect_to_read(path) as db:
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
    columns = ["kind", "cases", "seen", "signal", "in case", "share", "95 %", "min p50", "value"]
    columns += ["in case", "saved"]
    fields = ["instances", "evaluated", "with_signal", "in_case", "in_case_share"]
    fields += ["in_case_interval", "minutes_to_case_p50", "value", "value_in_case_share"]
    fields += ["value_saved_share"]
    kinds = report["kinds"] | {"all": report["overall"]}
    print_rows("Fraud in cases", columns, _rows(kinds, fields))
    queue = report["queue"]
    columns = ["queue", "a day", "worked", "prec.", "95 %", "value caught", "share", "95 %"]
    print_rows("Worked so many alerts a day", columns, _queues(queue))
    few = [name for name, found in report["kinds"].items() if found["instances"] < FEW]
    print(
        "cases: fraud instances in the truth; seen: those with an evaluated event, the others are "
        "missed. ttd: seconds from an instance's\nfirst event to its first signal. thru: approved "
        "transactions of an instance before that, mean and maximum. min: minutes from an\n"
        "instance's first event until it is in an open case. value: approved amounts in the base "
        "currency, cash deposits left out; saved: after that.\n"
        "Alerts are cases, closed at the end of every day, by expected loss; value caught is that "
        "from the alert on. Beside them the customers\n"
        "with the largest payments of the day, and some at random.\n"
        f"{report['transactions']:,} transactions over {queue['days']} days, "
        f"{report['fraud_share']:.2%} fraudulent; "
        f"{report['censored_instances']} instances cut off by the end of the log not counted; "
        f"{queue['cases_per_day']} cases a day.\n"
        f"Per 1,000 quiet accounts: {report['false_alerts_per_1000_accounts']} false signals, "
        f"{report['false_cases_per_1000_accounts']} false cases "
        f"({report['quiet_accounts']:,} quiet accounts)."
    )
    if report["without_rate"]:
        print(f"{report['without_rate']:,} transactions without a rate have no value here.")
    for depth in map(str, DEPTHS):
        ours, other = (queue[name][depth]["value_caught"] for name in ("cases", "largest_amount"))
        if ours < other:
            print(f"With {depth} alerts a day, the largest amounts first catch more than cases do.")
    if few:
        print(f"Fewer than {FEW} instances, read the interval: {', '.join(few)}.")


def _queues(queue: JsonObject) -> list[list[object]]:
    fields = ["alerts", "precision", "precision_interval", "value_caught", "value_caught_share"]
    fields += ["value_caught_interval"]
    return [
        [name, depth, *(_shown(queue[name][str(depth)][field]) for field in fields)]
        for depth in DEPTHS
        for name in QUEUES
    ]


def _rows(found: JsonObject, fields: list[str]) -> list[list[object]]:
    return [[name, *(_shown(row[field]) for field in fields)] for name, row in found.items()]


def _shown(value: object) -> object:
    return f"{value[0]:.2f}-{value[1]:.2f}" if isinstance(value, tuple) else value
