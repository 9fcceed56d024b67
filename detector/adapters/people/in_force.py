"""The rules in force in a store: those of the file, with what people changed."""

import json
import logging
from collections.abc import Callable
from datetime import datetime

import duckdb

from detector.adapters.database import rows_of
from detector.signals.changes import challenger, with_changes, with_entries
from detector.signals.lists import Entry
from detector.signals.pattern import Pattern
from detector.signals.rules import Rules

logger = logging.getLogger(__name__)

Change = Callable[[datetime | None], object]
"""Writes what changes, given the time of the latest event that is judged without it."""

Apply = Callable[[duckdb.DuckDBPyConnection, Change], None]
"""Makes a change on this connection, and the running engine use the rules that are in force on it
then, before they are committed.
"""


def unwatched(_: duckdb.DuckDBPyConnection, change: Change) -> None:
    """Make a change that no engine has to follow, because none runs."""
    change(None)


def in_force(db: duckdb.DuckDBPyConnection, rules: Rules) -> Rules:
    """The given rules with the store's entries of lists, and the versions that are live or in
    shadow; always a copy.

    A store of an earlier release, which is only read, may have neither.
    """
    kept = {name for (name,) in db.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
    entries = rows_of(db, _ENTRIES) if "list_entries" in kept else []
    if entries:
        by_list: dict[str, list[Entry]] = {}
        for row in entries:
            by_list.setdefault(row.pop("list_name"), []).append(Entry(**row))
        rules = with_entries(rules, by_list)
    rows = rows_of(db, _VERSIONS) if "rule_versions" in kept else []
    if gone := sorted({row["pattern"] for row in rows} - rules.patterns.keys()):
        logger.warning("approved versions of unknown patterns ignored: %s", ", ".join(gone))
    patterns, challengers = dict(rules.patterns), dict[str, Pattern]()
    for row in rows:
        name, changes = row["pattern"], json.loads(row["changes"])
        if name in gone:
            continue
        if row["state"] == "live":
            patterns[name] = with_changes(rules, name, changes).patterns[name]
        else:
            tried = challenger(rules, name, row["version"], changes)
            challengers[tried.id] = tried
    return rules.model_copy(
        update={"patterns": patterns, "challengers": challengers, "lists": dict(rules.lists)}
    )


_ENTRIES = """
SELECT list_name, value, since, until, added_by FROM list_entries
WHERE until IS NULL OR until > since ORDER BY since, entry_id"""

_VERSIONS = """
SELECT pattern, version, state, changes FROM rule_versions
WHERE state IN ('live', 'shadow') ORDER BY pattern, version"""
