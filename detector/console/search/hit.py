"""A match of a search."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel

Kind = Literal["case", "account", "customer", "card", "device", "ip", "merchant", "event", "place"]


class Hit(BaseModel):
    """A match. `href` is its page; without one, `accounts` lists those who used it."""

    kind: Kind
    id: str
    detail: str
    href: str | None
    accounts: list[str]
    last_at: datetime | None
