"""Replaying a folder of events into a store, in event time."""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from datetime import timedelta
from pathlib import Path

from detector.adapters.duckdb.archive import Archiver
from detector.adapters.duckdb.store import DuckDBStore
from detector.adapters.sources.files import BATCH, FileSource
from detector.pipeline.pipeline import Pipeline
from detector.pipeline.ports import Sink
from detector.pipeline.tally import Tally
from detector.signals.rules import Rules
from detector.state.knowledge import DEFAULT_BUDGET


def replay_folder(
    folder: Path,
    store: Path,
    rules: Rules,
    batch_size: int = BATCH,
    sinks: Sequence[Sink] = (),
    started: Callable[[Pipeline, FileSource], None] = lambda *_: None,
    memory_bytes: int = DEFAULT_BUDGET,
    keep: timedelta | None = None,
) -> Tally:
    """Replay a folder into a store and return the counts; a store that was killed resumes.

    Events older than `keep` move to the archive meanwhile; without it all stay.
    `started` receives the pipeline before it runs, for example to stop it on a signal.
    """
    source = FileSource(folder, batch_size)
    database = DuckDBStore(store, rules)
    try:
        rules = database.rules
        tally = Tally(rules)
        pipeline = Pipeline(rules, source, database, [tally, *sinks], memory_bytes=memory_bytes)
        started(pipeline, source)
        with Archiver(database.archive(), keep) if keep is not None else nullcontext():
            pipeline.run()
    finally:
        database.close()
    return tally
