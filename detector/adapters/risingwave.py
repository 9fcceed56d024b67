"""RisingWave for the console, over PostgreSQL's protocol; needs the extra `risingwave`."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
from psycopg.rows import dict_row, tuple_row
from psycopg.types.string import TextLoader
from psycopg_pool import ConnectionPool, PoolTimeout

from detector.adapters.database import identifier
from detector.cases.review import Review
from detector.core.data import Row
from detector.core.errors import InputError, StoreError

MOST_CONNECTIONS = 6
PATIENCE_S = 5


class RisingWave:
    """Reads the views of a cluster, and writes reviews to it.

    Opens connections as needed and replaces broken ones; safe from any thread. The client
    interpolates values into statements, since RisingWave does not accept parameters everywhere that
    PostgreSQL does.
    """

    open_cases = "mv_open_fraud_cases"

    def __init__(self, url: str) -> None:
        self._url = url
        self._pool = ConnectionPool(
            url,
            min_size=1,
            max_size=MOST_CONNECTIONS,
            timeout=PATIENCE_S,
            configure=_configure,
            check=ConnectionPool.check_connection,
            kwargs={
                "autocommit": True,
                "cursor_factory": psycopg.ClientCursor,
                "row_factory": dict_row,
                "connect_timeout": PATIENCE_S,
                "application_name": "fraud-console",
                # Prepared statements are discarded by DEALLOCATE ALL, which 2.4 refuses.
                "prepare_threshold": None,
            },
            open=False,
        )

    def open(self) -> None:
        """Connect; raises `StoreError` when the server does not answer or refuses the user."""
        self._pool.open()
        try:
            self._pool.wait(PATIENCE_S)
        except PoolTimeout as error:
            self.close()
            raise StoreError(
                "RisingWave cannot be reached within "
                f"{PATIENCE_S} s. Check the address, user and password of --url, and `make status`."
            ) from error

    def hold(self) -> None:
        """Views are as recent as the cluster keeps them, whatever is asked."""

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> list[Row]:
        """The rows of a query; parameters are `?`."""
        with self._asked() as connection:
            return connection.execute(_postgres(sql), parameters).fetchall()

    def answer(self, sql: str) -> tuple[list[str], list[Any]]:
        """The columns and rows of one read-only query, possibly written by hand."""
        try:
            # A connection of its own, closed afterwards: nothing has to be discarded on it.
            with psycopg.connect(
                self._url, autocommit=True, connect_timeout=PATIENCE_S, row_factory=tuple_row
            ) as connection:
                _configure(connection)
                connection.execute("START TRANSACTION READ ONLY")
                # Only a prepared statement is guaranteed to be a single one.
                cursor = connection.execute(sql.encode(), prepare=True)
                found = cursor.fetchall()
                return [column.name for column in cursor.description or ()], found
        except psycopg.OperationalError as error:
            raise StoreError(f"RisingWave does not answer: {error}.") from error
        except psycopg.Error as error:
            raise InputError(f"The query cannot be answered: {error}") from error

    def put(self, review: Review) -> None:
        """Write the review of a case to the cluster, replacing an earlier one."""
        row = {
            "status": review.status,
            "owner": review.owner,
            "disposition": review.disposition,
            "reviewed_at": review.reviewed_at,
            "customer_id": review.customer_id,
            "closed_until": review.closed_until,
            "case_id": review.case_id,
        }
        changed = "UPDATE case_reviews SET {} WHERE case_id = %(case_id)s".format(
            # Quoted, because `owner` is a keyword there.
            ", ".join(f"{identifier(name)} = %({name})s" for name in row if name != "case_id")
        )
        added = "INSERT INTO case_reviews ({}) VALUES ({})".format(
            ", ".join(map(identifier, row)), ", ".join(f"%({name})s" for name in row)
        )
        try:
            with self._pool.connection() as connection:
                if connection.execute(changed, row).rowcount == 0:
                    connection.execute(added, row)
        except (psycopg.Error, PoolTimeout) as error:
            raise StoreError(f"RisingWave does not take a review: {error}.") from error

    def close(self) -> None:
        """Close all connections."""
        self._pool.close()

    @contextmanager
    def _asked(self) -> Iterator[psycopg.Connection[Row]]:
        try:
            with self._pool.connection() as connection:
                yield connection
        except (psycopg.OperationalError, PoolTimeout) as error:
            raise StoreError(f"RisingWave does not answer: {error}.") from error
        except psycopg.Error as error:
            raise InputError(f"The query cannot be answered: {error}") from error


def _configure(connection: psycopg.Connection[Any]) -> None:
    connection.execute("SET TIME ZONE 'UTC'")
    # RisingWave shows a change only after a flush; PostgreSQL has no such setting.
    with suppress(psycopg.Error):
        connection.execute("SET implicit_flush = true")
    # The embedded store returns JSON as text.
    for name in ("json", "jsonb"):
        connection.adapters.register_loader(name, TextLoader)


def _postgres(sql: str) -> str:
    return sql.replace("%", "%%").replace("?", "%s")
