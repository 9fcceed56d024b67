"""The events of files or of a store, in a database where the models run over and over."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb

from detector.adapters.database import identifier, literal
from detector.adapters.dbt_models import REVIEWS, STAGING, event_files, load, open_database, run
from detector.adapters.duckdb.at_rest import connect_to_read
from detector.adapters.duckdb.store import DuckDBStore
from detector.adapters.rendering import rendered
from detector.signals.rules import Rules


@contextmanager
def history_of_files(paths: Sequence[Path], rules: Rules) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database with the staging tables of event files; see `event_files` for their names."""
    files = event_files(paths)
    with open_database() as db:
        typed = load(db, files, allow_typed=True)
        run(db, rendered(rules, typed=typed).needed_for(STAGING))
        yield db


@contextmanager
def history_of_store(path: Path, rules: Rules, pattern: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """The same of a store's evaluated events, with the signals of all patterns but one.

    What was decided on its cases is in `decided`; what was moved to the archive is missing. Raises
    `StoreError` without a store, or one in use.
    """
    connect_to_read(path).close()  # to refuse a store that is missing or in use in words
    with open_database() as db:
        db.execute(f"ATTACH {literal(str(path))} AS store (READ_ONLY)")
        for name in STAGING:
            db.execute(f"CREATE VIEW {name} AS FROM store.{name}")
        _rest(db, "store", rules, pattern)
        yield db


@contextmanager
def history_of_running(store: DuckDBStore, pattern: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """The same of a store that this process has open, read as it is now."""
    with store.beside() as db:
        _rest(db, identifier(store.catalog), store.rules, pattern)
        yield db


def _rest(db: duckdb.DuckDBPyConnection, store: str, rules: Rules, but: str) -> None:
    db.execute(REVIEWS)
    db.execute(f"CREATE TABLE decided AS {DECIDED.format(at=f'{store}.main.')}")
    for pattern in rules.patterns.values():
        if pattern.id != but:
            db.execute(f"CREATE VIEW {pattern.view} AS FROM {store}.main.{pattern.view}")


DECIDED = """
SELECT customer_id, disposition, r.closed_until, c.first_signal_at
FROM {at}case_reviews AS r JOIN {at}cases AS c USING (case_id, customer_id)
WHERE r.status = 'CLOSED' AND r.disposition IS NOT NULL"""
"""The closed cases; `at` is the schema of a store's tables."""
