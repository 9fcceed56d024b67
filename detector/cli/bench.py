"""`fraud bench`: throughput of decoding, the engine and the whole pipeline, in one run."""

import os
import platform
import resource
import tempfile
import time
from pathlib import Path
from typing import Annotated

import typer

from detector.adapters.bank_files import bank_settings, write_bank
from detector.adapters.duckdb.store import DuckDBStore
from detector.adapters.sources.files import FileSource
from detector.cli.options import AsJson
from detector.cli.output import print_json, print_rows
from detector.cli.tuning import collect_garbage_rarely
from detector.core.data import JsonObject
from detector.core.events import STREAMS, decode
from detector.pipeline.detector import Detector
from detector.pipeline.pipeline import Pipeline
from detector.signals.loading import load_rules
from detector.signals.rules import Rules


def bench(
    events: Annotated[int, typer.Option(min=1000, help="Events to generate.")] = 200_000,
    folder: Annotated[
        Path | None, typer.Option(help="Use these event files instead of generating some.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Measure events per second. Decoding alone, the engine without a store, everything."""
    collect_garbage_rarely()
    rules = load_rules()
    with tempfile.TemporaryDirectory() as scratch:
        if folder is None:
            folder = Path(scratch) / "events"
            write_bank(folder, bank_settings(seed=7, fraud_rate=0.01), events)
        found = measure(folder, rules, Path(scratch) / "bench.duckdb")
    if as_json:
        print_json(found)
    else:
        print_rows("Bench", ["what", "value"], found.items())


def measure(folder: Path, rules: Rules, store: Path) -> JsonObject:
    """Time the pipeline over a folder, then decoding and the engine over the same batches.

    The engine is timed in one thread, decoding included, without a store. Memory is the peak of
    this process.
    """
    total, pipeline_s = _run_pipeline(folder, rules, store)
    decode_s, engine_s = _time_in_memory(folder, rules)
    peak_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "events": total,
        "decode_events_per_s": round(total / decode_s),
        "engine_events_per_s": round(total / engine_s),
        "pipeline_events_per_s": round(total / pipeline_s),
        "engine_to_decode": round(decode_s / engine_s, 3),
        "pipeline_to_decode": round(decode_s / pipeline_s, 3),
        "peak_memory_mib": round(peak_kib / 1024),
        "machine": f"{platform.machine()}, {_cores()} cores, Python {platform.python_version()}",
    }


def _time_in_memory(folder: Path, rules: Rules) -> tuple[float, float]:
    """Seconds of decoding alone, and of the engine, batch by batch to limit memory."""
    source = FileSource(folder)
    source.open(None)
    detector = Detector(rules, lambda ids: set())
    decode_s = engine_s = 0.0
    while (batch := source.poll()) is not None:
        began = time.perf_counter()
        for record in batch.records:
            decode(record)
        decoded = time.perf_counter()
        detector.process(source.name, batch)
        decode_s += decoded - began
        engine_s += time.perf_counter() - decoded
    return decode_s, engine_s


def _run_pipeline(folder: Path, rules: Rules, store: Path) -> tuple[int, float]:
    database = DuckDBStore(store, rules)
    try:
        began = time.perf_counter()
        Pipeline(database.rules, FileSource(folder), database).run()
        seconds = time.perf_counter() - began
        total = sum(database.query(f"SELECT count(*) FROM {s}")[0][0] for s in STREAMS)
    finally:
        database.close()
    return total, seconds


def _cores() -> int:
    return len(os.sched_getaffinity(0))
