"""Sessions, API keys and the demonstration: who a request comes from."""

import hmac
import os
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from itsdangerous import BadData, URLSafeSerializer
from itsdangerous.signer import Signer

from detector.adapters.staff import NO_PASSWORD, Staff, User, digest
from detector.cases.people import Person
from detector.cases.review import Refused
from detector.console import passwords
from detector.console.attempts import Attempts
from detector.core.errors import InputError

COOKIE = "fraud_session"
DEMO_USER = "demo"
_KEY_BYTES = 32
CONSOLE = Person("console", "admin")
"""Who the record names for what the console does by itself."""


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who is signed in; `token` is the cookie, `csrf` what their pages send along."""

    person: Person
    token: str
    csrf: str
    must_change: bool


class TooManyAttempts(Refused):
    """Signing in with this name has failed too often of late."""

    def __init__(self, seconds: float) -> None:
        self.retry_after = int(seconds) + 1
        super().__init__(
            f"Too many failed attempts with this name; try again in {self.retry_after} s."
        )


class Gate:
    """Says who comes in; every answer about a session or key is from memory.

    A session is a signed cookie that names a user, the user's epoch and when it began. It ends
    when it is too old, when the user signs out, changes the password, gets another role or is
    disabled.
    """

    def __init__(
        self,
        staff: Staff,
        key: bytes,
        session_seconds: float = 12 * 3600,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.staff = staff
        self._session_seconds = session_seconds
        self._clock = clock
        self._attempts = Attempts()
        self._cookies = URLSafeSerializer(key, salt="session")
        self._tokens = Signer(key, salt="csrf")

    def sign_in(self, username: str, password: str) -> Session | None:
        """A session for the right password, None for a wrong one or a name nobody may use.

        Takes as long for a name that nobody has. Raises `TooManyAttempts`. Hashing needs 64 MiB
        and a core for a moment: let few of these run at once.
        """
        if (wait := self._attempts.start(username, self._clock())) > 0:
            raise TooManyAttempts(wait)
        user = self.staff.user(username)
        fits = passwords.fits(password, user.password_hash if user else None)
        if user is None:
            return None
        person = Person(username, user.role)
        if not fits or user.disabled:
            self.staff.record(CONSOLE, "sign_in_refused", username)
            return None
        self._attempts.succeeded(username)
        self.staff.record(person, "sign_in", username)
        return self._session(user, secrets.token_urlsafe(12))

    def session(self, token: str) -> Session | None:
        """The session of a cookie, None if it is forged or over."""
        try:
            username, epoch, began, nonce = self._cookies.loads(token)
        except (BadData, ValueError, TypeError):
            return None
        user = self.staff.user(username)
        if user is None or user.disabled or user.epoch != epoch:
            return None
        if self._clock() - began > self._session_seconds:
            return None
        return self._as_session(user, token, nonce)

    def machine(self, authorization: str) -> Person | None:
        """The machine whose key an Authorization header carries, None if the key is not good."""
        scheme, _, whole = authorization.partition(" ")
        kind, _, rest = whole.partition("_")
        key_id, _, secret = rest.partition("_")
        key = self.staff.key(key_id)
        if scheme.lower() != "bearer" or kind != "fk" or key is None or key.revoked_at is not None:
            return None
        if not hmac.compare_digest(digest(secret), key.digest):
            return None
        return Person(key.name, key.role)

    def change_password(self, username: str, password: str) -> Session:
        """Set the user's own new password; their other sessions end, this is the new one."""
        person = Person(username, self._user(username).role)
        user = self.staff.set_password(person, username, passwords.hashed(password), False)
        return self._session(user, secrets.token_urlsafe(12))

    def password_fits(self, username: str, password: str) -> bool:
        """Whether that is the user's password; raises `TooManyAttempts` as signing in does."""
        if (wait := self._attempts.start(username, self._clock())) > 0:
            raise TooManyAttempts(wait)
        if not passwords.fits(password, self._user(username).password_hash):
            return False
        self._attempts.succeeded(username)
        return True

    def sign_out(self, person: Person) -> None:
        """End all sessions of the person."""
        self.staff.end_sessions(person)

    def demo_session(self) -> Session:
        """A session as the demonstration's user, who has no password.

        Every visitor has the same CSRF token, so that tabs do not invalidate each other.
        """
        user = self.staff.user(DEMO_USER)
        if user is None:
            user = self.staff.add_user(CONSOLE, DEMO_USER, "supervisor", NO_PASSWORD, False)
        return self._session(user, DEMO_USER)

    def first_admin(self) -> str | None:
        """Where nobody can sign in yet, make `admin` and return the one-time password."""
        if any(user.password_hash != NO_PASSWORD for user in self.staff.users()):
            return None
        password = passwords.one_time_password()
        self.staff.add_user(CONSOLE, "admin", "admin", passwords.hashed(password), True)
        return password

    def _user(self, username: str) -> User:
        user = self.staff.user(username)
        if user is None:
            raise KeyError(username)
        return user

    def _session(self, user: User, nonce: str) -> Session:
        began = int(self._clock())
        token = self._cookies.dumps([user.username, user.epoch, began, nonce])
        return self._as_session(user, _text(token), nonce)

    def _as_session(self, user: User, token: str, nonce: str) -> Session:
        csrf = self._tokens.get_signature(f"{user.username} {user.epoch} {nonce}").decode()
        return Session(Person(user.username, user.role), token, csrf, user.must_change)


def signing_key(path: Path) -> bytes:
    """The key that signs sessions, made on first use; only its owner may read the file."""
    path.parent.mkdir(0o700, parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        key = path.read_bytes()
        if len(key) != _KEY_BYTES:
            raise InputError(
                f"The file {path} is no key that signs sessions. Delete it to have another made; "
                "everybody signs in again then."
            ) from None
        return key
    with os.fdopen(descriptor, "wb") as file:
        key = secrets.token_bytes(_KEY_BYTES)
        file.write(key)
    return key


def _text(token: Any) -> str:
    return token.decode() if isinstance(token, bytes) else token
