"""Sessions and API keys: which principal a request comes from."""

import hmac
import os
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from itsdangerous import BadData, URLSafeSerializer
from itsdangerous.signer import Signer

from detector.adapters.people.keys import ApiKeys
from detector.adapters.people.users import NO_PASSWORD, User, Users
from detector.cases.fields import USERNAME
from detector.cases.principals import CONSOLE, Principal
from detector.cases.review import ActionRefused
from detector.console.access import passwords
from detector.console.access.oidc import Identity, OidcRefused
from detector.console.access.throttle import Throttle
from detector.core.errors import InputError

COOKIE = "fraud_session"
DEVICE_COOKIE = "fraud_device"
FREE_PER_ADDRESS = 20
"""Attempts from one address before it has to wait: more than by name, as people share addresses."""
DEMO_USERS = ("demo", "colleague")
"""The supervisors of the demo: two, so that a closing can be approved by a second person."""
_KEY_BYTES = 32
OIDC = "oidc"
"""Before the provider's name of a user, in place of a password hash, which it never matches."""
OWNER = Principal("owner", "admin")
"""Who may read the store's files: on this machine that is more than any sign-in."""


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in user; `token` is the cookie, `csrf` the token that unsafe requests send."""

    principal: Principal
    token: str
    csrf: str
    must_change: bool


class TooManyAttempts(Exception):
    """Sign-in has failed too often recently, with this name from this address or from anywhere."""

    def __init__(self, seconds: float) -> None:
        self.retry_after = int(seconds) + 1
        super().__init__(f"Too many failed attempts; try again in {self.retry_after} s.")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who tries to sign in: the address, and the device cookie of an earlier success."""

    address: str
    device: str | None = None


class SessionKeeper:
    """Authenticates users and machines; sessions and keys are checked in memory.

    A session is a signed cookie with a user name, the user's epoch and when it began. It ends when
    it is too old, when the user signs out, changes the password, gets another role or is disabled.
    """

    def __init__(
        self,
        users: Users,
        keys: ApiKeys,
        key: bytes,
        session_seconds: float = 12 * 3600,
        demo: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.users = users
        self._keys = keys
        self._session_seconds = session_seconds
        self._demo = demo
        self._clock = clock
        self._owner = owner_key(key)
        self._names, self._addresses = Throttle(), Throttle(FREE_PER_ADDRESS)
        self._devices = URLSafeSerializer(key, salt="device")
        self._cookies = URLSafeSerializer(key, salt="session")
        self._tokens = Signer(key, salt="csrf")

    def sign_in(self, username: str, password: str, caller: Caller) -> Session | None:
        """A session for the right password; None for a wrong one, or an unknown or disabled user.

        Takes as long for an unknown name. Raises `TooManyAttempts`. Hashing takes 64 MiB and a
        core for a moment: run few of these at once.
        """
        self.start_attempt(username, caller)
        user = self.users.get(username)
        matches = passwords.matches(password, user.password_hash if user else None)
        if user is None or not matches or user.disabled:
            name = username if re.fullmatch(USERNAME, username) else "(not a user name)"
            self.users.record(CONSOLE, "sign_in_refused", name, {"known": user is not None})
            return None
        self._succeeded(username, caller)
        self.users.record(user.principal, "sign_in", username)
        return self._session(user, secrets.token_urlsafe(12))

    def sign_in_as(self, identity: Identity) -> Session:
        """A session for someone whom the identity provider has confirmed; adds them if new.

        Their role follows their groups at every sign-in. Raises `OidcRefused` for a disabled user
        and for a name that belongs to someone else.
        """
        bound = f"{OIDC} {identity.subject}"
        user = self.users.get(identity.username)
        if user is None:
            name, role = identity.username, identity.role
            try:
                user = self.users.add(CONSOLE, name, role, bound, must_change=False)
            except ActionRefused as error:
                raise OidcRefused(str(error)) from error
        elif user.password_hash != bound:
            raise OidcRefused(
                f"There is another user {user.username} here. An administrator has to disable or "
                "rename one of the two."
            )
        elif user.disabled:
            raise OidcRefused(f"{user.username} is disabled here; ask an administrator.")
        elif user.role != identity.role:
            user = self.users.change(CONSOLE, user.username, role=identity.role)
        self.users.record(user.principal, "sign_in", user.username, {"by": "identity provider"})
        return self._session(user, secrets.token_urlsafe(12))

    def start_attempt(self, username: str, caller: Caller) -> None:
        """Count an attempt; raises `TooManyAttempts` when it comes too soon.

        Others who fail with a name do not lock its owner out: attempts count by name and address,
        and those from a browser that has signed in before as that user count by themselves.
        """
        now = self._clock()
        if self._knows(username, caller):
            wait = self._names.start(f"{username} on {caller.device}", now)
        else:
            wait = self._addresses.start(caller.address, now)
            wait = wait or self._names.start(f"{username} from {caller.address}", now)
        if wait > 0:
            raise TooManyAttempts(wait)

    def device(self, username: str) -> str:
        """The device cookie of a browser that has signed in as this user."""
        return _text(self._devices.dumps([username, secrets.token_urlsafe(12)]))

    def _knows(self, username: str, caller: Caller) -> bool:
        try:
            return str(self._devices.loads(caller.device or "")[0]) == username
        except (BadData, IndexError, TypeError, KeyError):
            return False

    def _succeeded(self, username: str, caller: Caller) -> None:
        if self._knows(username, caller):
            self._names.succeeded(f"{username} on {caller.device}")
        else:
            self._names.succeeded(f"{username} from {caller.address}")
            self._addresses.succeeded(caller.address)

    def session(self, token: str) -> Session | None:
        """The session of a cookie; None if it is forged or has ended."""
        try:
            username, epoch, began, nonce = self._cookies.loads(token)
        except (BadData, ValueError, TypeError):
            return None
        user = self.users.get(username)
        if user is None or user.disabled or user.epoch != epoch:
            return None
        if not self._demo and username in DEMO_USERS and user.password_hash == NO_PASSWORD:
            return None
        if self._clock() - began > self._session_seconds:
            return None
        return self._as_session(user, token, nonce)

    def machine(self, authorization: str) -> Principal | None:
        """The machine whose key an Authorization header contains; None for an invalid key."""
        scheme, _, key = authorization.partition(" ")
        if scheme.lower() != "bearer":
            return None
        if hmac.compare_digest(key.encode(), self._owner.encode()):
            return OWNER
        return self._keys.holder(key)

    def change_password(self, username: str, password: str) -> Session:
        """Set the user's own new password and return a new session; all others end."""
        old = self._user(username)
        hashed = passwords.hashed(password)
        user = self.users.set_password(old.principal, username, hashed, must_change=False)
        return self._session(user, secrets.token_urlsafe(12))

    def password_matches(self, username: str, password: str, caller: Caller) -> bool:
        """Whether it is the user's password; raises `TooManyAttempts` as signing in does."""
        self.start_attempt(username, caller)
        if not passwords.matches(password, self._user(username).password_hash):
            return False
        self._succeeded(username, caller)
        return True

    def sign_out(self, principal: Principal) -> None:
        """End all sessions of the user."""
        self.users.end_sessions(principal)

    def demo_session(self, username: str = DEMO_USERS[0]) -> Session:
        """A session of a demo user, who has no password; `KeyError` for any other user.

        Every visitor has the same CSRF token, so that tabs do not invalidate each other.
        """
        if not self._demo or username not in DEMO_USERS:
            raise KeyError(username)
        user = self.users.get(username)
        if user is None:
            user = self.users.add(CONSOLE, username, "supervisor", NO_PASSWORD, must_change=False)
        elif user.password_hash != NO_PASSWORD:
            raise KeyError(username)
        return self._session(user, username)

    def first_admin(self) -> str | None:
        """Where no user can sign in yet, add `admin` and return the one-time password."""
        if any(user.password_hash != NO_PASSWORD for user in self.users.all()):
            return None
        password = passwords.one_time_password()
        hashed = passwords.hashed(password)
        self.users.add(CONSOLE, "admin", "admin", hashed, must_change=True)
        return password

    def _user(self, username: str) -> User:
        user = self.users.get(username)
        if user is None:
            raise KeyError(username)
        return user

    def _session(self, user: User, nonce: str) -> Session:
        began = int(self._clock())
        token = self._cookies.dumps([user.username, user.epoch, began, nonce])
        return self._as_session(user, _text(token), nonce)

    def _as_session(self, user: User, token: str, nonce: str) -> Session:
        csrf = self._tokens.get_signature(f"{user.username} {user.epoch} {nonce}").decode()
        return Session(user.principal, token, csrf, user.must_change)


def session_key_file(database: Path) -> Path:
    """The file of the signing key, beside the database of users."""
    return database.with_name(database.name + ".session-key")


def owner_key(key: bytes) -> str:
    """The API key of the owner of the store, who may read the signing key."""
    return "fo_" + hmac.new(key, b"owner", "sha256").hexdigest()


def demo_token(key: bytes) -> str:
    """The token that lets visitors into the demo: known to those who may read the signing key."""
    return hmac.new(key, b"demo", "sha256").hexdigest()[:12]


def signing_key(path: Path) -> bytes:
    """The key that signs sessions, created on first use; only its owner may read the file."""
    path.parent.mkdir(0o700, parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        key = path.read_bytes()
        if len(key) != _KEY_BYTES:
            raise InputError(
                f"The file {path} is not a session signing key. Delete it to create a new one; "
                "everyone then has to sign in again."
            ) from None
        return key
    with os.fdopen(descriptor, "wb") as file:
        key = secrets.token_bytes(_KEY_BYTES)
        file.write(key)
    return key


def _text(token: str | bytes) -> str:
    return token.decode() if isinstance(token, bytes) else token
