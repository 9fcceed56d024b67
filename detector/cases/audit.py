"""The record of what people did: each entry carries the hash of the one before it."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

START = "0" * 64
"""What stands in the first entry as the hash of the one before it."""


class Tampered(Exception):
    """The record was changed after it was written; `seq` is the first entry that shows it."""

    def __init__(self, seq: int, what: str) -> None:
        super().__init__(f"The audit log is broken at entry {seq}: {what}.")
        self.seq = seq


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that somebody did, and all that is needed to say so later."""

    seq: int
    at: datetime
    actor: str
    role: str
    action: str
    subject_kind: str
    subject: str
    detail: dict[str, Any] = field(default_factory=dict)
    previous_hash: str = START
    hash: str = ""

    def sealed(self) -> "Entry":
        """The entry with its hash: SHA-256 over everything else in it."""
        content = asdict(self)
        del content["hash"]
        content["at"] = self.at.astimezone(UTC).isoformat(timespec="microseconds")
        text = json.dumps(content, sort_keys=True, separators=(",", ":"))
        return replace(self, hash=hashlib.sha256(text.encode()).hexdigest())


def verify(entries: Iterable[Entry]) -> int:
    """Check a whole record, oldest first, and return its length; raises `Tampered`.

    A record cut off at its end is sound in itself: compare its last hash with one kept elsewhere.
    """
    seq, previous = 0, START
    for entry in entries:
        seq += 1
        if entry.seq != seq:
            raise Tampered(seq, f"entry {entry.seq} stands in its place")
        if entry.previous_hash != previous:
            raise Tampered(seq, "it does not follow from the entry before it")
        if entry.sealed().hash != entry.hash:
            raise Tampered(seq, "its content does not match its hash")
        previous = entry.hash
    return seq
