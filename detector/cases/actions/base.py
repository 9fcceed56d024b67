"""What every action on a case says of itself."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from detector.cases.principals import Permission, Principal
from detector.cases.review import ActionForbidden, ActionRefused, Review, Status
from detector.core.data import JsonObject

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
            escalated_is_out_of_reach(review, principal)
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


def escalated_is_out_of_reach(review: Review, principal: Principal) -> None:
    """Raise `ActionRefused` for an escalated case, unless the principal may approve."""
    if review.status == "ESCALATED" and not principal.may("approve"):
        raise ActionRefused("The case is escalated; someone who may approve takes it from here.")
