"""Builds the WHERE clause of a parameterised query."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Where:
    """Conditions joined by AND, with the parameters of their `?` marks."""

    tests: list[str] = field(default_factory=list)
    parameters: list[Any] = field(default_factory=list)

    def add(self, test: str, *parameters: object) -> None:
        """Add a condition."""
        self.tests.append(test)
        self.parameters.extend(parameters)

    def among(self, column: str, values: Sequence[object], negate: bool = False) -> None:
        """Add the condition that the column is (or is not) one of the values."""
        marks = ", ".join("?" * len(values))
        self.add(f"{column} {'NOT ' if negate else ''}IN ({marks})", *values)

    @property
    def sql(self) -> str:
        """The condition."""
        return " AND ".join(self.tests) or "TRUE"
