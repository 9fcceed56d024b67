"""`fraud backtest`: the dbt models in batch over history."""

from pathlib import Path
from typing import Annotated

import typer

from detector.adapters.rendering import DATABASE
from detector.analysis.backtest import MEMORY, backtest
from detector.cli.options import AsJson
from detector.cli.output import print_json, print_rows
from detector.core.data import JsonObject
from detector.signals.loading import load_rules


def command(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="DIR|FILES",
            help="A folder of event files, or files: transactions-2026-01.parquet, logins.jsonl, …",
        ),
    ],
    truth: Annotated[
        Path | None, typer.Option(help="truth.jsonl: adds precision and recall per pattern.")
    ] = None,
    dispositions: Annotated[
        Path | None,
        typer.Option(help="JSONL, CSV or Parquet with case_id and disposition: adds precision."),
    ] = None,
    memory: Annotated[str, typer.Option(help="Memory limit; more spills to disk.")] = MEMORY,
    keep: Annotated[
        Path | None,
        typer.Option(
            help=f"Keep the database here; `dbt --target duckdb` reads {DATABASE}.duckdb."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Run detection over history in batch, as SQL. Regardless of the clock and of lateness."""
    report = backtest(paths, load_rules(), truth, dispositions, memory, keep)
    if as_json:
        print_json(report)
    else:
        _print(report)


def _print(report: JsonObject) -> None:
    print(
        f"{report['events']:,} events in {report['seconds']:.1f} s "
        f"({report['events_per_s']:,.0f}/s); {report['rejected']:,} records rejected."
    )
    judged = report.get("truth", {}).get("patterns", {})
    rows = []
    for name, found in report["patterns"].items():
        row = [name, found["signals"], found["subjects"], found["accounts"], found["amount"]]
        if judged:
            row += [judged[name]["precision"], judged[name]["recall"]]
        rows.append(row)
    columns = ["pattern", "signals", "subjects", "accounts", "amount"]
    print_rows("Patterns", columns + (["precision", "recall"] if judged else []), rows)
    columns = ["day", "transactions", "amount", "cases", "signals"]
    rows = []
    for day in report["days"]:
        fired = ", ".join(f"{name} {day[name]:,}" for name in report["patterns"] if day[name])
        rows.append([*(day[name] for name in columns), fired])
    print_rows("Days", [*columns, "patterns"], rows)
    if "dispositions" in report:
        by_level = report["dispositions"]["by_level"]
        print_rows(
            "Cases closed by analysts",
            ["level", "decided", "confirmed", "false_positives", "precision"],
            [[level, *found.values()] for level, found in by_level.items()],
        )
        lost = report["dispositions"]["confirmed_but_no_longer_found"]
        print(f"Confirmed cases that detection would not open today: {lost:,}.")
