"""`fraud tune`: weights and thresholds that catch more value with the same number of alerts."""

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from detector.adapters.bank_files import TRUTH_FILE
from detector.adapters.duckdb.at_rest import connect_to_read
from detector.analysis.tune import Choice, LabelledLog, read_log, tune
from detector.cli.options import AsJson
from detector.cli.output import print_json, print_rows
from detector.cli.progress import EventProgress
from detector.cli.replay import replay_shown
from detector.core.errors import InputError
from detector.signals.loading import load_rules
from detector.signals.rules import Rules


def command(
    folders: Annotated[
        list[Path], typer.Argument(help="Folders of events with truth.jsonl; not those you report.")
    ],
    patterns: Annotated[
        list[str] | None, typer.Option("--pattern", help="Tune only these; by default all.")
    ] = None,
    alerts: Annotated[int, typer.Option(min=1, help="Alerts that are worked in a day.")] = 100,
    as_json: AsJson = False,
) -> None:
    """Search weights and thresholds; changes no file.

    The measure is `fraud evaluate`'s value caught at so many alerts a day, over all folders.
    """
    rules = load_rules()
    names = patterns or list(rules.patterns)
    if unknown := sorted(set(names) - set(rules.patterns)):
        raise InputError(f"No pattern {', '.join(unknown)}; there are {', '.join(rules.patterns)}.")
    logs = [_replayed(folder, rules) for folder in folders]
    with EventProgress("trying", "choices") as progress:
        best, after, before = tune(logs, rules, names, alerts, progress.advance)
    today = Choice.of(rules)
    changes = [
        (f"patterns.{name}.{what}", now[name], then[name])
        for what, now, then in (
            ("weight", today.weights, best.weights),
            ("threshold", today.thresholds, best.thresholds),
        )
        for name in rules.patterns
        if now[name] != then[name]
    ]
    if as_json:
        print_json(
            {
                "alerts_a_day": alerts,
                "value_caught_share": {"before": round(before, 4), "after": round(after, 4)},
                "changes": {name: {"from": a, "to": b} for name, a, b in changes},
            }
        )
        return
    print_rows("In vars of dbt_project.yml", ["key", "now", "better"], changes)
    print(
        f"Value caught at {alerts} alerts a day over {len(folders)} folders: {before:.4f} now, "
        f"{after:.4f} with these."
    )


def _replayed(folder: Path, rules: Rules) -> LabelledLog:
    truth = folder / TRUTH_FILE
    if not truth.is_file():
        raise InputError(f"{truth} is missing; tuning needs the labels.")
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "tune.duckdb"
        replay_shown(folder, path, rules)
        with connect_to_read(path) as db:
            return read_log(db, truth, rules)
