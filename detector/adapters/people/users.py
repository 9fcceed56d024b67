"""The users who may sign in."""

from dataclasses import dataclass, field, replace
from datetime import datetime

from detector.adapters.people.audit_log import AuditedTransaction, AuditLog
from detector.cases.principals import Permission, Principal, UserRole
from detector.cases.review import ActionRefused
from detector.core.data import JsonObject

RESERVED = {"console", "owner"}
"""Actors of the audit log that are no users."""
NO_PASSWORD = "!"
"""Instead of a password hash: the user cannot sign in with a password."""


@dataclass(frozen=True, slots=True)
class User:
    """A user of the console. A session is valid for one `epoch` only."""

    username: str
    password_hash: str = field(repr=False)
    role: UserRole
    must_change: bool
    disabled: bool
    epoch: int
    created_at: datetime

    @property
    def principal(self) -> Principal:
        """The user as a principal."""
        return Principal(self.username, self.role)


class Users:
    """All users. Reads come from memory; changes are audited, password hashes never are."""

    def __init__(self, audit: AuditLog) -> None:
        self._audit = audit
        self._users = {row["username"]: User(**row) for row in audit.rows("SELECT * FROM users")}

    def all(self) -> list[User]:
        """All users, by name."""
        return sorted(self._users.values(), key=lambda user: user.username)

    def get(self, username: str) -> User | None:
        """The user of that name."""
        return self._users.get(username)

    def who_may(self, permission: Permission) -> list[str]:
        """The names of the enabled users who have a permission."""
        return [u.username for u in self.all() if not u.disabled and u.principal.may(permission)]

    def add(
        self,
        principal: Principal,
        username: str,
        role: UserRole,
        password_hash: str,
        must_change: bool,
    ) -> User:
        """Add a user; raises `ActionRefused` when the name is taken, also by the system."""
        with self._audit.transaction() as transaction:
            if username in self._users:
                raise ActionRefused(f"There is already a user {username}.")
            if username in RESERVED:
                raise ActionRefused(
                    f"In the audit log {username} is the system; take another name."
                )
            user = User(username, password_hash, role, must_change, False, 1, transaction.at)
            self._store(transaction, user)
            transaction.record(principal, "add_user", "user", username, {"role": role})
        return user

    def set_password(
        self, principal: Principal, username: str, password_hash: str, must_change: bool
    ) -> User:
        """Replace a password and end the user's sessions. `KeyError` for an unknown user."""
        with self._audit.transaction() as transaction:
            old = self._users[username]
            user = replace(
                old, password_hash=password_hash, must_change=must_change, epoch=old.epoch + 1
            )
            self._store(transaction, user)
            detail = {"must_change": must_change}
            transaction.record(principal, "set_password", "user", username, detail)
        return user

    def change(
        self,
        principal: Principal,
        username: str,
        role: UserRole | None = None,
        disabled: bool | None = None,
    ) -> User:
        """Change a user's role, or disable or enable them; ends their sessions.

        Raises `KeyError` for an unknown user, `ActionRefused` when no administrator would be left.
        """
        with self._audit.transaction() as transaction:
            old = self._users[username]
            user = replace(
                old,
                role=role or old.role,
                disabled=old.disabled if disabled is None else disabled,
                epoch=old.epoch + 1,
            )
            admins = [u for u in self._users.values() if u.role == "admin" and not u.disabled]
            if admins == [old] and (user.role != "admin" or user.disabled):
                raise ActionRefused(f"{username} is the last administrator; add another one first.")
            self._store(transaction, user)
            detail = {"role": user.role, "disabled": user.disabled}
            transaction.record(principal, "change_user", "user", username, detail)
        return user

    def end_sessions(self, principal: Principal) -> None:
        """Sign the principal out everywhere."""
        with self._audit.transaction() as transaction:
            old = self._users[principal.name]
            self._store(transaction, replace(old, epoch=old.epoch + 1))
            transaction.record(principal, "sign_out", "user", principal.name, {})

    def record(
        self, principal: Principal, action: str, username: str, detail: JsonObject | None = None
    ) -> None:
        """Audit a sign-in, granted or refused."""
        with self._audit.transaction() as transaction:
            transaction.record(principal, action, "user", username, detail or {})

    def _store(self, transaction: AuditedTransaction, user: User) -> None:
        transaction.db.execute(
            "INSERT OR REPLACE INTO users (username, password_hash, role, must_change, disabled, "
            "epoch, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                user.username, user.password_hash, user.role, user.must_change, user.disabled,
                user.epoch, user.created_at,
            ],
        )  # fmt: skip
        transaction.after_commit.append(lambda: self._cache(user))

    def _cache(self, user: User) -> None:
        # A new mapping, since other threads may be iterating over the old one.
        self._users = {**self._users, user.username: user}
