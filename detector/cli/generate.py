"""`fraud generate`: write the synthetic bank's events, and their labels, to files."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from detector.adapters.bank_files import DEFAULT_START, bank_settings, write_bank
from detector.cli.options import AsJson
from detector.cli.output import print_json
from detector.cli.progress import EventProgress


def generate(
    out: Annotated[Path, typer.Option(help="The folder to write to; created if missing.")],
    events: Annotated[int, typer.Option(min=1, help="Total number of events.")] = 200_000,
    seed: Annotated[int | None, typer.Option(help="Makes the bank repeatable (SEED).")] = None,
    fraud_rate: Annotated[
        float | None, typer.Option(help="Share of fraudulent transactions (FRAUD_RATE).")
    ] = None,
    rate: Annotated[
        float | None, typer.Option(help="Transactions per second of event time.")
    ] = None,
    profile: Annotated[
        str | None, typer.Option(help="demo, realistic or adversarial (PROFILE).")
    ] = None,
    customers: Annotated[
        int | None, typer.Option(help="Customers of the bank (CUSTOMER_POOL_SIZE).")
    ] = None,
    start: Annotated[
        datetime | None,
        typer.Option(help=f"Event time of the first event, UTC; {DEFAULT_START:%Y-%m-%d}."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write the events of a bank, one file per stream.

    Also truth.jsonl, which detection never reads.
    """
    settings = bank_settings(
        seed=seed,
        fraud_rate=fraud_rate,
        transaction_rate=rate,
        profile=profile,
        customer_pool_size=customers,
    )
    begin = start.replace(tzinfo=UTC) if start else DEFAULT_START
    with EventProgress("generating", total=events) as progress:
        counts = write_bank(out, settings, events, begin, progress.advance)
    if as_json:
        print_json({"out": str(out), "events": sum(counts.values()), "by_stream": counts})
    else:
        print(f"{sum(counts.values()):,} events in {out}")
