"""Deciding about a case: instructions, closing, the second person, reopening."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

from pydantic import Field

from detector.cases.actions.base import Action
from detector.cases.fields import Target, Text
from detector.cases.principals import Principal
from detector.cases.review import (
    OPEN_STATUSES,
    ActionForbidden,
    ActionRefused,
    Disposition,
    Instruction,
    Review,
)
from detector.core.text import label, phrase


class Escalate(Action):
    """Hand the case to users who may approve; it has no owner until one of them claims it."""

    title = "Escalate"
    key = "e"
    past = "escalated the case"
    by_owner = True
    bulk = True
    webhook = True
    decision = True

    action: Literal["escalate"] = "escalate"
    text: Text | None = None

    @classmethod
    def check(cls, review: Review, principal: Principal) -> None:
        """Also refuses a case that is already escalated."""
        super().check(review, principal)
        if review.status == "ESCALATED":
            raise ActionRefused("The case is already escalated.")

    def apply(self, review: Review, principal: Principal, needs_approval: bool) -> Review:
        """Escalated and without an owner."""
        return replace(review, status="ESCALATED", owner=None, reason=self.text)


class Instruct(Action):
    """Send the bank's systems an instruction about a card, account or customer."""

    title = "Instruct the bank's systems"
    key = "i"
    past = "sent an instruction"
    statuses = frozenset(OPEN_STATUSES)
    webhook = True
    decision = True

    action: Literal["instruct"] = "instruct"
    instruction: Instruction
    target: Target | None = Field(None, examples=["tok-4411"])

    @classmethod
    def summary(cls, detail: Mapping[str, Any]) -> str:
        """Includes the instruction."""
        return f"sent the instruction: {label(detail.get('instruction'))}"


class Close(Action):
    """Close the case, or propose to, where a second person has to approve."""

    title = "Close"
    key = "1"
    past = "closed the case"
    by_owner = True
    bulk = True
    webhook = True
    decision = True

    action: Literal["close"] = "close"
    disposition: Disposition
    text: Text | None = None

    def apply(self, review: Review, principal: Principal, needs_approval: bool) -> Review:
        """Closed, or pending approval."""
        return replace(
            review,
            status="PENDING_APPROVAL" if needs_approval else "CLOSED",
            owner=review.owner or principal.name,
            disposition=self.disposition,
            proposed_by=principal.name if needs_approval else None,
            reason=self.text,
        )

    @classmethod
    def summary(cls, detail: Mapping[str, Any]) -> str:
        """Includes the disposition, and whether it was only proposed."""
        proposed = detail.get("after", {}).get("status") == "PENDING_APPROVAL"
        did = "proposed to close the case" if proposed else cls.past
        return _as(did, detail.get("disposition"))


class _SecondPerson(Action):
    """A second person's decision on a proposed closing."""

    permission = "approve"
    statuses = frozenset({"PENDING_APPROVAL"})
    webhook = True
    decision = True

    @classmethod
    def check(cls, review: Review, principal: Principal) -> None:
        """Also forbids it to the user who proposed the closing."""
        super().check(review, principal)
        if review.proposed_by == principal.name:
            raise ActionForbidden("Four eyes: another person must approve what you proposed.")

    @classmethod
    def _wrong_status(cls, review: Review) -> str:
        return "The case is not waiting for approval."

    @classmethod
    def summary(cls, detail: Mapping[str, Any]) -> str:
        """Includes the disposition that was proposed."""
        return _as(cls.past, detail.get("before", {}).get("disposition"))


class Approve(_SecondPerson):
    """Approve a closing that someone else proposed."""

    title = "Approve"
    key = "p"
    past = "approved closing the case"

    action: Literal["approve"] = "approve"

    def apply(self, review: Review, principal: Principal, needs_approval: bool) -> Review:
        """Closed as proposed."""
        return replace(review, status="CLOSED")


class Reject(_SecondPerson):
    """Reject a proposed closing; the case returns to review."""

    title = "Reject"
    key = "x"
    past = "rejected closing the case"

    action: Literal["reject"] = "reject"
    text: Text

    def apply(self, review: Review, principal: Principal, needs_approval: bool) -> Review:
        """In review, without the proposal."""
        return replace(
            review, status="IN_REVIEW", disposition=None, proposed_by=None, reason=self.text
        )


class Reopen(Action):
    """Reopen a closed case and become its owner."""

    title = "Reopen"
    key = "o"
    past = "reopened the case"
    statuses = frozenset({"CLOSED"})
    webhook = True
    decision = True

    action: Literal["reopen"] = "reopen"
    text: Text | None = None

    def apply(self, review: Review, principal: Principal, needs_approval: bool) -> Review:
        """In review by the principal, undecided."""
        return replace(
            review, status="IN_REVIEW", owner=principal.name, disposition=None, proposed_by=None,
            reason=self.text,
        )  # fmt: skip

    @classmethod
    def _wrong_status(cls, review: Review) -> str:
        return "Only a closed case can be reopened."


def _as(did: str, disposition: str | None) -> str:
    """What was done, with the disposition unless it is withheld."""
    return f"{did} as {phrase(disposition)}" if disposition else did
