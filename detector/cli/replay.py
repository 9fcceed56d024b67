"""`fraud replay`: event files through the same pipeline, as fast as it goes."""

import signal
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from detector.adapters.duckdb_store import DuckDBStore
from detector.adapters.files import BATCH, FileSource
from detector.cli.options import DEFAULT_STORE, AsJson, Folder, Store
from detector.cli.progress import EventProgress
from detector.cli.summary import print_summary
from detector.core.rules import Rules, load_rules
from detector.pipeline.pipeline import Pipeline
from detector.pipeline.tally import Tally


def replay(
    folder: Folder,
    store: Store = DEFAULT_STORE,
    batch_size: Annotated[int, typer.Option(min=1, help="Events a commit.")] = BATCH,
    as_json: AsJson = False,
) -> None:
    """Replay a folder of events in event time; after a kill, the same command goes on."""
    print_summary(replay_folder(folder, store, load_rules(), batch_size).summary(), as_json)


def replay_folder(folder: Path, store: Path, rules: Rules, batch_size: int = BATCH) -> Tally:
    """Replay a folder into a store and return the counts; progress goes to stderr."""
    source = FileSource(folder, batch_size)
    if source.ignored:
        Console(stderr=True).print(f"Not event files, left alone: {', '.join(source.ignored)}.")
    database = DuckDBStore(store, rules)
    try:
        tally = Tally(rules)
        with EventProgress("replaying") as progress:
            pipeline = Pipeline(rules, source, database, [tally, progress])
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, lambda *_: pipeline.stop())
            pipeline.run()
    finally:
        database.close()
    return tally
