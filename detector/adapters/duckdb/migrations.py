"""Brings the store of an earlier version up to date."""

import duckdb

from detector.core.errors import StoreError

SCHEMA_VERSION = 5
MIGRATIONS: dict[int, tuple[str, ...]] = {
    4: (
        "ALTER TABLE progress ADD COLUMN final TIMESTAMPTZ",
        "ALTER TABLE progress ADD COLUMN lanes VARCHAR DEFAULT '{}'",
        "ALTER TABLE progress ADD COLUMN committed_at TIMESTAMPTZ",
        "UPDATE progress SET final = CASE WHEN confirmed IS NOT NULL THEN watermark END, "
        "committed_at = (SELECT max(committed_at) FROM source_positions)",
        "ALTER TABLE progress DROP COLUMN confirmed",
    ),
}
"""From each version that can be read, what leads to the next one."""


def migrate(db: duckdb.DuckDBPyConnection, name: str) -> None:
    """Bring the schema to `SCHEMA_VERSION`, in the caller's transaction.

    Raises `StoreError` for a store that is newer, or older than the oldest migration.
    """
    [(version,)] = db.execute("SELECT schema_version FROM progress").fetchall()
    if version > SCHEMA_VERSION:
        raise StoreError(
            f"The store {name} has schema version {version}, written by a newer release; this one "
            f"reads up to {SCHEMA_VERSION}. Use that release, or restore a backup."
        )
    if version < min(MIGRATIONS):
        raise StoreError(
            f"The store {name} has schema version {version}; the oldest that can be upgraded is "
            f"{min(MIGRATIONS)}. Replay its events into a new store."
        )
    for step in range(version, SCHEMA_VERSION):
        for statement in MIGRATIONS[step]:
            db.execute(statement)
    db.execute("UPDATE progress SET schema_version = ?", [SCHEMA_VERSION])
