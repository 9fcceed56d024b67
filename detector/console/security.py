"""Who asks, and what they may do."""

from collections.abc import Callable

from fastapi import Request

from detector.cases.people import PERMISSIONS, Permission, Person, Role
from detector.console.problems import ProblemError

__all__ = ["PERMISSIONS", "Permission", "Person", "Role", "require"]


def require(permission: Permission) -> Callable[[Request], Person]:
    """A dependency that lets through who has the permission; others get 401 or 403."""

    async def allowed(request: Request) -> Person:
        person: Person | None = getattr(request.state, "person", None)
        if person is None:
            raise ProblemError(401, "Nobody is signed in. Sign in, or send an API key.")
        if not person.may(permission):
            raise ProblemError(403, f"{person.name} ({person.role}) may not {permission}.")
        return person

    return allowed  # type: ignore[return-value]
