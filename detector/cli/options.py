"""Options shared by several commands."""

from pathlib import Path
from typing import Annotated

import typer

from detector.state.knowledge import DEFAULT_BUDGET

DEFAULT_STORE = Path("data/fraud.duckdb")

Store = Annotated[Path, typer.Option("--store", help="The store, one DuckDB file.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON on stdout.")]
Memory = Annotated[
    int,
    typer.Option(
        "--memory",
        min=1,
        envvar="MEMORY_MB",
        help="Megabytes of memory for what is known of customers and other keys.",
    ),
]
Keep = Annotated[
    int,
    typer.Option(
        "--keep",
        min=1,
        envvar="KEEP_DAYS",
        help="Days of events in the store; older ones move to Parquet files beside it.",
    ),
]
DEFAULT_KEEP = 90
DEFAULT_MEMORY = DEFAULT_BUDGET >> 20
Folder = Annotated[
    Path,
    typer.Argument(
        metavar="DIR", help="A folder with transactions.jsonl[.gz] or .parquet, logins.jsonl, …"
    ),
]
