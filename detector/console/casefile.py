"""Everything that one case's page shows, fit to decide it in a minute."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import BaseModel

from detector.adapters.desk import Desk
from detector.cases.audit import Entry
from detector.cases.people import Person
from detector.cases.review import ACTIONS, Refused, Review, apply
from detector.cases.undo import undoable
from detector.console.context import Reader
from detector.console.evidence import (
    Reason,
    ScorePoint,
    SignalRow,
    reasons,
    score_steps,
    signals_of_account,
)
from detector.console.history import Happening, happenings
from detector.console.links import LinkedCase, linked_cases
from detector.console.parties import Card, Entities, Profile, cards_of, entities_of, profile_of
from detector.console.problems import ProblemError
from detector.console.queue import CaseRow, case_row
from detector.console.trips import Trip, trips_of
from detector.core.rules import Rules

AROUND = timedelta(minutes=30)
MOST_EVENTS = 200
_KINDS = {"devices": "device_id", "ip_addresses": "ip_address", "merchants": "merchant_id"}
_TRIALS: dict[str, dict[str, Any]] = {
    **{action: {} for action in ACTIONS},
    "assign": {"to": ""},
    "note": {"text": ""},
    "instruct": {"instruction": "STEP_UP"},
    "close": {"disposition": "INCONCLUSIVE"},
    "reject": {"text": ""},
}


class Deed(BaseModel):
    """One thing that somebody did to the case: an entry of the audit log."""

    seq: int
    at: datetime
    actor: str
    role: str
    action: str
    detail: dict[str, Any]


class CaseFile(BaseModel):
    """One case and all that helps to decide it; lists are the newest first unless said otherwise.

    `events` are those of the account and its customer from half an hour before the first signal
    to half an hour after the last; `more_events` says that there are older ones in that time.
    `scores` are the oldest first. `allowed` are the actions that the person who asks may take now.
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
    reasons: list[Reason]
    signals: list[SignalRow]
    events: list[Happening]
    more_events: bool
    scores: list[ScorePoint]
    trips: list[Trip]
    profile: Profile | None
    cards: list[Card]
    entities: Entities
    links: list[LinkedCase]
    history: list[Deed]


def find_case(reader: Reader, desk: Desk, case_id: str) -> dict[str, Any] | None:
    """The row of an open case, or of a closed one as it was; None if there never was one."""
    rows = reader.rows("SELECT * FROM mv_open_fraud_cases WHERE case_id = ?", [case_id])
    return rows[0] if rows else desk.snapshot(case_id)


def case_file(
    reader: Reader,
    desk: Desk,
    rules: Rules,
    person: Person,
    case_id: str,
    now: datetime | None = None,
) -> CaseFile:
    """Gather everything about a case; raises a 404 problem where there is none."""
    now = now or datetime.now(UTC)
    row = find_case(reader, desk, case_id)
    if row is None:
        raise ProblemError(404, f"There is no case {case_id!r}. Search for it, or open the queue.")
    review, entries = desk.review(case_id), desk.history(case_id)
    case = case_row({**row, "status": review.status, "owner": review.owner}, now)
    since, until = case.first_signal_at, case.last_signal_at
    around = (since - AROUND, until + AROUND)
    signals = signals_of_account(reader, case.account_id, since, until)
    events = happenings(
        reader, account=case.account_id, customer=case.customer_id,
        since=around[0], until=around[1], limit=MOST_EVENTS + 1,
    )  # fmt: skip
    profile = profile_of(reader, case.customer_id)
    entities = entities_of(
        reader, case.account_id, case.customer_id,
        profile.registered_device_ids if profile else (), *around,
    )  # fmt: skip
    _fired_first(entities, events)
    return CaseFile(
        as_of=now,
        case=case,
        withdrawn=row["withdrawn"],
        disposition=review.disposition,
        proposed_by=review.proposed_by,
        version=review.version,
        reviewed_at=review.reviewed_at,
        allowed=_allowed(review, person),
        undo=_undo(entries, person, now),
        reasons=reasons(rules, signals),
        signals=signals,
        events=events[:MOST_EVENTS],
        more_events=len(events) > MOST_EVENTS,
        scores=score_steps(signals, rules.risk.window),
        trips=trips_of(reader, [signal.model_dump() for signal in signals]),
        profile=profile,
        cards=cards_of(reader, "account_id", case.account_id),
        entities=entities,
        links=linked_cases(
            reader, case_id, case.customer_id, since, until,
            [device.id for device in entities.devices],
            [address.id for address in entities.ip_addresses],
            [signal.event_id for signal in signals],
        ),
        history=[Deed.model_validate(entry, from_attributes=True) for entry in entries],
    )  # fmt: skip


def _allowed(review: Review, person: Person) -> list[str]:
    """What the person may do to the case now, by trying: the rules are in `cases/review.py`."""
    allowed = []
    for action, fields in _TRIALS.items():
        with suppress(Refused):
            apply(review, person, action, **fields)
            allowed.append(action)
    return allowed


def _fired_first(entities: Entities, events: Sequence[Happening]) -> None:
    """Put what was used where a pattern fired before what was merely used around it."""
    for kind, column in _KINDS.items():
        fired = {getattr(event, column) for event in events if event.fired}
        getattr(entities, kind).sort(key=lambda entity, fired=fired: entity.id not in fired)


def _undo(entries: Sequence[Entry], person: Person, now: datetime) -> str | None:
    """What of the case the person could take back now."""
    try:
        return undoable(entries, person, now).action
    except Refused:
        return None
