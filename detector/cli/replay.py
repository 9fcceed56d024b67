"""`fraud replay`: event files through the live pipeline, at full speed."""

import signal
import sys
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from detector.adapters.sources.files import BATCH, FileSource
from detector.analysis.replay import replay_folder
from detector.cli.options import (
    DEFAULT_KEEP,
    DEFAULT_MEMORY,
    DEFAULT_STORE,
    AsJson,
    Folder,
    Keep,
    Memory,
    Store,
)
from detector.cli.progress import EventProgress
from detector.cli.summary import print_summary
from detector.cli.tuning import collect_garbage_rarely
from detector.core.text import label, printable
from detector.pipeline.pipeline import Pipeline
from detector.pipeline.tally import Tally
from detector.signals.loading import load_rules
from detector.signals.rules import Rules
from detector.state.knowledge import DEFAULT_BUDGET


def replay(
    folder: Folder,
    store: Store = DEFAULT_STORE,
    batch_size: Annotated[int, typer.Option(min=1, help="Events a commit.")] = BATCH,
    memory: Memory = DEFAULT_MEMORY,
    keep: Keep = DEFAULT_KEEP,
    set_aside: Annotated[
        float,
        typer.Option(
            min=0,
            max=1,
            help="The share of records that may be late, future or broken; above it, exit code 3.",
        ),
    ] = 0.01,
    as_json: AsJson = False,
) -> None:
    """Replay a folder of events in event time. After a kill, the same command resumes."""
    collect_garbage_rarely()
    tally = replay_shown(
        folder, store, load_rules(), batch_size, memory << 20, timedelta(days=keep)
    )
    summary = tally.summary()
    print_summary(summary, as_json)
    aside = {name: summary[name] for name in ("late", "future", "dead_letters")}
    records = summary["events"] + summary["dead_letters"]
    if sum(aside.values()) > set_aside * records:
        words = ", ".join(f"{count:,} {label(name).lower()}" for name, count in aside.items())
        print(
            f"fraud: {sum(aside.values()) / records:.1%} of {records:,} records were not evaluated "
            f"({words}); see the tables with ingest_status, and dead_letters. If that is as it "
            "should be, say how much is: --set-aside 1",
            file=sys.stderr,
        )
        raise typer.Exit(3)


def replay_shown(
    folder: Path,
    store: Path,
    rules: Rules,
    batch_size: int = BATCH,
    memory_bytes: int = DEFAULT_BUDGET,
    keep: timedelta | None = None,
) -> Tally:
    """Replay a folder with progress on stderr; Ctrl-C stops after the current batch."""

    stopped = False

    def started(pipeline: Pipeline, source: FileSource) -> None:
        def stop(*_: object) -> None:
            nonlocal stopped
            stopped = True
            pipeline.stop()

        if source.ignored:
            names = ", ".join(source.ignored)
            print(printable(f"Not event files, ignored: {names}."), file=sys.stderr)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, stop)
        progress.expect(source.left(pipeline.store.position(source.name)))

    with EventProgress("replaying") as progress:
        tally = replay_folder(
            folder, store, rules, batch_size, [progress], started, memory_bytes, keep
        )
    if stopped:
        print("Stopped before the end; the same command goes on from here.", file=sys.stderr)
    elif not tally.events and not tally.dead_letters:
        print(printable(f"Nothing new: {store} contains all of {folder}."), file=sys.stderr)
    return tally
