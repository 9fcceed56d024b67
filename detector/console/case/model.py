"""Everything on a case's page: enough to decide it in a minute."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, tzinfo

from pydantic import BaseModel

from detector.adapters.people.store import PeopleStore
from detector.cases.actions import ACTIONS
from detector.cases.actions.working import Undo
from detector.cases.audit import AuditEntry
from detector.cases.principals import Principal
from detector.cases.review import ActionRefused
from detector.cases.undo import undoable
from detector.cases.withheld import sees_decisions, without_decision
from detector.console.queries.cases import CaseRow, case_row, find_case
from detector.console.queries.earlier import Earlier, earlier
from detector.console.queries.events import Activity, activities
from detector.console.queries.links import LinkedCase, linked_cases
from detector.console.queries.parties import (
    Card,
    Entities,
    Profile,
    cards_of,
    entities_of,
    profile_of,
)
from detector.console.queries.queue import ranking_now
from detector.console.queries.signals import (
    CaseReason,
    ScorePoint,
    SignalRow,
    reasons,
    score_steps,
    signal_list,
)
from detector.console.queries.trips import Trip, trips_of
from detector.console.queries.usual import Usual, usual_for
from detector.core.data import JsonObject
from detector.pipeline.ports import ConsoleReader
from detector.signals.rules import Rules

AROUND = timedelta(minutes=30)
MOST_EVENTS = 200
MOST_SIGNALS = 500
_KINDS = {"devices": "device_id", "ip_addresses": "ip_address", "merchants": "merchant_id"}


class CaseActionEntry(BaseModel):
    """One action on the case: an entry of the audit log."""

    seq: int
    at: datetime
    actor: str
    role: str
    action: str
    detail: JsonObject


class CaseFile(BaseModel):
    """A case and everything that helps to decide it; lists are newest first unless noted.

    `events` are those of the customer from half an hour before the first signal to half an hour
    after the last, or to the closing; `more_events` says that there are older ones in that time.
    `scores` are oldest first. `allowed` are the actions that the principal may take now, `undo` is
    the action that they may undo. `earlier` is what was decided before about this customer and
    those of linked cases.
    """

    as_of: datetime
    case: CaseRow
    withdrawn: bool
    disposition: str | None
    proposed_by: str | None
    version: int
    reviewed_at: datetime | None
    allowed: list[str]
    undo: str | None
    reasons: list[CaseReason]
    signals: list[SignalRow]
    events: list[Activity]
    more_events: bool
    scores: list[ScorePoint]
    trips: list[Trip]
    usual: Usual | None
    profile: Profile | None
    cards: list[Card]
    entities: Entities
    links: list[LinkedCase]
    earlier: Earlier
    history: list[CaseActionEntry]


def case_file(
    reader: ConsoleReader,
    people: PeopleStore,
    rules: Rules,
    principal: Principal,
    case_id: str,
    now: datetime | None = None,
    zone: tzinfo = UTC,
) -> CaseFile:
    """Everything about a case, with hours of the day in a zone; a 404 problem if there is none."""
    now = now or datetime.now(UTC)
    row = find_case(reader, people, case_id)
    review, entries = people.reviews.get(case_id), people.reviews.history(case_id)
    state = {"status": review.status, "owner": review.owner}
    case = case_row({**row, **state}, ranking_now(people, now))
    since, until = case.first_signal_at, case.last_signal_at
    around = (since - AROUND, until + AROUND)
    if review.status == "CLOSED" and review.reviewed_at is not None:
        around = (around[0], max(until, min(around[1], review.reviewed_at)))
    signals = signal_list(
        reader, {"customer_id": [case.customer_id]}, since, until=until, limit=MOST_SIGNALS
    )
    events = activities(
        reader, customer=case.customer_id, since=around[0], until=around[1], limit=MOST_EVENTS + 1
    )
    profile = profile_of(reader, case.customer_id)
    entities = entities_of(
        reader, None, case.customer_id,
        profile.registered_device_ids if profile else (), *around,
    )  # fmt: skip
    _sort_by_firing(entities, events)
    links = linked_cases(
        reader, case_id, case.customer_id, since, until,
        [device.id for device in entities.devices],
        [address.id for address in entities.ip_addresses],
        [signal.event_id for signal in signals],
    )  # fmt: skip
    cards = cards_of(reader, "customer_id", case.customer_id)
    return CaseFile(
        as_of=now,
        case=case,
        withdrawn=row["withdrawn"],
        disposition=review.disposition if sees_decisions(principal) else None,
        proposed_by=review.proposed_by,
        version=review.version,
        reviewed_at=review.reviewed_at,
        allowed=[
            name
            for name, action in ACTIONS.items()
            if action is not Undo and action.allowed(review, principal)
        ],
        undo=_undo(entries, principal, now),
        reasons=reasons(rules, signals),
        signals=signals,
        events=events[:MOST_EVENTS],
        more_events=len(events) > MOST_EVENTS,
        scores=score_steps(signals, rules.risk.window),
        trips=trips_of(reader, [signal.model_dump() for signal in signals]),
        usual=usual_for(
            reader, case.customer_id, since, [signal.event_id for signal in signals], zone
        ),
        profile=profile,
        cards=cards,
        entities=entities,
        links=links,
        earlier=earlier(
            people,
            principal,
            case,
            [link.customer_id for link in links],
            [card.card_token for card in cards],
            now,
        ),
        history=[_entry(entry, principal) for entry in entries],
    )


def _entry(entry: AuditEntry, principal: Principal) -> CaseActionEntry:
    shown = CaseActionEntry.model_validate(entry, from_attributes=True)
    if sees_decisions(principal):
        return shown
    return shown.model_copy(update={"detail": without_decision(entry.action, entry.detail)})


def _sort_by_firing(entities: Entities, events: Sequence[Activity]) -> None:
    """Sort entities used where a pattern fired before those only used around that time."""
    for kind, column in _KINDS.items():
        fired = {getattr(event, column) for event in events if event.fired}
        getattr(entities, kind).sort(key=lambda entity, fired=fired: entity.id not in fired)


def _undo(entries: Sequence[AuditEntry], principal: Principal, now: datetime) -> str | None:
    try:
        return undoable(entries, principal, now).action
    except ActionRefused:
        return None
