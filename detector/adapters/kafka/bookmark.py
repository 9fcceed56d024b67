"""How much of the store's content has been published to Kafka."""

import contextlib
import os
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from detector.adapters.duckdb.store import DuckDBStore
from detector.core.events import STREAMS


class Bookmark(msgspec.Struct):
    """Everything up to here is on Kafka: by event time, and by commit time."""

    watermark: datetime | None
    committed_at: datetime

    @classmethod
    def load(cls, path: Path) -> "Bookmark | None":
        """The bookmark in a file; None if there is none."""
        try:
            return msgspec.json.decode(path.read_bytes(), type=cls)
        except (OSError, msgspec.MsgspecError):
            return None

    def save(self, path: Path) -> None:
        """Replace the bookmark in a file."""
        draft = path.with_name(path.name + ".new")
        with contextlib.suppress(OSError):  # An older bookmark only causes repetitions.
            draft.write_bytes(msgspec.json.encode(self))
            os.replace(draft, path)

    def first_change(self, store: DuckDBStore, lateness: timedelta) -> datetime | None:
        """The earliest time at which signals may have changed since the bookmark, or None."""
        events = " UNION ALL ".join(
            f"SELECT occurred_at, received_at FROM {name}" for name in STREAMS
        )
        first: datetime | None = store.query(
            f"SELECT min(occurred_at) FROM ({events}) WHERE received_at >= ?", [self.committed_at]
        )[0][0]
        if first is None or self.watermark is None:
            return first
        # An event changes only signals at or after it, and none further back than this.
        return max(first, self.watermark - lateness)
