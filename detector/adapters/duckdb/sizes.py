"""How large a store is on disk."""

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from detector.adapters.duckdb.archive import archive_folder


def sizes_of(store: Path) -> dict[str, int]:
    """Bytes of the store with its log and journal, of what is known of keys, and of the archive."""
    if str(store) == ":memory:":
        return {"store": 0, "known": 0, "archive": 0}
    return {
        "store": _bytes(
            [
                store,
                store.with_name(store.name + ".wal"),
                *store.parent.glob(store.name + ".journal*"),
            ]
        ),
        "known": _bytes(store.parent.glob(store.name + ".known*")),
        "archive": _bytes(archive_folder(store).rglob("*.parquet")),
    }


def _bytes(paths: Iterable[Path]) -> int:
    total = 0
    for path in paths:
        with suppress(OSError):
            total += path.stat().st_size
    return total
