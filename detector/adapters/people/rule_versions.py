"""Versions of the rules: who proposed which change, who approved it, which is in force.

The rules' file is version 0 of every pattern. A version is the set of keys that it changes in the
block of that file; while one is live, it wins over the file for those keys.
"""

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import duckdb

from detector.adapters.database import rows_of
from detector.adapters.people.audit_log import AuditedTransaction, AuditLog
from detector.cases.principals import Principal
from detector.cases.review import ActionForbidden, ActionRefused
from detector.core.data import JsonObject
from detector.signals.rules import Rules, with_changes

logger = logging.getLogger(__name__)

State = Literal["draft", "live", "retired", "rejected"]


@dataclass(frozen=True, slots=True)
class RuleVersion:
    """A version of a pattern; `preview` is what it would have found when it was proposed."""

    pattern: str
    version: int
    state: State
    changes: JsonObject
    reason: str
    preview: JsonObject
    author: str
    created_at: datetime
    decided_by: str | None
    decided_at: datetime | None


class RuleVersions:
    """All versions; at most one of each pattern is live."""

    def __init__(self, audit: AuditLog, four_eyes: bool) -> None:
        self._audit = audit
        self._four_eyes = four_eyes
        self.apply: Callable[[str, JsonObject], None] = lambda *_: None
        """Makes the running engine use a pattern with these changes; called before the commit."""

    def of(self, pattern: str) -> list[RuleVersion]:
        """The versions of a pattern, the newest first."""
        query = "SELECT * FROM rule_versions WHERE pattern = ? ORDER BY version DESC"
        return [_version(row) for row in self._audit.rows(query, [pattern])]

    def propose(
        self,
        principal: Principal,
        pattern: str,
        changes: JsonObject,
        reason: str,
        preview: JsonObject,
    ) -> RuleVersion:
        """Add a draft."""
        with self._audit.transaction() as transaction:
            number = max((known.version for known in self.of(pattern)), default=0) + 1
            transaction.db.execute(
                "INSERT INTO rule_versions VALUES (?, ?, 'draft', ?, ?, ?, ?, ?, NULL, NULL)",
                [
                    pattern, number, json.dumps(changes), reason, json.dumps(preview, default=str),
                    principal.name, transaction.at,
                ],
            )  # fmt: skip
            detail = {"version": number, "changes": changes, "reason": reason}
            transaction.record(principal, "propose_rule", "pattern", pattern, detail)
        return self.of(pattern)[0]

    def approve(self, principal: Principal, pattern: str, version: int) -> None:
        """Put a draft in force instead of the live version.

        Refused to its author while four eyes are required. `KeyError` if there is no such version.
        """
        with self._audit.transaction() as transaction:
            draft = self._draft(pattern, version)
            if self._four_eyes and draft.author == principal.name:
                raise ActionForbidden(
                    f"{principal.name} proposed version {version}; a second person approves it."
                )
            self._retire(transaction, pattern)
            self._decide(transaction, principal, draft, "live")
            detail = {"version": version, "changes": draft.changes}
            transaction.record(principal, "approve_rule", "pattern", pattern, detail)
            self.apply(pattern, draft.changes)

    def reject(self, principal: Principal, pattern: str, version: int) -> None:
        """Decide against a draft; its author may withdraw it like this."""
        with self._audit.transaction() as transaction:
            self._decide(transaction, principal, self._draft(pattern, version), "rejected")
            transaction.record(principal, "reject_rule", "pattern", pattern, {"version": version})

    def roll_back(self, principal: Principal, pattern: str) -> int:
        """Retire the live version, and put the one that was live before it in force again.

        Needs no second person: what comes back was approved. Returns its number, 0 for the file.
        """
        with self._audit.transaction() as transaction:
            versions = self.of(pattern)
            live = next((v for v in versions if v.state == "live"), None)
            if live is None:
                raise ActionRefused(f"No version of {pattern} is live; the file is in force.")
            before = next(
                (v for v in versions if v.state == "retired" and v.version < live.version), None
            )
            self._retire(transaction, pattern)
            if before is not None:
                transaction.db.execute(
                    "UPDATE rule_versions SET state = 'live' WHERE pattern = ? AND version = ?",
                    [pattern, before.version],
                )
            number = before.version if before is not None else 0
            detail = {"version": live.version, "back_to": number}
            transaction.record(principal, "roll_back_rule", "pattern", pattern, detail)
            self.apply(pattern, before.changes if before is not None else {})
        return number

    def _draft(self, pattern: str, version: int) -> RuleVersion:
        found = next((v for v in self.of(pattern) if v.version == version), None)
        if found is None:
            raise KeyError(version)
        if found.state != "draft":
            raise ActionRefused(f"Version {version} of {pattern} is {found.state}, not a draft.")
        return found

    @staticmethod
    def _decide(
        transaction: AuditedTransaction, principal: Principal, draft: RuleVersion, state: State
    ) -> None:
        transaction.db.execute(
            "UPDATE rule_versions SET state = ?, decided_by = ?, decided_at = ? "
            "WHERE pattern = ? AND version = ?",
            [state, principal.name, transaction.at, draft.pattern, draft.version],
        )

    @staticmethod
    def _retire(transaction: AuditedTransaction, pattern: str) -> None:
        transaction.db.execute(
            "UPDATE rule_versions SET state = 'retired' WHERE pattern = ? AND state = 'live'",
            [pattern],
        )


def in_force(db: duckdb.DuckDBPyConnection, rules: Rules) -> Rules:
    """The given rules with the versions that are live in a store; always a copy.

    A store of an earlier release, which is only read, may have no versions.
    """
    kept = db.execute("SELECT 1 FROM duckdb_tables() WHERE table_name = 'rule_versions'").fetchone()
    query = "SELECT pattern, changes FROM rule_versions WHERE state = 'live' ORDER BY pattern"
    rows = rows_of(db, query) if kept else []
    live = {row["pattern"]: json.loads(row["changes"]) for row in rows}
    if gone := sorted(live.keys() - rules.patterns.keys()):
        logger.warning("approved versions of unknown patterns ignored: %s", ", ".join(gone))
    patterns = {
        name: with_changes(rules, name, live[name]).patterns[name] if name in live else pattern
        for name, pattern in rules.patterns.items()
    }
    return rules.model_copy(update={"patterns": patterns})


def _version(row: dict[str, Any]) -> RuleVersion:
    texts = {name: json.loads(row[name]) for name in ("changes", "preview")}
    return RuleVersion(**{**row, **texts})
