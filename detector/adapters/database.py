"""Opening a DuckDB file."""

from pathlib import Path

import duckdb

from detector.core.errors import StoreError


def connect(path: Path, read_only: bool = False) -> duckdb.DuckDBPyConnection:
    """Open a store's file with times in UTC; a new one is for its owner's eyes only.

    Raises `StoreError` when the file is missing (read only), not a store, or in use.
    """
    if read_only and not path.exists():
        raise StoreError(f"There is no store at {path}. Run `fraud run` or `fraud replay` first.")
    # What DuckDB writes beside the file is as secret as the file.
    path.parent.mkdir(0o700, parents=True, exist_ok=True)
    new = not path.exists()
    try:
        connection = duckdb.connect(str(path), read_only=read_only)
    except duckdb.IOException as error:
        if "lock" in str(error).lower():
            raise StoreError(
                f"The store {path} is in use by another process, most likely a running "
                "`fraud run`. Stop it first, or name another store with --store."
            ) from error
        raise StoreError(f"{path} cannot be opened as a store: {error}") from error
    if new and path.exists():  # not so in memory
        path.chmod(0o600)
    connection.execute("SET TimeZone = 'UTC'")
    return connection
