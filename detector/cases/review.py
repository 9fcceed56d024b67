"""The state that users give a case: status, owner, disposition."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

Status = Literal["NEW", "IN_REVIEW", "ESCALATED", "PENDING_APPROVAL", "CLOSED"]
Disposition = Literal[
    "CONFIRMED_FRAUD", "CONFIRMED_SCAM", "FALSE_POSITIVE", "SUSPICIOUS", "INCONCLUSIVE"
]
Instruction = Literal[
    "BLOCK_CARD", "HOLD_PAYMENT", "STEP_UP", "CONTACT_CUSTOMER", "LOCK_SESSION", "REFER_AML"
]
STATUSES: tuple[Status, ...] = get_args(Status)
OPEN_STATUSES: tuple[Status, ...] = tuple(status for status in STATUSES if status != "CLOSED")
DISPOSITIONS: tuple[Disposition, ...] = get_args(Disposition)
INSTRUCTIONS: dict[Instruction, Literal["card", "account", "customer"]] = {
    "BLOCK_CARD": "card",
    "HOLD_PAYMENT": "account",
    "STEP_UP": "customer",
    "CONTACT_CUSTOMER": "customer",
    "LOCK_SESSION": "customer",
    "REFER_AML": "account",
}
"""The instructions to the bank's systems, each with the kind of entity it applies to."""


class ActionRefused(Exception):
    """The case's state does not allow the action; the text says why and what would help."""


class ActionForbidden(ActionRefused):
    """The principal may not take the action, whatever the state of the case."""


@dataclass(frozen=True, slots=True)
class Review:
    """The state of a case under review. `version` counts the actions taken on it."""

    case_id: str
    status: Status = "NEW"
    owner: str | None = None
    disposition: Disposition | None = None
    proposed_by: str | None = None
    reason: str | None = None
    version: int = 0
    reviewed_at: datetime | None = None
    customer_id: str | None = None
    closed_until: datetime | None = None
    """The last signal that the closing covers; later ones start anew."""
