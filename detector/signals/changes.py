"""Rules with changes: of a pattern's block, or of the entries of lists."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from detector.core.errors import RulesError
from detector.signals.lists import Entry
from detector.signals.loading import explained
from detector.signals.pattern import Pattern
from detector.signals.rules import Rules

CHANGEABLE = (
    "threshold", "window_seconds", "weight", "where", "least", "history", "prior", "severity",
    "mode", "action", "reason", "title",
)  # fmt: skip
"""Keys of a block that a version may change; the others say what the pattern is."""


def with_changes(rules: Rules, name: str, changes: Mapping[str, Any]) -> Rules:
    """The rules with some keys of a pattern's block changed, checked like those of a file.

    Raises `RulesError` for an unknown pattern or a value that its block cannot have.
    """
    if name not in rules.patterns:
        raise RulesError(f"There is no pattern {name}; there are {', '.join(rules.patterns)}.")
    given = _given(rules)
    given["patterns"][name] |= changes
    try:
        changed = Rules.model_validate(given).patterns[name]
    except ValidationError as error:
        raise RulesError(explained(Path("The change"), error)) from None
    return rules.model_copy(update={"patterns": {**rules.patterns, name: changed}})


def with_entries(rules: Rules, entries: Mapping[str, Sequence[Entry]]) -> Rules:
    """The rules with more entries in their lists; those of lists that they do not have are left."""
    given = _given(rules)
    for name, more in entries.items():
        if name in given["lists"]:
            given["lists"][name]["entries"] += more
    again = Rules.model_validate(given)
    return rules.model_copy(update={"lists": again.lists, "patterns": again.patterns})


def _given(rules: Rules) -> dict[str, Any]:
    """The rules as a file has them, but that what they have of named amounts is resolved."""
    given = rules.model_dump(by_alias=True, exclude_none=True)
    for block in given["patterns"].values():
        for test in block["where"]:
            test.pop("of", None)
    return given


def challenger_id(pattern: str, version: int) -> str:
    """The id of a version of a pattern that runs in shadow; no pattern of a file has such a one."""
    return f"{pattern}@{version}"


def challenger(rules: Rules, name: str, version: int, changes: Mapping[str, Any]) -> Pattern:
    """A version of a pattern, to run in shadow beside the one in force."""
    changed = with_changes(rules, name, changes).patterns[name]
    return changed.model_copy(update={"id": challenger_id(name, version), "mode": "shadow"})
