"""What a person may take back."""

from collections.abc import Iterable
from datetime import datetime

from detector.cases.audit import Entry
from detector.cases.people import Person
from detector.cases.review import UNDO_WITHIN, Forbidden, Refused


def undoable(entries: Iterable[Entry], person: Person, now: datetime) -> Entry:
    """The entry of a case (given newest first) that the person may take back now.

    It is the latest that stands: what was taken back already no longer counts. Raises `Refused`
    when somebody else acted last, or when it was too long ago.
    """
    if not person.may("act"):
        raise Forbidden(f"A {person.role} has nothing to take back.")
    latest = latest_standing(entries)
    if latest is None:
        raise Refused("Nothing was done to the case that could be taken back.")
    if latest.actor != person.name:
        raise Refused(f"{latest.actor} acted on the case last; only they can take that back.")
    if now - latest.at > UNDO_WITHIN:
        minutes = int(UNDO_WITHIN.total_seconds() // 60)
        raise Refused(f"Your last action is more than {minutes} minutes old; act anew instead.")
    return latest


def latest_standing(entries: Iterable[Entry]) -> Entry | None:
    """The newest entry (given newest first) that nobody took back."""
    undone: set[int] = set()
    for entry in entries:
        if entry.action == "undo":
            undone.add(entry.detail["undoes"])
        elif entry.seq not in undone:
            return entry
    return None
