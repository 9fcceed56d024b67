"""Working on a case: who has it, notes, and taking back what one did."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

from pydantic import Field

from detector.cases.actions.base import Action, escalated_is_out_of_reach
from detector.cases.fields import Text, Username
from detector.cases.principals import Principal
from detector.cases.review import STATUSES, ActionRefused, Review, Status
from detector.core.text import phrase


class Claim(Action):
    """Become the owner of a case that has none."""

    title = "Claim"
    key = "c"
    past = "claimed the case"
    bulk = True

    action: Literal["claim"] = "claim"

    @classmethod
    def check(cls, review: Review, principal: Principal) -> None:
        """Also refuses a case that has an owner, or that only an approver may claim."""
        super().check(review, principal)
        escalated_is_out_of_reach(review, principal)
        if review.owner == principal.name:
            raise ActionRefused("You already own the case.")
        if review.owner is not None:
            raise ActionRefused(
                f"{review.owner} owns the case; ask them to release it, or have it assigned."
            )

    def apply(self, review: Review, principal: Principal, needs_approval: bool) -> Review:
        """The principal owns the case; an escalated one stays escalated."""
        return replace(review, owner=principal.name, status=_unless_escalated(review, "IN_REVIEW"))


class Release(Action):
    """Give the case back to the queue."""

    title = "Release"
    key = "c"
    past = "released the case"
    by_owner = True

    action: Literal["release"] = "release"

    @classmethod
    def check(cls, review: Review, principal: Principal) -> None:
        """Also refuses a case without an owner."""
        super().check(review, principal)
        if review.owner is None:
            raise ActionRefused("The case has no owner.")

    def apply(self, review: Review, principal: Principal, needs_approval: bool) -> Review:
        """The case has no owner; an escalated one stays escalated."""
        return replace(review, owner=None, status=_unless_escalated(review, "NEW"))


class Assign(Action):
    """Make someone the owner; an escalated case returns to review."""

    title = "Assign"
    key = "a"
    past = "assigned the case"
    by_owner = True
    bulk = True

    action: Literal["assign"] = "assign"
    to: Username = Field(examples=["lee"])

    def apply(self, review: Review, principal: Principal, needs_approval: bool) -> Review:
        """Changes the owner; the caller ensures that the new one may act."""
        if review.owner == self.to:
            raise ActionRefused(f"{self.to} already owns the case.")
        return replace(review, owner=self.to, status="IN_REVIEW")

    @classmethod
    def summary(cls, detail: Mapping[str, Any]) -> str:
        """Includes the new owner."""
        return f"assigned the case to {detail.get('to')}"


class Note(Action):
    """Add a note, to any case in any status."""

    title = "Note"
    key = "m"
    past = "added a note"
    statuses = frozenset(STATUSES)

    action: Literal["note"] = "note"
    text: Text = Field(examples=["The customer was abroad."])


class Undo(Action):
    """Undo one's own last action on the case, notes apart; `undo.undoable` finds it."""

    title = "Undo"
    key = "u"
    past = "undid an action"
    statuses = frozenset(STATUSES)

    action: Literal["undo"] = "undo"

    @classmethod
    def summary(cls, detail: Mapping[str, Any]) -> str:
        """Includes what was undone."""
        return f"undid: {phrase(detail.get('undone'))}"


def _unless_escalated(review: Review, status: Status) -> Status:
    return "ESCALATED" if review.status == "ESCALATED" else status
