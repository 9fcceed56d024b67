"""The key of the audit log's chain, in a file beside the database."""

import os
import secrets
from pathlib import Path
from typing import NamedTuple

from detector.core.errors import InputError

_KEY_BYTES = 32
_SEQ_BYTES = 8


class AuditKey(NamedTuple):
    """The key, and the last entry from before there was one, which is sealed without it."""

    key: bytes
    unkeyed_until: int = 0

    @classmethod
    def new(cls, unkeyed_until: int = 0) -> "AuditKey":
        """A random key."""
        return cls(secrets.token_bytes(_KEY_BYTES), unkeyed_until)


def audit_key(path: Path, entries: int) -> AuditKey:
    """The key in a file, created for a log that has so many entries; only its owner may read it.

    Raises `InputError` when the file is not a key.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        content = path.read_bytes()
        if len(content) != _KEY_BYTES + _SEQ_BYTES:
            raise InputError(
                f"The file {path} is not an audit key. Restore it from a backup: without it the "
                "audit log cannot be verified or continued."
            ) from None
        return AuditKey(content[:_KEY_BYTES], int.from_bytes(content[_KEY_BYTES:], "big"))
    key = AuditKey.new(entries)
    with os.fdopen(descriptor, "wb") as file:
        file.write(key.key + entries.to_bytes(_SEQ_BYTES, "big"))
    return key
