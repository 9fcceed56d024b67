"""`fraud doctor`: what is wrong with the machine, the store or the settings, and what to do."""

import os
import platform
import shutil
import socket
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from detector.adapters.bank_files import bank_settings
from detector.adapters.duckdb.at_rest import StoreFile
from detector.adapters.duckdb.migrations import MIGRATIONS, SCHEMA_VERSION
from detector.cli.ask_console import running_console
from detector.cli.options import DEFAULT_STORE, AsJson, Store
from detector.cli.output import as_records, print_json, print_rows
from detector.console.settings import console_settings
from detector.core.errors import FraudError, StoreInUse
from detector.signals.loading import load_rules
from producers.errors import ConfigError

LEAST_DISK = 2 << 30
LEAST_MEMORY = 2 << 30
_PRIVATE = ("", ".known", ".journal", ".wal", ".session-key", ".audit-key")


class Finding(NamedTuple):
    """One check: whether it is as it should be, what was found, and what to do if not."""

    check: str
    ok: bool
    found: str
    advice: str = ""


def doctor(
    store: Store = DEFAULT_STORE,
    bootstrap: Annotated[
        str | None, typer.Option(help="Also check that these Kafka brokers answer, host:port.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check machine, clock, settings, rules, store and brokers.

    Exit code 1 if one is wrong.
    """
    findings = [
        *_machine(store),
        _checked("rules", lambda: f"{len(load_rules().patterns)} patterns"),
        _checked("console settings", lambda: f"port {console_settings().port}"),
        _checked("bank settings", lambda: f"{bank_settings().transaction_rate:g} transactions/s"),
        *_store(store),
        *_brokers(bootstrap),
    ]
    findings = [f if not f.ok else f._replace(advice="") for f in findings]
    columns = list(Finding._fields)
    if as_json:
        ok = all(finding.ok for finding in findings)
        print_json({"ok": ok, "checks": as_records(columns, findings)})
    else:
        print_rows("Doctor", columns, findings)
    if not all(finding.ok for finding in findings):
        raise typer.Exit(1)


def _machine(store: Path) -> Iterator[Finding]:
    version = platform.python_version()
    yield Finding("Python", sys.version_info >= (3, 11), version, "Use Python 3.11 or newer.")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    yield Finding("cores", (cores or 0) >= 2, str(cores), "One detects, one commits: give it two.")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    yield Finding(
        "memory", memory >= LEAST_MEMORY, f"{memory / 1e9:,.1f} GB",
        "Lower --memory; below 2 GB windows of heavy traffic do not fit.",
    )  # fmt: skip
    place = next(p for p in (store.parent, *store.resolve().parents) if p.exists())
    free = shutil.disk_usage(place).free
    yield Finding(
        "disk", free >= LEAST_DISK, f"{free / 1e9:,.1f} GB free at {place}",
        "Free space or name another --store; a full disk stops commits.",
    )  # fmt: skip
    yield Finding(
        "folder", os.access(place, os.W_OK), str(place), "Make it writable for this user."
    )
    year = datetime.now(UTC).year
    yield Finding(
        "clock", year >= 2025 and abs(time.time() - datetime.now(UTC).timestamp()) < 1,
        datetime.now(UTC).isoformat(timespec="seconds"),
        "Set the clock: events ahead of it are not evaluated.",
    )  # fmt: skip
    for package, extra in _EXTRAS.items():
        there = find_spec(package) is not None
        yield Finding(f"extra {extra}", True, "installed" if there else "not installed")


_EXTRAS = {"confluent_kafka": "kafka", "psycopg": "risingwave", "dbt": "dbt", "matplotlib": "plots"}


def _store(store: Path) -> Iterator[Finding]:
    if not store.exists():
        yield Finding("store", True, f"none yet at {store}")
        return
    exposed = [
        path.name
        for path in (store.with_name(store.name + end) for end in _PRIVATE)
        if path.exists() and path.stat().st_mode & 0o077
    ]
    yield Finding(
        "files", not exposed, ", ".join(exposed) or "readable by their owner only",
        f"chmod 600 {' '.join(exposed)}",
    )  # fmt: skip
    try:
        file = StoreFile(store)
    except StoreInUse:
        there = running_console(store) is not None
        console = "with a console" if there else "without a console"
        yield Finding("store", True, f"in use by a running process {console}")
        return
    except FraudError as error:
        yield Finding("store", False, str(error), "Restore a backup: fraud restore FOLDER.")
        return
    try:
        [row] = file.rows("SELECT * FROM progress")
        version = row["schema_version"]
        yield Finding(
            "schema", min(MIGRATIONS) <= version <= SCHEMA_VERSION, f"version {version}",
            f"This release reads {min(MIGRATIONS)} to {SCHEMA_VERSION}.",
        )  # fmt: skip
        last = row.get("committed_at")
        ahead = last is not None and last > datetime.now(UTC) + timedelta(minutes=1)
        yield Finding(
            "last commit", not ahead, str(last or "none yet"),
            "It is in the future: the clock of this machine went back.",
        )  # fmt: skip
    except FraudError as error:
        yield Finding("schema", False, str(error), "Name the store of this product with --store.")
    finally:
        file.close()


def _brokers(bootstrap: str | None) -> Iterator[Finding]:
    for broker in (bootstrap or "").split(","):
        if not broker.strip():
            continue
        host, _, port = broker.strip().rpartition(":")
        try:
            socket.create_connection((host, int(port)), timeout=3).close()
        except (OSError, ValueError) as error:
            yield Finding(
                f"broker {broker}", False, str(error), "Start it, or correct --bootstrap."
            )
        else:
            yield Finding(f"broker {broker}", True, "accepts connections")


def _checked(name: str, check: Callable[[], str]) -> Finding:
    try:
        return Finding(name, True, check())
    except (FraudError, ConfigError) as error:
        return Finding(name, False, str(error), "Correct what it names.")
