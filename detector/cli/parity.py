"""`fraud parity`: the embedded engine against the dbt models, over the same events."""

import typer

from detector.analysis.parity import ParityReport, parity
from detector.cli.options import AsJson, Folder
from detector.cli.output import print_json, print_rows
from detector.cli.replay import replay_shown
from detector.signals.loading import load_rules


def command(folder: Folder, as_json: AsJson = False) -> None:
    """Run both engines over a folder and compare the results.

    Exit code 1 if anything differs.
    """
    report = parity(folder, load_rules(), replay=replay_shown)
    if as_json:
        print_json(report.as_json())
    else:
        _print(report)
    if not report.equal:
        raise typer.Exit(1)


def _print(report: ParityReport) -> None:
    rows = [[kind, report.compared[kind], report.differences[kind]] for kind in report.differences]
    print_rows("Embedded engine against the dbt models", ["rows of", "compared", "different"], rows)
    for kind, examples in report.examples.items():
        print_rows(
            f"{kind}: the first differences",
            ["about", "column", "embedded", "models"],
            [[e.about, e.column, e.embedded, e.models] for e in examples],
        )
    left_out = ", ".join(f"{count:,} {name}" for name, count in report.set_aside.items())
    print(f"Left out by the embedded engine: {left_out}.")
