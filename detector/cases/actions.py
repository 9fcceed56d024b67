"""The actions on a case, a class each: who may, from which status, what it does, how it reads.

API, buttons, keyboard, audit log, timeline and webhooks all follow from these classes.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from detector.cases.principals import Permission, Principal
from detector.cases.review import (
    OPEN_STATUSES,
    STATUSES,
    ActionForbidden,
    ActionRefused,
    Disposition,
    Instruction,
    Review,
    Status,
)
from detector.core.data import JsonObject
from detector.core.text import label, phrase

_NOT_BLANK = r"^[^\x00]*[^\s\x00][^\x00]*$"
Text = Annotated[str, StringConstraints(min_length=1, max_length=2000, pattern=_NOT_BLANK)]
"""Text that a user enters: not blank, without null characters, which no store accepts."""

Target = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=_NOT_BLANK)]
"""The id of an entity."""

USERNAME = r"^[a-z][a-z0-9._-]{1,31}$"
Username = Annotated[str, StringConstraints(pattern=USERNAME)]

_WORKED: frozenset[Status] = frozenset({"NEW", "IN_REVIEW", "ESCALATED"})


class Action(BaseModel):
    """One action on a case. `version` is that of the review the principal saw."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: ClassVar[str]
    """The button's label, also in the keyboard help."""
    key: ClassVar[str]
    """The key on the case page and in the queue."""
    past: ClassVar[str]
    """The past participle, for the audit log and the timeline."""
    permission: ClassVar[Permission] = "act"
    statuses: ClassVar[frozenset[Status]] = _WORKED
    """The statuses in which it is allowed."""
    by_owner: ClassVar[bool] = False
    """Whether a case that someone else owns needs the permission to approve."""
    bulk: ClassVar[bool] = False
    """Whether it is available for several cases at once."""
    webhook: ClassVar[bool] = False
    """Whether it is sent to webhooks."""
    decision: ClassVar[bool] = False
    """Whether it decides something about the case; the key `u` undoes the last one."""

    action: str
    version: Annotated[int, Field(ge=0, le=2**53)] | None = Field(
        None, description="The version of the case as seen; refused when it is no longer current."
    )

    def details(self) -> JsonObject:
        """The fields of this action besides its name and version, without empty ones."""
        return self.model_dump(exclude={"action", "version"}, exclude_none=True)

    @classmethod
    def check(cls, review: Review, principal: Principal) -> None:
        """Raise `ActionForbidden` or `ActionRefused` unless the principal may do this now."""
        if not principal.may("act") or not principal.may(cls.permission):
            raise ActionForbidden(
                f"{principal.name} has the role {principal.role}, which does not allow this "
                f"({cls.title.lower()})."
            )
        if review.status not in cls.statuses:
            raise ActionRefused(cls._wrong_status(review))
        if cls.by_owner:
            _escalated_is_out_of_reach(review, principal)
            if review.owner not in (None, principal.name) and not principal.may("approve"):
                raise ActionRefused(
                    f"{review.owner} owns the case; claim it once they have released it."
                )

    @classmethod
    def allowed(cls, review: Review, principal: Principal) -> bool:
        """Whether `check` passes."""
        try:
            cls.check(review, principal)
        except ActionRefused:
            return False
        return True

    def apply(self, review: Review, principal: Principal, needs_approval: bool) -> Review:
        """The review after the action; `check` has passed.

        The caller increments the version. `needs_approval` says that closing this case takes a
        second person.
        """
        return review

    @classmethod
    def summary(cls, detail: Mapping[str, Any]) -> str:
        """What was done, in words, from the details of its audit entry."""
        return cls.past

    @classmethod
    def _wrong_status(cls, review: Review) -> str:
        if review.status == "PENDING_APPROVAL":
            return (
                f"{review.proposed_by} proposed to close the case as {review.disposition}; "
                "it is waiting for approval or rejection."
            )
        return "The case is closed; reopen it first."


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
        _escalated_is_out_of_reach(review, principal)
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


ACTIONS: dict[str, type[Action]] = {
    action.model_fields["action"].default: action
    for action in (
        Claim, Release, Assign, Note, Escalate, Instruct, Close, Approve, Reject, Reopen, Undo,
    )
}  # fmt: skip
"""All actions by name."""

CaseAction = Annotated[
    Claim
    | Release
    | Assign
    | Note
    | Escalate
    | Instruct
    | Close
    | Approve
    | Reject
    | Reopen
    | Undo,
    Field(discriminator="action"),
]
"""Any action, as the API takes it."""


def _as(did: str, disposition: str | None) -> str:
    """What was done, with the disposition unless it is withheld."""
    return f"{did} as {phrase(disposition)}" if disposition else did


def _escalated_is_out_of_reach(review: Review, principal: Principal) -> None:
    if review.status == "ESCALATED" and not principal.may("approve"):
        raise ActionRefused("The case is escalated; someone who may approve takes it from here.")


def _unless_escalated(review: Review, status: Status) -> Status:
    return "ESCALATED" if review.status == "ESCALATED" else status
