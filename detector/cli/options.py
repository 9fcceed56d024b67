"""Options shared by several commands."""

from pathlib import Path
from typing import Annotated

import typer

DEFAULT_STORE = Path("data/fraud.duckdb")

Store = Annotated[Path, typer.Option("--store", help="The store, one DuckDB file.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON on stdout.")]
Folder = Annotated[
    Path,
    typer.Argument(
        metavar="DIR", help="A folder with transactions.jsonl[.gz] or .parquet, logins.jsonl, …"
    ),
]
