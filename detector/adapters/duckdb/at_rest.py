"""A store that no process has, to be read."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb

from detector.adapters.database import confine, connect
from detector.adapters.duckdb.journal import journal_file
from detector.adapters.duckdb.tables import Tables
from detector.adapters.duckdb.write_behind import WriteBehind
from detector.core.data import Row
from detector.core.errors import InputError


def connect_to_read(path: Path) -> duckdb.DuckDBPyConnection:
    """As `connect` for reading only, with the last commits of a run that was killed."""
    if journal_file(path).exists():
        _recover(path)
    return connect(path, read_only=True)


def _recover(path: Path) -> None:
    with connect(path) as db:
        tables = Tables(db, path)
        behind = WriteBehind(path, tables)
        try:
            behind.recover()
        finally:
            behind.close()
            tables.close()


class StoreFile:
    """A store's file, read-only, without access to other files or the network."""

    def __init__(self, path: Path) -> None:
        self._db = connect_to_read(path)
        confine(self._db)
        self._db.execute("SET lock_configuration = true")

    def answer(self, sql: str, parameters: Sequence[object] = ()) -> tuple[list[str], list[Any]]:
        """The columns and rows of any query, possibly written by hand."""
        try:
            self._db.execute(sql, parameters)
        except duckdb.Error as error:
            raise InputError(f"The query cannot be answered: {error}") from error
        columns = [column[0] for column in self._db.description or ()]
        return columns, self._db.fetchall() if columns else []

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> list[Row]:
        """The rows of a query; parameters are `?`."""
        columns, rows = self.answer(sql, parameters)
        return [dict(zip(columns, row, strict=True)) for row in rows]

    def close(self) -> None:
        """Release the file."""
        self._db.close()
