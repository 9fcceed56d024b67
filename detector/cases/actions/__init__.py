"""The actions on a case, a class each: who may, from which status, what it does, how it reads.

API, buttons, keyboard, audit log, timeline and webhooks all follow from these classes.
"""

from typing import Annotated

from pydantic import Field

from detector.cases.actions.base import Action
from detector.cases.actions.deciding import Approve, Close, Escalate, Instruct, Reject, Reopen
from detector.cases.actions.working import Assign, Claim, Note, Release, Undo

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
