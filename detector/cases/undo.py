"""Which action on a case can be undone."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from detector.cases.actions import ACTIONS
from detector.cases.audit import AuditEntry
from detector.cases.principals import Principal
from detector.cases.review import ActionForbidden, ActionRefused

UNDO_WITHIN = timedelta(minutes=15)


def undoable(entries: Iterable[AuditEntry], principal: Principal, now: datetime) -> AuditEntry:
    """The entry of a case (newest first) that the principal may undo now.

    It is the latest that was not undone; notes stay. Raises `ActionRefused` when someone else
    acted last, or when it is older than `UNDO_WITHIN`.
    """
    if not principal.may("act"):
        raise ActionForbidden(f"The role {principal.role} takes no actions, so none can be undone.")
    latest = latest_in_force(entries)
    if latest is None:
        raise ActionRefused("There is no action on the case to undo.")
    if latest.actor != principal.name:
        raise ActionRefused(f"{latest.actor} acted on the case last; only they can undo that.")
    if now - latest.at > UNDO_WITHIN:
        minutes = int(UNDO_WITHIN.total_seconds() // 60)
        raise ActionRefused(
            f"Your last action is more than {minutes} minutes old; take a new action instead."
        )
    return latest


def last_decision(entries: Iterable[AuditEntry], now: datetime) -> AuditEntry:
    """The latest decision in force among a principal's entries (newest first).

    Raises `ActionRefused` when there is none, or when it is older than `UNDO_WITHIN`.
    """
    decisions = (e for e in entries if e.action == "undo" or ACTIONS[e.action].decision)
    latest = latest_in_force(decisions)
    if latest is None or now - latest.at > UNDO_WITHIN:
        raise ActionRefused("You have taken no decision in the last 15 minutes.")
    return latest


def latest_in_force(entries: Iterable[AuditEntry]) -> AuditEntry | None:
    """The newest entry (newest first) that was not undone; a note cannot be."""
    undone: set[int] = set()
    for entry in entries:
        if entry.action == "undo":
            undone.add(entry.detail["undoes"])
        elif entry.seq not in undone and entry.action != "note":
            return entry
    return None
