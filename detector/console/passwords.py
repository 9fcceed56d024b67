"""Passwords: hashed by argon2, never kept."""

import secrets

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

MIN_LENGTH = 12
MAX_LENGTH = 128

_hasher = PasswordHasher()
# A name that nobody has takes as long to refuse as a wrong password.
_NOBODY = _hasher.hash(secrets.token_urlsafe())


def hashed(password: str) -> str:
    """What is kept of a password."""
    return _hasher.hash(password)


def fits(password: str, kept: str | None) -> bool:
    """Whether the password is the one kept; takes as long when there is none."""
    try:
        return _hasher.verify(kept or _NOBODY, password) and kept is not None
    except (VerificationError, InvalidHashError):
        return False


def one_time_password() -> str:
    """A password to hand over, which its owner changes at once."""
    return secrets.token_urlsafe(12)
