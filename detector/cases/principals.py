"""Principals, and what each role may do."""

from dataclasses import dataclass
from typing import Literal

Role = Literal["viewer", "analyst", "supervisor", "admin", "machine"]
UserRole = Literal["viewer", "analyst", "supervisor", "admin"]
KeyRole = Literal["machine", "viewer"]
Permission = Literal[
    "read", "act", "approve", "roll_back", "smr", "audit", "users", "ingest", "score"
]
PERMISSIONS: dict[Role, frozenset[Permission]] = {
    "viewer": frozenset({"read"}),
    "analyst": frozenset({"read", "act"}),
    "supervisor": frozenset({"read", "act", "approve", "roll_back", "smr", "audit"}),
    "admin": frozenset({"read", "roll_back", "audit", "users"}),
    "machine": frozenset({"ingest", "score"}),
}


@dataclass(frozen=True, slots=True)
class Principal:
    """An authenticated user or API key."""

    name: str
    role: Role

    def may(self, permission: Permission) -> bool:
        """Whether the role grants the permission."""
        return permission in PERMISSIONS[self.role]


CONSOLE = Principal("console", "admin")
"""The actor in the audit log for the console's own actions."""
