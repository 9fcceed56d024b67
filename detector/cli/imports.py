"""`fraud import`: a CSV or Parquet file of another system as event files."""

from pathlib import Path
from typing import Annotated

import typer

from detector.analysis.imports import Mapping, import_file
from detector.cli.options import AsJson
from detector.cli.output import print_json, print_rows
from detector.cli.progress import EventProgress


def command(
    source: Annotated[Path, typer.Argument(metavar="FILE", help="A CSV or Parquet file.")],
    mapping: Annotated[
        Path, typer.Option("--map", help="YAML: stream, fields, constants, timezone, labels.")
    ],
    out: Annotated[Path, typer.Option(help="The folder for the event files.")],
    as_json: AsJson = False,
) -> None:
    """Turn a CSV or Parquet file into event files.

    The mapping says by SQL expressions which columns become which fields; docs/data_model.md has an
    example. Rows that break the contract are left out and counted by reason.
    """
    with EventProgress("importing", "rows") as progress:
        found = import_file(source, Mapping.read(mapping), out, progress.advance)
    if as_json:
        print_json(found)
        return
    labelled = f", {found['labelled']:,} labelled as fraud" if found["labelled"] else ""
    print(f"{found['events']:,} events in {out}{labelled}; {found['left_out']:,} rows left out.")
    if found["reasons"]:
        rows = [[r["rows"], r["reason"], r["examples"][0]["row"]] for r in found["reasons"]]
        print_rows("Left out", ["rows", "reason", "for example row"], rows)
