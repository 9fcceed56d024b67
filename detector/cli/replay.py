"""`fraud replay`: event files through the live pipeline, at full speed."""

import signal
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from detector.adapters.sources.files import BATCH, FileSource
from detector.analysis.replay import replay_folder
from detector.cli.options import DEFAULT_STORE, AsJson, Folder, Store
from detector.cli.progress import EventProgress
from detector.cli.summary import print_summary
from detector.pipeline.pipeline import Pipeline
from detector.pipeline.tally import Tally
from detector.signals.rules import Rules, load_rules


def replay(
    folder: Folder,
    store: Store = DEFAULT_STORE,
    batch_size: Annotated[int, typer.Option(min=1, help="Events a commit.")] = BATCH,
    as_json: AsJson = False,
) -> None:
    """Replay a folder of events in event time; after a kill, the same command resumes."""
    print_summary(replay_shown(folder, store, load_rules(), batch_size).summary(), as_json)


def replay_shown(folder: Path, store: Path, rules: Rules, batch_size: int = BATCH) -> Tally:
    """Replay a folder with progress on stderr; Ctrl-C stops after the current batch."""

    def started(pipeline: Pipeline, source: FileSource) -> None:
        if source.ignored:
            Console(stderr=True).print(f"Not event files, ignored: {', '.join(source.ignored)}.")
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: pipeline.stop())

    with EventProgress("replaying") as progress:
        return replay_folder(folder, store, rules, batch_size, [progress], started)
