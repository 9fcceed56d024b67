"""Users and API keys."""

import hashlib
import secrets
from dataclasses import dataclass, field, replace
from datetime import datetime

from detector.adapters.audit_log import AuditLog, Change
from detector.cases.people import KeyRole, Person, Role
from detector.cases.review import Refused

NO_PASSWORD = "!"
"""In place of a password's hash: nobody can sign in with a password."""


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who may sign in. A session is good for one `epoch` only."""

    username: str
    password_hash: str = field(repr=False)
    role: Role
    must_change: bool
    disabled: bool
    epoch: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A machine that may come in; of its secret only the SHA-256 digest is kept."""

    key_id: str
    name: str
    digest: str = field(repr=False)
    created_by: str
    created_at: datetime
    revoked_at: datetime | None
    role: KeyRole


class Staff:
    """Who may come in. Answers come from memory; changes are audited, secrets never are."""

    def __init__(self, log: AuditLog) -> None:
        self._log = log
        found = log.rows("SELECT * FROM users")
        self._users = {row["username"]: User(**row) for row in found}
        self._keys = {row["key_id"]: ApiKey(**row) for row in log.rows("SELECT * FROM api_keys")}

    def users(self) -> list[User]:
        """Everybody, by name."""
        return sorted(self._users.values(), key=lambda user: user.username)

    def user(self, username: str) -> User | None:
        """The user of that name."""
        return self._users.get(username)

    def add_user(
        self, person: Person, username: str, role: Role, password_hash: str, must_change: bool
    ) -> User:
        """Let somebody in; raises `Refused` when the name is taken."""
        with self._log.change() as change:
            if username in self._users:
                raise Refused(f"There is a user {username} already.")
            user = User(username, password_hash, role, must_change, False, 1, change.at)
            self._keep(change, user)
            change.add(person, "add_user", "user", username, {"role": role})
        return user

    def set_password(
        self, person: Person, username: str, password_hash: str, must_change: bool
    ) -> User:
        """Give a user another password; ends their sessions. `KeyError` if there is no such."""
        with self._log.change() as change:
            old = self._users[username]
            user = replace(
                old, password_hash=password_hash, must_change=must_change, epoch=old.epoch + 1
            )
            self._keep(change, user)
            change.add(person, "set_password", "user", username, {"must_change": must_change})
        return user

    def change_user(
        self,
        person: Person,
        username: str,
        role: Role | None = None,
        disabled: bool | None = None,
    ) -> User:
        """Give a user another role, or shut or open their way in; ends their sessions.

        Raises `KeyError` if there is no such user, and `Refused` if no administrator were left.
        """
        with self._log.change() as change:
            old = self._users[username]
            user = replace(
                old,
                role=role or old.role,
                disabled=old.disabled if disabled is None else disabled,
                epoch=old.epoch + 1,
            )
            admins = [u for u in self._users.values() if u.role == "admin" and not u.disabled]
            if admins == [old] and (user.role != "admin" or user.disabled):
                raise Refused(f"{username} is the last administrator; make another one first.")
            self._keep(change, user)
            detail = {"role": user.role, "disabled": user.disabled}
            change.add(person, "change_user", "user", username, detail)
        return user

    def end_sessions(self, person: Person) -> None:
        """Sign the person out everywhere."""
        with self._log.change() as change:
            old = self._users[person.name]
            user = replace(old, epoch=old.epoch + 1)
            self._keep(change, user)
            change.add(person, "sign_out", "user", person.name, {})

    def record(self, person: Person, action: str, subject: str) -> None:
        """Put down that somebody came or went."""
        with self._log.change() as change:
            change.add(person, action, "user", subject, {})

    def api_keys(self) -> list[ApiKey]:
        """All keys, oldest first."""
        return sorted(self._keys.values(), key=lambda key: key.created_at)

    def key(self, key_id: str) -> ApiKey | None:
        """The key of that id, which may be revoked."""
        return self._keys.get(key_id)

    def add_key(self, person: Person, name: str, role: KeyRole = "machine") -> tuple[ApiKey, str]:
        """Let a machine in; the second value is the whole key, which nobody can see again."""
        key_id, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
        with self._log.change() as change:
            key = ApiKey(key_id, name, digest(secret), person.name, change.at, None, role)
            self._keep_key(change, key)
            change.add(person, "add_key", "key", key_id, {"name": name, "role": role})
        return key, f"fk_{key_id}_{secret}"

    def revoke_key(self, person: Person, key_id: str) -> ApiKey:
        """Shut a machine out. `KeyError` if there is no such key."""
        with self._log.change() as change:
            old = self._keys[key_id]
            if old.revoked_at is not None:
                raise Refused(f"The key {key_id} is revoked already.")
            key = replace(old, revoked_at=change.at)
            self._keep_key(change, key)
            change.add(person, "revoke_key", "key", key_id, {"name": key.name})
        return key

    def _keep(self, change: Change, user: User) -> None:
        change.db.execute(
            "INSERT OR REPLACE INTO users (username, password_hash, role, must_change, disabled, "
            "epoch, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                user.username, user.password_hash, user.role, user.must_change, user.disabled,
                user.epoch, user.created_at,
            ],
        )  # fmt: skip
        change.kept.append(lambda: self._take({user.username: user}, {}))

    def _keep_key(self, change: Change, key: ApiKey) -> None:
        change.db.execute(
            "INSERT OR REPLACE INTO api_keys (key_id, name, digest, created_by, created_at, "
            "revoked_at, role) VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                key.key_id, key.name, key.digest, key.created_by, key.created_at, key.revoked_at,
                key.role,
            ],
        )  # fmt: skip
        change.kept.append(lambda: self._take({}, {key.key_id: key}))

    def _take(self, users: dict[str, User], keys: dict[str, ApiKey]) -> None:
        # New mappings, since other threads may be walking through the old ones.
        self._users, self._keys = {**self._users, **users}, {**self._keys, **keys}


def digest(secret: str) -> str:
    """What is kept of a key's secret, which is random and long: a plain hash is enough."""
    return hashlib.sha256(secret.encode()).hexdigest()
