"""Reviews of cases: the actions of users, separate from what detection writes."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from detector.adapters.people.audit_log import AuditedTransaction, AuditLog
from detector.adapters.people.users import Users
from detector.cases.actions import ACTIONS
from detector.cases.actions.base import Action
from detector.cases.actions.deciding import Approve
from detector.cases.actions.working import Assign, Release, Undo
from detector.cases.audit import AuditEntry
from detector.cases.principals import CONSOLE, Principal
from detector.cases.review import ActionRefused, Review
from detector.cases.undo import last_decision, undoable
from detector.core.data import JsonObject, Row

CaseRecord = Mapping[str, Any]
"""A row of the open cases, or the snapshot of one."""

_RECENT = 1000
"""The entries among which one's last decision is looked for."""

_STATE = ("status", "owner", "disposition", "proposed_by", "reason", "closed_until")
_REVIEW = f"case_id, {', '.join(_STATE)}, version, reviewed_at, customer_id"


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
        self.on_closing: Callable[[str], None] = lambda _: None
        """Called with the customer whose case was closed or reopened, once that is committed."""
        audit.listeners.append(self._tell)

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

    def closed(self, customer_id: str, limit: int = 50) -> list[Row]:
        """The closed cases of a customer as they were, latest closed first.

        Each has `disposition`, `owner` and `reviewed_at`.
        """
        rows = self._audit.rows(
            """SELECT status, owner, disposition, reviewed_at, snapshot FROM case_reviews
            WHERE status = 'CLOSED' AND customer_id = ?
            ORDER BY reviewed_at DESC, case_id LIMIT ?""",
            [customer_id, limit],
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

    def release_idle(self, after: timedelta) -> list[str]:
        """Release the cases in review whose last action is longer ago, and return their ids."""
        with self._audit.transaction() as transaction:
            idle = self._audit.rows(
                f"""SELECT {_REVIEW}, snapshot FROM case_reviews
                WHERE status = 'IN_REVIEW' AND reviewed_at < ? ORDER BY case_id""",
                [transaction.at - after],
            )
            for row in idle:
                case = _thawed(json.loads(row.pop("snapshot")))
                before, action = Review(**row), Release()
                detail: JsonObject = {"idle_minutes": int(after.total_seconds() // 60)}
                released = action.apply(before, CONSOLE, False)
                self._write(transaction, CONSOLE, case, action, before, released, detail)
        return [row["case_id"] for row in idle]

    def history(self, case_id: str, limit: int = 1000) -> list[AuditEntry]:
        """The actions on a case, newest first."""
        return self._audit.entries(limit, subject=case_id, subject_kind="case")

    def last_decision(self, principal: Principal) -> str:
        """The case of the principal's latest decision in force, if they may undo it now.

        Raises `ActionRefused` when there is none, or when the case has been acted on since.
        """
        now = self._audit.clock()
        own = self._audit.entries(_RECENT, actor=principal.name, subject_kind="case")
        decision = last_decision(own, now)
        if undoable(self.history(decision.subject), principal, now).seq != decision.seq:
            raise ActionRefused(
                f"You have acted on {decision.subject} since; open it to undo that."
            )
        return decision.subject

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

    def outcomes(self) -> list[Row]:
        """The decided cases by their patterns: `patterns`, `confirmed`, `decided`.

        A case referred as suspicious counts as confirmed; an inconclusive one as not decided.
        """
        return self._audit.rows(
            """
            SELECT snapshot ->> '$.patterns' AS patterns,
              count(*) FILTER (WHERE disposition <> 'FALSE_POSITIVE') AS confirmed,
              count(*) AS decided
            FROM case_reviews WHERE status = 'CLOSED' AND disposition <> 'INCONCLUSIVE'
            GROUP BY patterns
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
            raise Conflict(self._what_changed(case_id, before.version - action.version))
        after, detail = self._outcome(transaction, principal, case, action, before)
        self._check_four_eyes(case, action, before, after)
        return self._write(transaction, principal, case, action, before, after, detail)

    def _write(
        self,
        transaction: AuditedTransaction,
        principal: Principal,
        case: CaseRecord,
        action: Action,
        before: Review,
        after: Review,
        detail: JsonObject,
    ) -> Acted:
        case_id = case["case_id"]
        if "CLOSED" in (before.status, after.status) and before.status != after.status:
            after = _closed_or_reopened(case, after)
        after = replace(
            after,
            version=before.version + 1,
            reviewed_at=transaction.at,
            customer_id=case["customer_id"],
        )
        transaction.db.execute(
            f"INSERT OR REPLACE INTO case_reviews ({_REVIEW}, snapshot) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                case_id, *(getattr(after, name) for name in _STATE), after.version, transaction.at,
                after.customer_id, json.dumps(dict(case), default=_frozen),
            ],
        )  # fmt: skip
        facts = {name: case[name] for name in ("customer_id", "level")}
        detail |= {"case": facts, "before": _state(before), "after": _state(after)}
        entry = transaction.record(principal, action.action, "case", case_id, detail)
        return Acted(after, entry)

    def _what_changed(self, case_id: str, actions: int) -> str:
        """Who acted on a case since it was loaded, and what they did."""
        since = reversed(self.history(case_id, max(actions, 1)))
        told = [f"{e.actor} {ACTIONS[e.action].past} at {e.at:%H:%M:%S} UTC" for e in since]
        return f"You have not seen that {', then '.join(told)}. Reload the case, then decide."

    def _check_four_eyes(
        self, case: CaseRecord, action: Action, before: Review, after: Review
    ) -> None:
        """Judge by the state that is reached, whichever way leads there."""
        closes = after.status == "CLOSED" != before.status
        needs_approval = self._four_eyes and case["level"] == "critical"
        if closes and needs_approval and not isinstance(action, Approve):
            raise ActionRefused(
                "The case is critical: closing it takes a second person. Close it, and someone "
                "else approves."
            )

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
            return replace(before, **_state_of(undone.detail["before"])), detail
        action.check(before, principal)
        if isinstance(action, Assign):
            self._check_assignee(action.to)
        needs_approval = self._four_eyes and case["level"] == "critical"
        return action.apply(before, principal, needs_approval), action.details()

    def _tell(self, entry: AuditEntry) -> None:
        if entry.subject_kind != "case":
            return
        before, after = (entry.detail[name].get("closed_until") for name in ("before", "after"))
        if before != after:
            self.on_closing(entry.detail["case"]["customer_id"])

    def _check_assignee(self, username: str) -> None:
        able = self._users.who_may("act")
        if username not in able:
            raise ActionRefused(
                f"{username} is not a user who may act on cases; those are: {', '.join(able)}."
            )


def _closed_or_reopened(case: CaseRecord, after: Review) -> Review:
    """The review with what its closing covers: all that the case held."""
    if after.status == "CLOSED":
        return replace(after, closed_until=after.closed_until or case["last_signal_at"])
    if later := case.get("next_case_id"):
        raise ActionRefused(
            f"Later signals of {case['customer_id']} have opened {later}; continue there."
        )
    return replace(after, closed_until=None)


def _state(review: Review) -> JsonObject:
    until = review.closed_until
    state = {name: getattr(review, name) for name in _STATE}
    return {**state, "closed_until": until and until.isoformat()}


def _state_of(state: JsonObject) -> JsonObject:
    until = state.get("closed_until")
    return {**state, "closed_until": until and datetime.fromisoformat(until)}


def _frozen(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _thawed(case: Row) -> Row:
    times = {
        name: datetime.fromisoformat(value)
        for name, value in case.items()
        if name.endswith("_at") and value is not None
    }
    money = {name: Decimal(case[name]) for name in ("exposure", "already_gone")}
    return {**case, **times, **money}
