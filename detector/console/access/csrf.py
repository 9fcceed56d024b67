"""CSRF tokens as pages contain them: masked anew each time, as pages travel compressed.

A secret that stays the same in a compressed page, beside text of an attacker's choice, can be
guessed from the length of answers (BREACH). The mask is random, so no guess ever gets longer.
"""

import hmac
import secrets


def masked(token: str) -> str:
    """The token with a one-time mask, for a page; empty without one."""
    plain = token.encode()
    mask = secrets.token_bytes(len(plain))
    return f"{mask.hex()}.{_xor(plain, mask).hex()}" if token else ""


def matches(sent: str, token: str) -> bool:
    """Whether what a client sent is the token, masked or not."""
    return bool(token) and hmac.compare_digest(_plain(sent), token.encode())


def _plain(sent: str) -> bytes:
    mask, _, covered = sent.partition(".")
    try:
        return _xor(bytes.fromhex(covered), bytes.fromhex(mask)) if covered else sent.encode()
    except ValueError:
        return sent.encode()


def _xor(text: bytes, mask: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(text, mask, strict=False))
