"""The hash chain of the audit log: each entry contains the keyed hash of the previous one."""

import hashlib
import hmac
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

    def sealed(self, key: bytes) -> "AuditEntry":
        """The entry with its hash over everything else in it: HMAC-SHA256.

        With an empty key, as entries were sealed before there were keys, plain SHA-256.
        """
        content = asdict(self)
        del content["hash"]
        content["at"] = self.at.astimezone(UTC).isoformat(timespec="microseconds")
        text = json.dumps(content, sort_keys=True, separators=(",", ":"))
        sealed = hmac.new(key, text.encode(), "sha256") if key else hashlib.sha256(text.encode())
        return replace(self, hash=sealed.hexdigest())


def verify(entries: Iterable[AuditEntry], key: bytes, unkeyed_until: int = 0) -> int:
    """Verify a whole log, oldest first, and return its length; raises `Tampered`.

    Entries up to `unkeyed_until` were sealed without a key. A truncated log still verifies: compare
    its last hash with a copy stored elsewhere.
    """
    seq, previous = 0, START
    for entry in entries:
        seq += 1
        if entry.seq != seq:
            raise Tampered(seq, f"it is entry {entry.seq}")
        if entry.previous_hash != previous:
            raise Tampered(seq, "its previous hash is not that of the entry before it")
        if entry.sealed(key if seq > unkeyed_until else b"").hash != entry.hash:
            raise Tampered(seq, "its content does not match its hash")
        previous = entry.hash
    return seq
