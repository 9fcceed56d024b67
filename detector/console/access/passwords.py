"""Passwords, hashed with argon2."""

import secrets

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_hasher = PasswordHasher()
# An unknown name takes as long to refuse as a wrong password.
_UNKNOWN = _hasher.hash(secrets.token_urlsafe())


def hashed(password: str) -> str:
    """The hash to store for a password."""
    return _hasher.hash(password)


def matches(password: str, stored: str | None) -> bool:
    """Whether a password matches a stored hash; takes as long when there is none."""
    try:
        return _hasher.verify(stored or _UNKNOWN, password) and stored is not None
    except (VerificationError, InvalidHashError):
        return False


def one_time_password() -> str:
    """A random password that has to be changed at the first sign-in."""
    return secrets.token_urlsafe(12)
