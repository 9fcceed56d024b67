"""API keys for machines."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field, replace
from datetime import datetime

from detector.adapters.people.audit_log import AuditedTransaction, AuditLog
from detector.cases.principals import KeyRole, Principal
from detector.cases.review import ActionRefused


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A machine's API key; only the SHA-256 digest of its secret is stored."""

    key_id: str
    name: str
    digest: str = field(repr=False)
    created_by: str
    created_at: datetime
    revoked_at: datetime | None
    role: KeyRole


class ApiKeys:
    """All keys. Reads come from memory; changes are audited, secrets never are."""

    def __init__(self, audit: AuditLog) -> None:
        self._audit = audit
        self._keys = {row["key_id"]: ApiKey(**row) for row in audit.rows("SELECT * FROM api_keys")}

    def all(self) -> list[ApiKey]:
        """All keys, oldest first."""
        return sorted(self._keys.values(), key=lambda key: key.created_at)

    def get(self, key_id: str) -> ApiKey | None:
        """The key with that id, possibly revoked."""
        return self._keys.get(key_id)

    def holder(self, whole: str) -> Principal | None:
        """The machine that holds `fk_<id>_<secret>`; None for an unknown or revoked key."""
        kind, _, rest = whole.partition("_")
        key_id, _, secret = rest.partition("_")
        key = self._keys.get(key_id)
        if kind != "fk" or key is None or key.revoked_at is not None:
            return None
        if not hmac.compare_digest(_digest(secret), key.digest):
            return None
        return Principal(key.name, key.role)

    def add(self, principal: Principal, name: str, role: KeyRole = "machine") -> tuple[ApiKey, str]:
        """Add a key; the second value is the full key, which cannot be read again."""
        key_id, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
        with self._audit.transaction() as transaction:
            key = ApiKey(key_id, name, _digest(secret), principal.name, transaction.at, None, role)
            self._store(transaction, key)
            transaction.record(principal, "add_key", "key", key_id, {"name": name, "role": role})
        return key, f"fk_{key_id}_{secret}"

    def revoke(self, principal: Principal, key_id: str) -> ApiKey:
        """Revoke a key for good. `KeyError` for an unknown key, `ActionRefused` for a revoked."""
        with self._audit.transaction() as transaction:
            old = self._keys[key_id]
            if old.revoked_at is not None:
                raise ActionRefused(f"The key {key_id} is already revoked.")
            key = replace(old, revoked_at=transaction.at)
            self._store(transaction, key)
            transaction.record(principal, "revoke_key", "key", key_id, {"name": key.name})
        return key

    def _store(self, transaction: AuditedTransaction, key: ApiKey) -> None:
        transaction.db.execute(
            "INSERT OR REPLACE INTO api_keys (key_id, name, digest, created_by, created_at, "
            "revoked_at, role) VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                key.key_id, key.name, key.digest, key.created_by, key.created_at, key.revoked_at,
                key.role,
            ],
        )  # fmt: skip
        transaction.after_commit.append(lambda: self._cache(key))

    def _cache(self, key: ApiKey) -> None:
        # A new mapping, since other threads may be iterating over the old one.
        self._keys = {**self._keys, key.key_id: key}


def _digest(secret: str) -> str:
    # The secret is long and random, so a plain hash is enough.
    return hashlib.sha256(secret.encode()).hexdigest()
