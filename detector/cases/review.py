"""The life of a case: what a person may do with it, and what it is afterwards."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal, get_args

from detector.cases.people import Person

Status = Literal["NEW", "IN_REVIEW", "ESCALATED", "PENDING_APPROVAL", "CLOSED"]
Disposition = Literal[
    "CONFIRMED_FRAUD", "CONFIRMED_SCAM", "FALSE_POSITIVE", "SUSPICIOUS", "INCONCLUSIVE"
]
Instruction = Literal[
    "BLOCK_CARD", "HOLD_PAYMENT", "STEP_UP", "CONTACT_CUSTOMER", "LOCK_SESSION", "REFER_AML"
]
STATUSES: tuple[Status, ...] = get_args(Status)
DISPOSITIONS: tuple[Disposition, ...] = get_args(Disposition)
INSTRUCTIONS: tuple[Instruction, ...] = get_args(Instruction)

UNDO_WITHIN = timedelta(minutes=15)


class Refused(Exception):
    """The state of the case does not allow it; the text says why and what would help."""


class Forbidden(Refused):
    """The person may not do it, whatever the state of the case."""


@dataclass(frozen=True, slots=True)
class Review:
    """What people have made of a case. `version` counts what was done to it."""

    case_id: str
    status: Status = "NEW"
    owner: str | None = None
    disposition: Disposition | None = None
    proposed_by: str | None = None
    reason: str | None = None
    version: int = 0
    reviewed_at: datetime | None = None


def claim(review: Review, person: Person) -> Review:
    """Take a case that nobody has."""
    _open(review)
    _within_reach(review, person)
    if review.owner == person.name:
        raise Refused("The case is yours already.")
    if review.owner is not None:
        raise Refused(f"{review.owner} has the case; ask them to release it, or have it assigned.")
    status: Status = "ESCALATED" if review.status == "ESCALATED" else "IN_REVIEW"
    return replace(review, owner=person.name, status=status)


def release(review: Review, person: Person) -> Review:
    """Give a case back to everybody."""
    _open(review)
    if review.owner is None:
        raise Refused("Nobody has the case.")
    _in_hand(review, person)
    status: Status = "ESCALATED" if review.status == "ESCALATED" else "NEW"
    return replace(review, owner=None, status=status)


def assign(review: Review, person: Person, to: str) -> Review:
    """Give a case to somebody, who must be allowed to act (the caller knows who is).

    An escalated case that is assigned goes back to ordinary work.
    """
    _open(review)
    _in_hand(review, person)
    if review.owner == to:
        raise Refused(f"{to} has the case already.")
    return replace(review, owner=to, status="IN_REVIEW")


def note(review: Review, person: Person, text: str) -> Review:
    """Write something down; also on a closed case, and on somebody else's."""
    return review


def escalate(review: Review, person: Person, text: str | None = None) -> Review:
    """Hand a case to those who may approve; nobody has it until one of them takes it."""
    _open(review)
    _in_hand(review, person)
    if review.status == "ESCALATED":
        raise Refused("The case is escalated already.")
    return replace(review, status="ESCALATED", owner=None, reason=text)


def instruct(
    review: Review, person: Person, instruction: Instruction, target: str | None = None
) -> Review:
    """Tell the bank's systems to do something; also while a closing waits for approval."""
    if review.status == "CLOSED":
        raise Refused("The case is closed; reopen it first.")
    return review


def close(
    review: Review,
    person: Person,
    disposition: Disposition,
    text: str | None = None,
    *,
    needs_approval: bool = False,
) -> Review:
    """Decide a case, or propose to when a second person has to agree."""
    _open(review)
    _in_hand(review, person)
    return replace(
        review,
        status="PENDING_APPROVAL" if needs_approval else "CLOSED",
        owner=review.owner or person.name,
        disposition=disposition,
        proposed_by=person.name if needs_approval else None,
        reason=text,
    )


def approve(review: Review, person: Person) -> Review:
    """Agree to a closing that somebody else proposed."""
    _second_person(review, person)
    return replace(review, status="CLOSED")


def reject(review: Review, person: Person, text: str) -> Review:
    """Send a proposed closing back to work."""
    _second_person(review, person)
    return replace(review, status="IN_REVIEW", disposition=None, proposed_by=None, reason=text)


def reopen(review: Review, person: Person, text: str | None = None) -> Review:
    """Take up a closed case again; it is the person's who does."""
    if review.status != "CLOSED":
        raise Refused("Only a closed case can be reopened.")
    reopened = replace(review, disposition=None, proposed_by=None, reason=text)
    return replace(reopened, status="IN_REVIEW", owner=person.name)


ACTIONS: dict[str, Callable[..., Review]] = {
    f.__name__: f
    for f in (claim, release, assign, note, escalate, instruct, close, approve, reject, reopen)
}


def apply(
    review: Review, person: Person, action: str, needs_approval: bool = False, **fields: Any
) -> Review:
    """Do one of `ACTIONS`; raises `Refused` (or `Forbidden`) and changes nothing else.

    `needs_approval` says that closing this case takes two. The caller counts the version.
    """
    if not person.may("act"):
        raise Forbidden(f"A {person.role} may look at cases, not act on them.")
    if action == "close":
        fields["needs_approval"] = needs_approval
    return ACTIONS[action](review, person, **fields)


def _open(review: Review) -> None:
    if review.status == "CLOSED":
        raise Refused("The case is closed; reopen it first.")
    if review.status == "PENDING_APPROVAL":
        raise Refused(
            f"{review.proposed_by} proposed to close the case as {review.disposition}; "
            "it waits for approval or rejection."
        )


def _within_reach(review: Review, person: Person) -> None:
    if review.status == "ESCALATED" and not person.may("approve"):
        raise Refused("The case is escalated; someone who may approve takes it from here.")


def _in_hand(review: Review, person: Person) -> None:
    _within_reach(review, person)
    if review.owner not in (None, person.name) and not person.may("approve"):
        raise Refused(f"{review.owner} has the case; claim it when they have released it.")


def _second_person(review: Review, person: Person) -> None:
    if not person.may("approve"):
        raise Forbidden(f"A {person.role} may not approve or reject.")
    if review.status != "PENDING_APPROVAL":
        raise Refused("Nothing about the case waits for approval.")
    if review.proposed_by == person.name:
        raise Forbidden("Four eyes: someone else must agree to what you proposed.")
