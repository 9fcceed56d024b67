"""`fraud run`: live detection on the synthetic bank or on Kafka."""

import signal
import sys
from contextlib import ExitStack, nullcontext
from datetime import timedelta
from enum import StrEnum
from importlib import import_module
from typing import Annotated, Any

import typer
from rich.console import Console

from detector.adapters.bank_files import bank_settings
from detector.adapters.duckdb.archive import Archiver
from detector.adapters.duckdb.store import DuckDBStore
from detector.adapters.questions import riskiest
from detector.adapters.sources.api import ApiSource
from detector.adapters.sources.synthetic import SyntheticSource
from detector.cli.live import LiveView, PlainLines
from detector.cli.options import (
    DEFAULT_KEEP,
    DEFAULT_MEMORY,
    DEFAULT_STORE,
    AsJson,
    Keep,
    Memory,
    Store,
)
from detector.cli.summary import print_summary
from detector.cli.tuning import collect_garbage_rarely, without_collecting
from detector.console.settings import console_settings
from detector.core.extras import imported
from detector.pipeline.pipeline import Pipeline
from detector.pipeline.ports import Sink, Source
from detector.pipeline.tally import Tally
from detector.signals.loading import load_rules

_HISTORY = timedelta(minutes=15)
"""The demo starts with what happened in this time, so that its queue is not empty."""


class From(StrEnum):
    """Where the events come from."""

    synthetic = "synthetic"
    kafka = "kafka"
    api = "api"


def run(
    source: Annotated[
        From, typer.Option("--source", help="The synthetic bank, Kafka, or only the console's API.")
    ] = From.synthetic,
    seconds: Annotated[
        float | None, typer.Option(min=0.1, help="Stop after this long; by default never.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Makes the bank repeatable (SEED).")] = None,
    rate: Annotated[
        float | None, typer.Option(help="Transactions per second (TRANSACTION_RATE).")
    ] = None,
    fraud_rate: Annotated[
        float | None, typer.Option(help="Share of fraudulent transactions (FRAUD_RATE).")
    ] = None,
    bootstrap: Annotated[
        str | None, typer.Option(help="Kafka brokers, host:port (KAFKA_BOOTSTRAP_SERVERS).")
    ] = None,
    group: Annotated[
        str | None,
        typer.Option(
            envvar="KAFKA_GROUP_ID",
            help="Share the partitions with other stores of this group; by default read all.",
        ),
    ] = None,
    store: Store = DEFAULT_STORE,
    host: Annotated[
        str | None, typer.Option(help="Address of the web console (CONSOLE_HOST).")
    ] = None,
    port: Annotated[
        int | None, typer.Option(help="Its port, 0 for any free one (CONSOLE_PORT).")
    ] = None,
    demo: Annotated[
        bool | None,
        typer.Option("--demo", help="Sign visitors in automatically; on loopback only."),
    ] = None,
    no_console: Annotated[
        bool,
        typer.Option("--no-console", help="No web console, and plain lines instead of a view."),
    ] = False,
    memory: Memory = DEFAULT_MEMORY,
    keep: Keep = DEFAULT_KEEP,
    as_json: AsJson = False,
) -> None:
    """Detect live on the synthetic bank or on Kafka.

    Ctrl-C stops it cleanly.

    Kafka is reached with KAFKA_BOOTSTRAP_SERVERS, KAFKA_SECURITY_PROTOCOL, KAFKA_SASL_* and
    KAFKA_SSL_CAFILE, from the environment or .env, as the producers are.
    """
    collect_garbage_rarely()
    settings = bank_settings(
        seed=seed, transaction_rate=rate, fraud_rate=fraud_rate, kafka_bootstrap_servers=bootstrap
    )
    console = console_settings(host=host, port=port, demo=demo)
    database = DuckDBStore(store, load_rules())
    rules = database.rules
    with ExitStack() as ends:
        ends.callback(database.close)
        tally = Tally(rules)
        live = sys.stdout.isatty() and not no_console and not as_json
        sinks: list[Sink] = [tally]
        if not live:
            sinks.append(PlainLines(tally, Console(stderr=True)))
        events: Source
        if source is From.kafka:
            kafka = kafka_adapters()
            events = kafka.KafkaSource(settings, group, seconds)
            sink = kafka.KafkaSink(settings, store.with_name(store.name + ".published"))
            sink.start(database, rules)
            ends.callback(sink.close)
            sinks.append(sink)
            title = f"Kafka at {settings.kafka_bootstrap_servers}"
        elif source is From.api:
            events, title = ApiSource(seconds), "events by API"
        else:
            events = SyntheticSource(settings, seconds, _HISTORY if console.demo else timedelta(0))
            title = f"synthetic bank, {settings.transaction_rate:g} tx/s"
        pipeline = Pipeline(rules, events, database, sinks, memory_bytes=memory << 20, brake=True)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: pipeline.stop())
        title, url = f"Fraud Operations Centre - {title}", ""
        if not no_console:
            # Imported here, as it is a third of the start without a console.
            with without_collecting():
                serve = import_module("detector.cli.serve")
            served = serve.console_beside(pipeline, database, tally, rules, console)
            url = ends.enter_context(served).entry
            print(f"Console: {url}", file=sys.stderr)
        ends.enter_context(Archiver(database.archive(), timedelta(days=keep)))
        view = LiveView(tally, rules, lambda: riskiest(database), title, url)
        with view if live else nullcontext():
            pipeline.run()
    print_summary(tally.summary(), as_json)


def kafka_adapters() -> Any:
    """The Kafka adapters, whose client is an extra."""
    return imported("detector.adapters.kafka", "confluent-kafka", "kafka", "Reading Kafka")
