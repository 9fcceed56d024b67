"""Events and deeds in a few words."""

from datetime import datetime
from typing import NamedTuple

from detector.console.casefile import Deed
from detector.console.history import Happening
from detector.console.words import label, money


class Saying(NamedTuple):
    """A line of a timeline or a history."""

    at: datetime
    kind: str
    actor: str | None
    title: str
    text: str | None
    tone: str
    fired: list[str]
    detail: str | None


def says(event: Happening) -> str:
    """An event in a few words."""
    what = label(event.what)
    if event.kind == "transaction":
        where = " ".join(part for part in (event.merchant_id, event.city) if part)
        outcome = f", {within(event.outcome)}" if event.outcome else ""
        return f"{what} {_amount(event)}{f' at {where}' if where else ''}{outcome}"
    if event.kind == "login":
        return "Signed in" if event.outcome == "SUCCESS" else f"Failed login: {within(event.what)}"
    return f"{event.kind.capitalize()}: {within(event.what)}"


def within(constant: str | None) -> str:
    """A constant as words within a sentence: lower case but for what is never so."""
    said = label(constant)
    return said if said[:2].isupper() else said[:1].lower() + said[1:]


def of_event(event: Happening) -> Saying:
    """A line for an event."""
    card = event.card_last4 and f"card •{event.card_last4}"
    parts = [event.channel and label(event.channel), card, event.device_id, event.ip_address]
    if event.kind == "alert":
        parts = [label(event.outcome)]
    return Saying(
        at=event.at,
        kind=event.kind,
        actor=None,
        title=says(event),
        text=None,
        tone="failed" if event.failed else "fine",
        fired=event.fired,
        detail=" · ".join(part for part in parts if part) or None,
    )


def of_deed(deed: Deed) -> Saying:
    """A line for what somebody did."""
    detail = deed.detail
    after, before = detail.get("after", {}), detail.get("before", {})
    as_what = within(detail.get("disposition") or before.get("disposition"))
    proposed = after.get("status") == "PENDING_APPROVAL"
    said = {
        "claim": "claimed the case",
        "release": "gave the case back",
        "assign": f"assigned it to {detail.get('to')}",
        "note": "noted",
        "escalate": "escalated the case",
        "instruct": f"instructed: {label(detail.get('instruction'))}",
        "close": f"{'proposed to close it' if proposed else 'closed it'} as {as_what}",
        "approve": f"agreed to close it as {as_what}",
        "reject": f"refused to close it as {as_what}",
        "reopen": "reopened the case",
        "undo": f"took back: {within(detail.get('undone'))}",
    }
    return Saying(
        at=deed.at,
        kind="deed",
        actor=deed.actor,
        title=said.get(deed.action, within(deed.action)),
        text=detail.get("text"),
        tone="fine",
        fired=[],
        detail=detail.get("target"),
    )


def _amount(event: Happening) -> str:
    said = money(event.amount)
    return said if event.currency in (None, "AUD") else f"{event.currency} {said.lstrip('$')}"
