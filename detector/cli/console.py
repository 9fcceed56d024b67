"""`fraud console`: the operations console without a pipeline."""

from pathlib import Path
from typing import Annotated

import typer

from detector.cli.options import DEFAULT_STORE, Store
from detector.cli.run import From, run
from detector.cli.serve import serve_cluster
from detector.console.settings import console_settings
from detector.signals.loading import load_rules

PEOPLE = Path("data/console.duckdb")


def console(
    url: Annotated[
        str | None,
        typer.Option(
            envvar="RISINGWAVE_URL",
            help="RisingWave, postgresql://user:password@host:4566/dev; without, the store.",
        ),
    ] = None,
    store: Store = DEFAULT_STORE,
    people: Annotated[
        Path, typer.Option(help="Users, reviews and audit log of a console over RisingWave.")
    ] = PEOPLE,
    host: Annotated[str | None, typer.Option(help="Address to listen on (CONSOLE_HOST).")] = None,
    port: Annotated[int | None, typer.Option(help="Port, 0 for any (CONSOLE_PORT).")] = None,
    demo: Annotated[
        bool | None,
        typer.Option("--demo", help="Sign visitors in automatically; on loopback only."),
    ] = None,
) -> None:
    """Serve the console over a store or over RisingWave.

    The store then receives events through the API. Ctrl-C stops it.
    """
    if url is None:
        run(source=From.api, store=store, host=host, port=port, demo=demo)
        return
    settings = console_settings(host=host, port=port, demo=demo)
    serve_cluster(url, people, load_rules(), settings)
