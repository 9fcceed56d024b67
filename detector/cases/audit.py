"""The hash chain of the audit log: each entry contains the hash of the previous one."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime

from detector.core.data import JsonObject

START = "0" * 64
"""The previous hash of the first entry."""


class Tampered(Exception):
    """The log was modified; `seq` is the first entry at which that shows."""

    def __init__(self, seq: int, what: str) -> None:
        super().__init__(f"The audit log is broken at entry {seq}: {what}.")
        self.seq = seq


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One action: who, what, when, on what, and its details."""

    seq: int
    at: datetime
    actor: str
    role: str
    action: str
    subject_kind: str
    subject: str
    detail: JsonObject = field(default_factory=dict)
    previous_hash: str = START
    hash: str = ""

    def sealed(self) -> "AuditEntry":
        """The entry with its hash: SHA-256 over everything else in it."""
        content = asdict(self)
        del content["hash"]
        content["at"] = self.at.astimezone(UTC).isoformat(timespec="microseconds")
        text = json.dumps(content, sort_keys=True, separators=(",", ":"))
        return replace(self, hash=hashlib.sha256(text.encode()).hexdigest())


def verify(entries: Iterable[AuditEntry]) -> int:
    """Verify a whole log, oldest first, and return its length; raises `Tampered`.

    A truncated log still verifies: compare its last hash with a copy stored elsewhere.
    """
    seq, previous = 0, START
    for entry in entries:
        seq += 1
        if entry.seq != seq:
            raise Tampered(seq, f"it is entry {entry.seq}")
        if entry.previous_hash != previous:
            raise Tampered(seq, "its previous hash is not that of the entry before it")
        if entry.sealed().hash != entry.hash:
            raise Tampered(seq, "its content does not match its hash")
        previous = entry.hash
    return seq
