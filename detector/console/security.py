"""Who asks, and what they may do."""

from detector.cases.people import PERMISSIONS, Permission, Person, Role

__all__ = ["PERMISSIONS", "Permission", "Person", "Role"]
