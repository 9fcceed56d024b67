"""Who works here, and what each role may do."""

from dataclasses import dataclass
from typing import Literal

Role = Literal["viewer", "analyst", "supervisor", "admin", "machine"]
KeyRole = Literal["machine", "viewer"]
Permission = Literal["read", "act", "approve", "smr", "audit", "users", "ingest", "score"]
PERMISSIONS: dict[Role, frozenset[Permission]] = {
    "viewer": frozenset({"read"}),
    "analyst": frozenset({"read", "act"}),
    "supervisor": frozenset({"read", "act", "approve", "smr", "audit"}),
    "admin": frozenset({"read", "audit", "users"}),
    "machine": frozenset({"ingest", "score"}),
}


@dataclass(frozen=True, slots=True)
class Person:
    """Who is signed in: a person by session, or a machine by API key."""

    name: str
    role: Role

    def may(self, permission: Permission) -> bool:
        """Whether the role allows it."""
        return permission in PERMISSIONS[self.role]
