"""Reviews of cases: the actions of users, separate from what detection writes."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from detector.adapters.people.audit_log import AuditedTransaction, AuditLog
from detector.adapters.people.users import Users
from detector.cases.actions import Action, Assign, Undo
from detector.cases.audit import AuditEntry
from detector.cases.principals import Principal
from detector.cases.review import ActionRefused, Review
from detector.cases.undo import undoable
from detector.core.data import JsonObject, Row

CaseRecord = Mapping[str, Any]
"""A row of the open cases, or the snapshot of one."""

_STATE = ("status", "owner", "disposition", "proposed_by", "reason")
_REVIEW = f"case_id, {', '.join(_STATE)}, version, reviewed_at"


class Conflict(ActionRefused):
    """Someone acted on the case after the principal loaded it."""


class Acted(NamedTuple):
    """The review after an action, and its audit entry."""

    review: Review
    entry: AuditEntry


class Reviews:
    """The review of each case that has been acted on; a case without one is NEW."""

    def __init__(self, audit: AuditLog, users: Users, four_eyes: bool) -> None:
        self._audit = audit
        self._users = users
        self._four_eyes = four_eyes

    def of(self, case_ids: Iterable[str]) -> dict[str, Review]:
        """The reviews of those of the cases that have been acted on."""
        query = f"SELECT {_REVIEW} FROM case_reviews WHERE case_id IN (SELECT unnest(?::VARCHAR[]))"
        return {row["case_id"]: Review(**row) for row in self._audit.rows(query, [list(case_ids)])}

    def get(self, case_id: str) -> Review:
        """The review of a case; NEW if it has not been acted on."""
        return self.of([case_id]).get(case_id) or Review(case_id)

    def snapshot(self, case_id: str) -> Row | None:
        """A case as it was at the latest action."""
        query = "SELECT snapshot FROM case_reviews WHERE case_id = ?"
        found = self._audit.rows(query, [case_id])
        return _thawed(json.loads(found[0]["snapshot"])) if found else None

    def closed(
        self, account_id: str | None = None, customer_id: str | None = None, limit: int = 50
    ) -> list[Row]:
        """The closed cases of an account or a customer as they were, latest closed first.

        Each has `disposition`, `owner` and `reviewed_at`.
        """
        column, value = ("account_id", account_id) if account_id else ("customer_id", customer_id)
        rows = self._audit.rows(
            f"""SELECT status, owner, disposition, reviewed_at, snapshot FROM case_reviews
            WHERE status = 'CLOSED' AND snapshot ->> '$.{column}' = ?
            ORDER BY reviewed_at DESC, case_id LIMIT ?""",
            [value, limit],
        )
        return [{**_thawed(json.loads(row.pop("snapshot"))), **row} for row in rows]

    def act(self, principal: Principal, case: CaseRecord, action: Action) -> Acted:
        """Take an action on a case.

        Raises `Conflict` when the review has another version than the action, `ActionRefused` or
        `ActionForbidden` when `cases.actions` does not allow it.
        """
        with self._audit.transaction() as transaction:
            return self._act(transaction, principal, case, action)

    def act_on_all(
        self, principal: Principal, cases: Sequence[CaseRecord], action: Action
    ) -> tuple[list[Acted], dict[str, ActionRefused]]:
        """Take an action on many cases in one transaction; cases that refuse it stay unchanged."""
        done: list[Acted] = []
        refused: dict[str, ActionRefused] = {}
        with self._audit.transaction() as transaction:
            for case in {case["case_id"]: case for case in cases}.values():
                try:
                    done.append(self._act(transaction, principal, case, action))
                except ActionRefused as error:
                    refused[case["case_id"]] = error
        return done, refused

    def history(self, case_id: str, limit: int = 1000) -> list[AuditEntry]:
        """The actions on a case, newest first."""
        return self._audit.entries(limit, subject=case_id, subject_kind="case")

    def dispositions(self) -> list[Row]:
        """The closed cases by pattern and disposition: `pattern`, `disposition`, `count`."""
        return self._audit.rows(
            """
            WITH closed AS (
              SELECT disposition, unnest(string_split(snapshot ->> '$.patterns', ', ')) AS pattern
              FROM case_reviews WHERE status = 'CLOSED'
            )
            SELECT pattern, disposition, count(*) AS count FROM closed
            GROUP BY pattern, disposition ORDER BY pattern, disposition
            """
        )

    def _act(
        self,
        transaction: AuditedTransaction,
        principal: Principal,
        case: CaseRecord,
        action: Action,
    ) -> Acted:
        case_id = case["case_id"]
        before = self.get(case_id)
        if action.version is not None and action.version != before.version:
            raise Conflict(
                f"The case is at version {before.version}, you saw version {action.version}: "
                "someone has acted on it since. Reload it."
            )
        after, detail = self._outcome(transaction, principal, case, action, before)
        after = replace(after, version=before.version + 1, reviewed_at=transaction.at)
        transaction.db.execute(
            f"INSERT OR REPLACE INTO case_reviews ({_REVIEW}, snapshot) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                case_id, *_state(after).values(), after.version, transaction.at,
                json.dumps(dict(case), default=_frozen),
            ],
        )  # fmt: skip
        facts = {name: case[name] for name in ("account_id", "customer_id", "level")}
        detail |= {"case": facts, "before": _state(before), "after": _state(after)}
        entry = transaction.record(principal, action.action, "case", case_id, detail)
        return Acted(after, entry)

    def _outcome(
        self,
        transaction: AuditedTransaction,
        principal: Principal,
        case: CaseRecord,
        action: Action,
        before: Review,
    ) -> tuple[Review, JsonObject]:
        """The review after the action, and the details for its audit entry."""
        if isinstance(action, Undo):
            undone = undoable(self.history(case["case_id"]), principal, transaction.at)
            repeated = {k: v for k, v in undone.detail.items() if k in ("instruction", "target")}
            detail = {"undoes": undone.seq, "undone": undone.action, **repeated}
            return replace(before, **undone.detail["before"]), detail
        action.check(before, principal)
        if isinstance(action, Assign):
            self._check_assignee(action.to)
        needs_approval = self._four_eyes and case["level"] == "critical"
        return action.apply(before, principal, needs_approval), action.details()

    def _check_assignee(self, username: str) -> None:
        able = self._users.who_may("act")
        if username not in able:
            raise ActionRefused(
                f"{username} is not a user who may act on cases; those are: {', '.join(able)}."
            )


def _state(review: Review) -> JsonObject:
    return {name: getattr(review, name) for name in _STATE}


def _frozen(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _thawed(case: Row) -> Row:
    times = {
        name: datetime.fromisoformat(value)
        for name, value in case.items()
        if name.endswith("_at") and value is not None
    }
    return {**case, **times, "exposure": Decimal(case["exposure"])}
