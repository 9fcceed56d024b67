"""Passwords, hashed with argon2."""

import secrets
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_hasher = PasswordHasher()


@cache
def _no_password() -> str:
    """A hash of no password: an unknown name takes as long to refuse as a wrong password."""
    return _hasher.hash(secrets.token_urlsafe())


def hashed(password: str) -> str:
    """The hash to store for a password."""
    return _hasher.hash(password)


def matches(password: str, stored: str | None) -> bool:
    """Whether a password matches a stored hash; takes as long when there is none."""
    instead = _no_password()
    try:
        return _hasher.verify(stored or instead, password) and stored is not None
    except (VerificationError, InvalidHashError):
        return False


def one_time_password() -> str:
    """A random password that has to be changed at the first sign-in."""
    return secrets.token_urlsafe(12)
