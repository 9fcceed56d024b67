"""Opens DuckDB files."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb

from detector.core.data import Row
from detector.core.errors import InputError, StoreError, StoreInUse


def connect(path: Path, read_only: bool = False) -> duckdb.DuckDBPyConnection:
    """Open a store's file with times in UTC; a new file is readable by its owner only.

    Raises `StoreError` when the file is missing (read only), not a store, or in use.
    """
    if read_only and not path.exists():
        raise StoreError(f"There is no store at {path}. Run `fraud run` or `fraud replay` first.")
    # What DuckDB writes beside the file is as sensitive as the file.
    path.parent.mkdir(0o700, parents=True, exist_ok=True)
    new = not path.exists()
    try:
        connection = duckdb.connect(str(path), read_only=read_only)
    except duckdb.IOException as error:
        if "lock" in str(error).lower():
            raise StoreInUse(
                f"The store {path} is in use by another process, {_its_console(path)}. Stop it "
                "first, or name another store with --store."
            ) from error
        raise StoreError(f"{path} cannot be opened as a store: {error}") from error
    if new and path.exists():  # not so for a database in memory
        path.chmod(0o600)
    connection.execute("SET TimeZone = 'UTC'")
    return connection


def console_file(store: Path) -> Path:
    """Where the process that has a store says at which address its console is."""
    return store.with_name(store.name + ".console")


def _its_console(store: Path) -> str:
    try:
        return f"whose console is at {console_file(store).read_text('utf-8')}"
    except OSError:
        return "most likely a running `fraud run`"


def literal(text: str) -> str:
    """Text as an SQL literal, where a parameter is not possible."""
    return "'" + text.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """A name as a quoted SQL identifier, where it is not one of ours."""
    return '"' + name.replace('"', '""') + '"'


def confine(connection: duckdb.DuckDBPyConnection, *folders: Path) -> None:
    """Take away access to the network, and to files outside these folders, for good."""
    allowed = ", ".join(literal(f"{folder}/") for folder in folders)
    connection.execute(f"SET allowed_directories = [{allowed}]")
    connection.execute("SET enable_external_access = false")


def owner_only(path: str, flags: int) -> int:
    """An opener of files that only their owner may read, from their first byte."""
    return os.open(path, flags, 0o600)


def one_select(cursor: duckdb.DuckDBPyConnection, sql: str) -> tuple[list[str], list[Any]]:
    """The columns and rows of a query by hand on a connection that may write, but not here."""
    try:
        if [s.type for s in duckdb.extract_statements(sql)] != [duckdb.StatementType.SELECT]:
            raise InputError("Beside a running process one SELECT is answered, nothing else.")
        cursor.execute("BEGIN TRANSACTION READ ONLY")
        try:
            cursor.execute(sql)
            return [column[0] for column in cursor.description or ()], cursor.fetchall()
        finally:
            cursor.execute("ROLLBACK")
    except duckdb.Error as error:
        raise InputError(f"The query cannot be answered: {error}") from error


def rows_of(
    cursor: duckdb.DuckDBPyConnection, sql: str, parameters: Sequence[object] = ()
) -> list[Row]:
    """The rows of a query, each as a mapping of column names."""
    answer = cursor.execute(sql, parameters)
    names = [column[0] for column in answer.description or ()]
    return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]
