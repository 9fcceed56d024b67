"""What a command queries: a store's file, a cluster, or a running console."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer

from detector.adapters.duckdb.at_rest import StoreFile
from detector.core.errors import InputError
from detector.core.extras import imported

CONSOLES = ("http", "https")
CLUSTERS = ("postgresql", "postgres")

Url = Annotated[
    str | None,
    typer.Option(
        "--url",
        help="Ask a running console (http://127.0.0.1:8000, its key in FRAUD_API_KEY) or "
        "RisingWave (postgresql://user@host:4566/dev) instead of the store.",
    ),
]
ClusterUrl = Annotated[
    str | None,
    typer.Option(
        "--url", help="Ask RisingWave (postgresql://user@host:4566/dev) instead of the store."
    ),
]


def is_console(url: str | None) -> bool:
    """Whether a URL is that of a running console; raises `InputError` for an unknown scheme."""
    scheme = urlsplit(url or "").scheme
    if url is not None and scheme not in CONSOLES + CLUSTERS:
        raise InputError(
            f"--url has to begin with http:// (a running console) or postgresql:// (RisingWave), "
            f"not {scheme + ':' if scheme else url!r}."
        )
    return scheme in CONSOLES


@contextmanager
def opened(store: Path, url: str | None) -> Iterator[Any]:
    """What answers SQL: the store's file, or the cluster at `url`."""
    if is_console(url):
        raise InputError(
            "A console answers the named questions (risk, cases, kpis, fraud-rate, status), not "
            "SQL. Ask the store once `fraud run` has stopped, or RisingWave at postgresql://…."
        )
    if url is None:
        with closing(StoreFile(store)) as file:
            yield file
        return
    with closing(risingwave(url)) as cluster:
        cluster.open()
        yield cluster


def risingwave(url: str) -> Any:
    """The adapter, not yet open; it needs the extra `risingwave`."""
    adapter = imported("detector.adapters.risingwave", "psycopg", "risingwave", "RisingWave")
    return adapter.RisingWave(url)


def without_secrets(url: str) -> str:
    """A URL for display: without user, password and options."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
