"""Events and actions as timeline entries."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from detector.cases.actions import ACTIONS
from detector.console.http.categories import category
from detector.console.http.formatting import money
from detector.console.queries.events import Activity
from detector.core.text import label, phrase


class TimelineEntry(NamedTuple):
    """An entry of a timeline: an event, an action on a case, or the opening of one."""

    at: datetime
    kind: str
    actor: str | None
    title: str
    text: str | None
    tone: str
    fired: list[str]
    detail: str | None
    event_id: str | None = None


def describe(event: Activity) -> str:
    """An event in a few words."""
    what = label(event.what)
    if event.kind == "transaction":
        where = " ".join(part for part in (event.merchant_id, event.city) if part)
        outcome = f", {phrase(event.outcome)}" if event.outcome else ""
        return f"{what} {_amount(event)}{f' at {where}' if where else ''}{outcome}"
    if event.kind == "login":
        return "Signed in" if event.outcome == "SUCCESS" else f"Failed login: {phrase(event.what)}"
    return f"{event.kind.capitalize()}: {phrase(event.what)}"


def of_event(event: Activity) -> TimelineEntry:
    """The entry of an event."""
    card = event.card_last4 and f"card •{event.card_last4}"
    sold = category(event.merchant_category)
    kind = sold and f"{sold} ({event.merchant_category})"
    parts = [event.channel and label(event.channel), kind, card, event.device_id, event.ip_address]
    if event.kind == "alert":
        parts = [label(event.outcome), f"from {event.source}"]
    return TimelineEntry(
        at=event.at,
        kind=event.kind,
        actor=None,
        title=describe(event),
        text=None,
        tone="failed" if event.failed else "fine",
        fired=event.fired,
        detail=" · ".join(part for part in parts if part) or None,
        event_id=event.event_id,
    )


def of_action(at: datetime, actor: str, action: str, detail: Mapping[str, Any]) -> TimelineEntry:
    """The entry of an action on a case."""
    known = ACTIONS.get(action)
    return TimelineEntry(
        at=at,
        kind="action",
        actor=actor,
        title=known.summary(detail) if known else phrase(action),
        text=detail.get("text"),
        tone="fine",
        fired=[],
        detail=detail.get("target"),
    )


def _amount(event: Activity) -> str:
    said = money(event.amount)
    return said if event.currency in (None, "AUD") else f"{event.currency} {said.lstrip('$')}"
