"""Everything on the page of an account or a customer."""

from collections.abc import Sequence
from datetime import datetime

from pydantic import BaseModel

from detector.adapters.people.store import PeopleStore
from detector.adapters.questions import AccountRisk
from detector.console.http import cursor as cursors
from detector.console.http.problems import ProblemError
from detector.console.queries.cases import CaseRow, ClosedCase, case_row
from detector.console.queries.events import Activity, activities
from detector.console.queries.parties import (
    Card,
    Entities,
    Profile,
    cards_of,
    customer_of,
    entities_of,
    profile_of,
)
from detector.console.queries.queue import ranking_now
from detector.console.queries.signals import (
    ScorePoint,
    SignalRow,
    score_steps,
    signal_list,
    signals_of_account,
)
from detector.core.data import JsonObject
from detector.pipeline.ports import Reader
from detector.signals.rules import Rules

SIGNALS_SHOWN = 50


class PartyFile(BaseModel):
    """What the pages of accounts and customers share; lists are newest first.

    `next` is the cursor of the older events.
    """

    as_of: datetime
    profile: Profile | None
    risks: list[AccountRisk]
    open_cases: list[CaseRow]
    closed_cases: list[ClosedCase]
    signals: list[SignalRow]
    cards: list[Card]
    entities: Entities
    events: list[Activity]
    next: str | None


class AccountFile(PartyFile):
    """An account. `scores` are oldest first and reach as far back as `signals` do."""

    account_id: str
    customer_id: str | None
    scores: list[ScorePoint]


class CustomerFile(PartyFile):
    """A customer, with all accounts that a profile or a transaction has linked to them."""

    customer_id: str
    account_ids: list[str]


def account_file(
    reader: Reader,
    people: PeopleStore,
    rules: Rules,
    account_id: str,
    cursor: str | None = None,
    limit: int = 50,
    now: datetime | None = None,
) -> AccountFile:
    """Everything about an account; a 404 problem for one without any event."""
    customer_id = customer_of(reader, account_id)
    signals = signals_of_account(reader, account_id, limit=500)
    if customer_id is None and signals:
        customer_id = signals[0].customer_id
    profile = profile_of(reader, customer_id) if customer_id else None
    shared = _shared(
        reader, people, "account_id", account_id, profile, customer_id, cursor, limit, now
    )
    if customer_id is None and not shared["events"]:
        raise ProblemError(
            404, f"There is no account {account_id!r} in the events received so far."
        )
    return AccountFile(
        **shared,
        account_id=account_id,
        customer_id=customer_id,
        signals=signals[:SIGNALS_SHOWN],
        scores=score_steps(signals[:SIGNALS_SHOWN], rules.risk.window),
    )


def customer_file(
    reader: Reader,
    people: PeopleStore,
    customer_id: str,
    cursor: str | None = None,
    limit: int = 50,
    now: datetime | None = None,
) -> CustomerFile:
    """Everything about a customer; a 404 problem for one without profile or events."""
    profile = profile_of(reader, customer_id)
    shared = _shared(
        reader, people, "customer_id", customer_id, profile, customer_id, cursor, limit, now
    )
    if profile is None and not shared["events"]:
        raise ProblemError(
            404, f"There is no customer {customer_id!r} in the events received so far."
        )
    used = reader.rows(
        """SELECT DISTINCT account_id FROM stg_transactions WHERE customer_id = ?
        ORDER BY account_id LIMIT 100""",
        [customer_id],
    )
    accounts = [*(profile.account_ids if profile else ()), *(row["account_id"] for row in used)]
    return CustomerFile(
        **shared,
        customer_id=customer_id,
        account_ids=list(dict.fromkeys(accounts)),
        signals=signal_list(reader, {"customer_id": [customer_id]}, limit=SIGNALS_SHOWN),
    )


def _shared(
    reader: Reader,
    people: PeopleStore,
    column: str,
    value: str,
    profile: Profile | None,
    customer_id: str | None,
    cursor: str | None,
    limit: int,
    now: datetime | None,
) -> JsonObject:
    ranking = ranking_now(people, now)
    account = value if column == "account_id" else None
    before = cursors.event(cursor) if cursor else None
    events = activities(
        reader, account=account, customer=customer_id, before=before, limit=limit + 1
    )
    following = None
    if len(events) > limit:
        following = cursors.after_event(events[limit - 1].at, events[limit - 1].event_id)
    cases = reader.rows(
        "SELECT * FROM mv_open_fraud_cases WHERE customer_id = ? "
        "ORDER BY last_signal_at DESC, case_id LIMIT 50",
        [customer_id],
    )
    risks = reader.rows(
        f"SELECT {', '.join(AccountRisk.model_fields)} FROM mv_account_risk_score_realtime "
        f"WHERE {column} = ? ORDER BY risk_score DESC, account_id LIMIT 50",
        [value],
    )
    closed = people.reviews.closed(customer_id) if customer_id else []
    registered: Sequence[str] = profile.registered_device_ids if profile else ()
    return {
        "as_of": ranking.now,
        "profile": profile,
        "risks": [AccountRisk.model_validate(row) for row in risks],
        "open_cases": [case_row(row, ranking) for row in cases],
        "closed_cases": [ClosedCase.model_validate(case) for case in closed],
        "cards": cards_of(reader, column, value),
        "entities": entities_of(reader, account, customer_id, registered),
        "events": events[:limit],
        "next": following,
    }
