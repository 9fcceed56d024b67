"""Versions of the rules: who proposed which change, who approved it, which is in force.

The rules' file is version 0 of every pattern. A version is the set of keys that it changes in the
block of that file; while one is live, it wins over the file for those keys.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from detector.adapters.people.audit_log import AuditedTransaction, AuditLog
from detector.adapters.people.in_force import Apply, unwatched
from detector.cases.principals import Principal
from detector.cases.review import ActionForbidden, ActionRefused
from detector.core.data import JsonObject

State = Literal["draft", "shadow", "live", "retired", "rejected"]


@dataclass(frozen=True, slots=True)
class RuleVersion:
    """A version of a pattern.

    `preview` is what it would have found when it was proposed. Of one that ran in shadow beside the
    version in force, both judged the events after `shadow_since`; `compared` is what each found
    there until it was decided on.
    """

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
    shadow_since: datetime | None
    compared: JsonObject | None


class RuleVersions:
    """All versions; of each pattern at most one is live, and one in shadow."""

    def __init__(self, audit: AuditLog, four_eyes: bool) -> None:
        self._audit = audit
        self._four_eyes = four_eyes
        self.apply: Apply = unwatched

    def of(self, pattern: str) -> list[RuleVersion]:
        """The versions of a pattern, the newest first."""
        query = "SELECT * FROM rule_versions WHERE pattern = ? ORDER BY version DESC"
        return [_version(row) for row in self._audit.rows(query, [pattern])]

    def live(self) -> dict[str, int]:
        """The number of the version in force, of each pattern that has one."""
        rows = self._audit.rows("SELECT pattern, version FROM rule_versions WHERE state = 'live'")
        return {row["pattern"]: row["version"] for row in rows}

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
                "INSERT INTO rule_versions (pattern, version, state, changes, reason, preview, "
                "author, created_at) VALUES (?, ?, 'draft', ?, ?, ?, ?, ?)",
                [
                    pattern, number, json.dumps(changes), reason, json.dumps(preview, default=str),
                    principal.name, transaction.at,
                ],
            )  # fmt: skip
            detail = {"version": number, "changes": changes, "reason": reason}
            transaction.record(principal, "propose_rule", "pattern", pattern, detail)
        return self.of(pattern)[0]

    def try_out(self, principal: Principal, pattern: str, version: int) -> None:
        """Run a draft in shadow beside the version in force, without effect.

        Needs no second person. `KeyError` if there is no such version.
        """
        with self._audit.transaction() as transaction:
            draft = self._undecided(pattern, version)
            if other := next((v for v in self.of(pattern) if v.state == "shadow"), None):
                raise ActionRefused(
                    f"Version {other.version} of {pattern} is in shadow; decide on it first."
                )
            where = [pattern, version]
            db = transaction.db
            db.execute(f"UPDATE rule_versions SET state = 'shadow' {_WHERE}", where)
            detail = {"version": version, "changes": draft.changes}
            transaction.record(principal, "shadow_rule", "pattern", pattern, detail)
            query = f"UPDATE rule_versions SET shadow_since = ? {_WHERE}"
            self.apply(db, lambda latest: db.execute(query, [latest or transaction.at, *where]))

    def approve(
        self,
        principal: Principal,
        pattern: str,
        version: int,
        compared: JsonObject | None = None,
    ) -> None:
        """Put a draft, or a version in shadow, in force instead of the live version.

        Refused to its author while four eyes are required. `KeyError` if there is no such version.
        """
        with self._audit.transaction() as transaction:
            draft = self._undecided(pattern, version)
            if self._four_eyes and draft.author == principal.name:
                raise ActionForbidden(
                    f"{principal.name} proposed version {version}; a second person approves it."
                )
            self._retire(transaction, pattern)
            self._decide(transaction, principal, draft, "live", compared)
            detail = {"version": version, "changes": draft.changes}
            transaction.record(principal, "approve_rule", "pattern", pattern, detail)
            self.apply(transaction.db, lambda _: None)

    def reject(
        self,
        principal: Principal,
        pattern: str,
        version: int,
        compared: JsonObject | None = None,
    ) -> None:
        """Decide against a draft or a version in shadow; its author may withdraw it like this."""
        with self._audit.transaction() as transaction:
            draft = self._undecided(pattern, version)
            self._decide(transaction, principal, draft, "rejected", compared)
            transaction.record(principal, "reject_rule", "pattern", pattern, {"version": version})
            if draft.state == "shadow":
                self.apply(transaction.db, lambda _: None)

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
                    f"UPDATE rule_versions SET state = 'live' {_WHERE}", [pattern, before.version]
                )
            number = before.version if before is not None else 0
            detail = {"version": live.version, "back_to": number}
            transaction.record(principal, "roll_back_rule", "pattern", pattern, detail)
            self.apply(transaction.db, lambda _: None)
        return number

    def _undecided(self, pattern: str, version: int) -> RuleVersion:
        found = next((v for v in self.of(pattern) if v.version == version), None)
        if found is None:
            raise KeyError(version)
        if found.state not in ("draft", "shadow"):
            raise ActionRefused(f"Version {version} of {pattern} is {found.state} already.")
        return found

    @staticmethod
    def _decide(
        transaction: AuditedTransaction,
        principal: Principal,
        draft: RuleVersion,
        state: State,
        compared: JsonObject | None,
    ) -> None:
        said = None if compared is None else json.dumps(compared, default=str)
        transaction.db.execute(
            f"UPDATE rule_versions SET state = ?, decided_by = ?, decided_at = ?, compared = ? "
            f"{_WHERE}",
            [state, principal.name, transaction.at, said, draft.pattern, draft.version],
        )

    @staticmethod
    def _retire(transaction: AuditedTransaction, pattern: str) -> None:
        transaction.db.execute(
            "UPDATE rule_versions SET state = 'retired' WHERE pattern = ? AND state = 'live'",
            [pattern],
        )


_WHERE = "WHERE pattern = ? AND version = ?"
_JSON = ("changes", "preview", "compared")


def _version(row: dict[str, Any]) -> RuleVersion:
    texts = {name: row[name] and json.loads(row[name]) for name in _JSON}
    return RuleVersion(**{**row, **texts})
