"""Copies of a store, also of one that is running, and restoring them."""

import os
import shutil
import sqlite3
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from detector.adapters.database import connect, literal, owner_only
from detector.adapters.duckdb.archive import archive_folder
from detector.adapters.people.store import key_file
from detector.core.errors import InputError, StoreError

STORE = "fraud.duckdb"
"""The name of the store in a backup."""
_COPY = "backup_of_the_store"


def backup_folder(store: Path) -> Path:
    """Where backups of a running store are made: beside it."""
    return store.with_name(store.name + ".backups")


def back_up(db: duckdb.DuckDBPyConnection, store: Path, target: Path | None = None) -> Path:
    """Copy a store into a new folder and return it; the store may be in use by this process.

    It is the state as of one moment. What is known of keys is copied first, because a start feeds
    what is missing there. Archived files never change, so they are linked where possible. Raises
    `InputError` when the folder exists.
    """
    name = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    target = target or backup_folder(store).resolve() / name
    if target.exists():
        raise InputError(f"{target} exists already. Name a new folder for the backup.")
    partial = target.with_name(target.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(0o700, parents=True)
    _copy_known(store, partial / f"{STORE}.known")
    copy = partial / STORE
    cursor = db.cursor()
    [(database,)] = cursor.execute("SELECT current_database()").fetchall()
    previous = os.umask(0o077)
    try:
        cursor.execute(f"ATTACH {literal(str(copy))} AS {_COPY} (READ_WRITE)")
    finally:
        os.umask(previous)
    try:
        cursor.execute(f'COPY FROM DATABASE "{database}" TO {_COPY}')
    finally:
        cursor.execute(f"DETACH {_COPY}")
        cursor.close()
    copy.chmod(0o600)
    if key_file(store).exists():
        _copy_private(key_file(store), partial / f"{STORE}.audit-key")
    _link_tree(archive_folder(store), archive_folder(copy))
    partial.rename(target)
    return target


def restore(backup: Path, store: Path) -> None:
    """Make a store of a backup. Raises `InputError` when the store exists or it is no backup."""
    if not (backup / STORE).is_file():
        raise InputError(f"{backup} is no backup: it has no {STORE}. Name a folder of a backup.")
    beside = [path for path in store.parent.glob(store.name + "*") if path.is_file()]
    if beside:
        raise InputError(
            f"{beside[0]} exists. Restore to another place with --store, or move it away first."
        )
    store.parent.mkdir(0o700, parents=True, exist_ok=True)
    for name in (STORE, f"{STORE}.known", f"{STORE}.audit-key"):
        if (backup / name).exists():
            _copy_private(backup / name, store.with_name(name.replace(STORE, store.name)))
    _link_tree(archive_folder(backup / STORE), archive_folder(store))
    try:
        connect(store, read_only=True).close()
    except StoreError as error:
        raise InputError(f"{backup} cannot be restored: {error}") from error


def _copy_known(store: Path, target: Path) -> None:
    known = store.with_name(store.name + ".known")
    if not known.exists():
        return
    os.close(owner_only(str(target), os.O_WRONLY | os.O_CREAT))
    source, copy = sqlite3.connect(known), sqlite3.connect(target)
    try:
        source.backup(copy)
    finally:
        source.close()
        copy.close()


def _copy_private(source: Path, target: Path) -> None:
    with source.open("rb") as read, open(target, "wb", opener=owner_only) as written:
        shutil.copyfileobj(read, written)


def _link_tree(source: Path, target: Path) -> None:
    for path in source.rglob("*.parquet"):
        place = target / path.relative_to(source)
        place.parent.mkdir(0o700, parents=True, exist_ok=True)
        with suppress(OSError):
            os.link(path, place)
            continue
        _copy_private(path, place)
