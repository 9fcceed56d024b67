"""Cursors: where a page ended, as an opaque text for the next request."""

import base64
import binascii
import json
from datetime import UTC, datetime
from typing import Any, NoReturn

from detector.console.http.problems import ProblemError


def encode(*position: Any) -> str:
    """Encode a position; numbers and texts are preserved exactly."""
    text = json.dumps(position, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode(cursor: str, *kinds: type) -> list[Any]:
    """The position in a cursor, checked to have these types; anything else is a 422."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        position = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError):
        position = None
    if (
        isinstance(position, list)
        and len(position) == len(kinds)
        and all(type(value) is kind for value, kind in zip(position, kinds, strict=True))
        and not any(isinstance(value, str) and "\0" in value for value in position)
    ):
        return position
    refuse()


def instant(seconds: float) -> datetime:
    """A time from Unix seconds in a cursor; an impossible one is a 422."""
    if not 0 < seconds < 4e9:
        refuse()
    return datetime.fromtimestamp(seconds, UTC)


def after_event(at: datetime, event_id: str) -> str:
    """The cursor after an event of a list with the newest first."""
    return encode(at.astimezone(UTC).isoformat(), event_id)


def event(cursor: str) -> tuple[datetime, str]:
    """Decode a cursor of `after_event`."""
    at, event_id = decode(cursor, str, str)
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        refuse()
    if moment.tzinfo is None or not 1970 <= moment.year < 2100:
        refuse()
    return moment, event_id


def refuse() -> NoReturn:
    """Raise the problem for an unusable cursor."""
    raise ProblemError(
        422, "The cursor is not from this listing. Use `next` of its last page, or omit it."
    )
