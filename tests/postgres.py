"""A real PostgreSQL server on loopback, which speaks RisingWave's protocol and most of its SQL."""

import getpass
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from detector.adapters.duckdb.store import DuckDBStore

_TYPES = {"VARCHAR[]": "text[]", "JSON": "jsonb", "DOUBLE": "double precision"}
_TYPES |= {"TIMESTAMP WITH TIME ZONE": "timestamptz"}


def _binaries() -> Path | None:
    if found := shutil.which("initdb"):
        return Path(found).parent
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return places[-1].parent if places else None


@contextmanager
def postgres() -> Iterator[str]:
    """The address of a fresh server; without PostgreSQL the tests are skipped, never in CI."""
    binaries = _binaries()
    if binaries is None:
        if os.environ.get("CI") == "true":
            pytest.fail("CI needs PostgreSQL: apt-get install postgresql")
        pytest.skip("no PostgreSQL on this machine: apt-get install postgresql")
    # It refuses to run as root; Debian's package makes a user for it.
    user = "postgres" if os.getuid() == 0 else getpass.getuser()
    as_user = ["runuser", "-u", user, "--"] if os.getuid() == 0 else []
    folder = Path(tempfile.mkdtemp(prefix="fraud-postgres-"))
    os.chown(folder, pwd.getpwnam(user).pw_uid, -1)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    def call(program: str, *arguments: str) -> None:
        subprocess.run(
            [*as_user, str(binaries / program), *arguments],
            check=True, cwd=folder, stdout=subprocess.DEVNULL,
        )  # fmt: skip

    data = str(folder / "data")
    call("initdb", "--pgdata", data, "--username", "root", "--auth", "trust", "--no-sync")
    options = f"-c listen_addresses=127.0.0.1 -c port={port} -c fsync=off -k {folder}"
    log = str(folder / "log")
    call("pg_ctl", "--pgdata", data, "--log", log, "--options", options, "--wait", "start")
    try:
        yield f"postgresql://root@127.0.0.1:{port}/postgres"
    finally:
        call("pg_ctl", "--pgdata", data, "--mode", "immediate", "stop")
        shutil.rmtree(folder)


def copied(store: DuckDBStore, connection: psycopg.Connection[Any], name: str) -> None:
    """Make a table there of a store's view or table."""
    columns = store.query(
        "SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = ? "
        "ORDER BY column_index",
        [name],
    )
    kinds = ", ".join(f'"{column}" {_TYPES.get(kind, kind)}' for column, kind in columns)
    connection.execute(f"CREATE TABLE {name} ({kinds})")
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY {name} FROM STDIN") as copy,
    ):
        for row in store.query(f"SELECT * FROM {name}"):
            copy.write_row(row)
