"""The tables and views of a store: made when it is new, and again when they are other ones."""

from hashlib import sha256
from importlib.resources import files

import duckdb

from detector.adapters.duckdb.migrations import SCHEMA_VERSION, migrate
from detector.adapters.duckdb.views import view_statements
from detector.adapters.people.store import people_schema, people_tables
from detector.core.errors import StoreError
from detector.signals.rules import Rules


def lay_out(db: duckdb.DuckDBPyConnection, name: str, rules: Rules) -> None:
    """Bring a store up to date, in one transaction: half of it would look like a foreign database.

    Leaves one alone that has what this release makes with these rules: most of a start otherwise.
    Raises `StoreError` for a database of something else, or one that cannot be brought up to date.
    """
    tables = {name for (name,) in db.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
    if tables - people_tables() and "progress" not in tables:
        raise StoreError(
            f"{name} is the database of something else, with tables such as {min(tables)}. Name "
            "another store with --store."
        )
    schema = files("detector.adapters.duckdb").joinpath("schema.sql").read_text("utf-8")
    schemas, views = [schema, people_schema()], view_statements(rules)
    fingerprint = sha256("\0".join([*schemas, *views]).encode()).hexdigest()
    if "layout" in tables:
        found = db.execute("SELECT fingerprint, schema_version FROM layout, progress").fetchall()
        if found == [(fingerprint, SCHEMA_VERSION)]:
            return
    db.begin()
    for statement in schemas:
        db.execute(statement)
    if db.execute("SELECT schema_version FROM progress").fetchone() is None:
        db.execute("INSERT INTO progress VALUES (?, NULL, NULL, '{}', 0, NULL)", [SCHEMA_VERSION])
    migrate(db, name)
    for statement in views:
        db.execute(statement)
    db.execute("CREATE OR REPLACE TABLE layout AS SELECT ? AS fingerprint", [fingerprint])
    db.commit()
