"""`fraud generate`: write the synthetic bank's events to files, and the truth beside them."""

import itertools
import json
from collections import Counter
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from detector.cli.options import AsJson
from detector.cli.output import print_json
from detector.cli.progress import EventProgress
from detector.cli.run import bank_settings
from detector.core.errors import InputError
from detector.core.events import STREAMS
from producers.bank import SyntheticBank, truth
from producers.config import ProducerSettings

DEFAULT_START = datetime(2026, 1, 5, tzinfo=UTC)
TRUTH_FILE = "truth.jsonl"


def generate(
    out: Annotated[Path, typer.Option(help="The folder to write to; made if missing.")],
    events: Annotated[int, typer.Option(min=1, help="How many events in all.")] = 200_000,
    seed: Annotated[int | None, typer.Option(help="Makes the bank repeatable (SEED).")] = None,
    fraud_rate: Annotated[
        float | None, typer.Option(help="Share of fraudulent transactions (FRAUD_RATE).")
    ] = None,
    rate: Annotated[
        float | None, typer.Option(help="Transactions per second of event time.")
    ] = None,
    profile: Annotated[str | None, typer.Option(help="demo or realistic (PROFILE).")] = None,
    start: Annotated[
        datetime | None,
        typer.Option(help=f"Event time of the first event, UTC; {DEFAULT_START:%Y-%m-%d}."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write one file a stream, and truth.jsonl, which detection never reads."""
    settings = bank_settings(
        seed=seed, fraud_rate=fraud_rate, transaction_rate=rate, profile=profile
    )
    begin = start.replace(tzinfo=UTC) if start else DEFAULT_START
    counts = write_bank(out, settings, events, begin)
    if as_json:
        print_json({"out": str(out), "events": sum(counts.values()), "by_stream": counts})
    else:
        print(f"{sum(counts.values()):,} events in {out}")


def write_bank(
    out: Path, settings: ProducerSettings, events: int, start: datetime
) -> dict[str, int]:
    """Write the first `events` events of the bank and return how many went to each stream.

    Raises `InputError` when the folder already holds event files, so that none is overwritten.
    """
    out.mkdir(parents=True, exist_ok=True)
    if taken := [p.name for p in out.iterdir() if p.name.endswith(".jsonl")]:
        raise InputError(f"{out} already holds {', '.join(sorted(taken))}. Name an empty folder.")
    counts: Counter[str] = Counter()
    with ExitStack() as stack, EventProgress("generating") as progress:
        files = {name: stack.enter_context((out / f"{name}.jsonl").open("wb")) for name in STREAMS}
        answers = stack.enter_context((out / TRUTH_FILE).open("w", encoding="utf-8"))
        for topic, event in itertools.islice(SyntheticBank(settings, start), events):
            stream = topic.removeprefix("banking.")
            files[stream].write(event.to_json() + b"\n")
            counts[stream] += 1
            if row := truth(topic, event):
                answers.write(json.dumps(row) + "\n")
            if counts.total() % 10_000 == 0:
                progress.advance(10_000)
    return dict(counts)
