"""All that the pages of an account and of a customer show."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel

from detector.adapters.desk import Desk
from detector.console import cursor as cursors
from detector.console.context import Reader
from detector.console.evidence import (
    ScorePoint,
    SignalRow,
    score_steps,
    signal_list,
    signals_of_account,
)
from detector.console.history import Happening, happenings
from detector.console.parties import (
    Card,
    Entities,
    Profile,
    cards_of,
    customer_of,
    entities_of,
    profile_of,
)
from detector.console.problems import ProblemError
from detector.console.queue import CaseFacts, CaseRow, case_row
from detector.core.rules import Rules

SIGNALS_SHOWN = 50


class Risk(BaseModel):
    """The score of an account at the newest moment the system knows of."""

    account_id: str
    risk_score: float
    risk_level: str
    patterns: str
    last_signal_at: datetime


class DecidedCase(CaseFacts):
    """A closed case, as it was when it was decided."""

    disposition: str | None
    reviewed_at: datetime


class Dossier(BaseModel):
    """What an account's and a customer's page have in common; lists are the newest first.

    `next` is the cursor of the older events.
    """

    as_of: datetime
    profile: Profile | None
    risks: list[Risk]
    open_cases: list[CaseRow]
    closed_cases: list[DecidedCase]
    signals: list[SignalRow]
    cards: list[Card]
    entities: Entities
    events: list[Happening]
    next: str | None


class AccountDossier(Dossier):
    """An account. `scores` are the oldest first and reach as far back as `signals` do."""

    account_id: str
    customer_id: str | None
    scores: list[ScorePoint]


class CustomerDossier(Dossier):
    """A customer, with all of the accounts that the bank says or payments show to be theirs."""

    customer_id: str
    account_ids: list[str]


def account_dossier(
    reader: Reader,
    desk: Desk,
    rules: Rules,
    account_id: str,
    cursor: str | None = None,
    limit: int = 50,
    now: datetime | None = None,
) -> AccountDossier:
    """Everything about an account; a 404 problem where nothing ever happened on it."""
    customer_id = customer_of(reader, account_id)
    signals = signals_of_account(reader, account_id, limit=500)
    if customer_id is None and signals:
        customer_id = signals[0].customer_id
    profile = profile_of(reader, customer_id) if customer_id else None
    shared = _shared(
        reader, desk, "account_id", account_id, profile, customer_id, cursor, limit, now
    )
    if customer_id is None and not shared["events"]:
        raise ProblemError(404, f"There is no account {account_id!r} in what was seen so far.")
    return AccountDossier(
        **shared,
        account_id=account_id,
        customer_id=customer_id,
        risks=_risks(reader, "account_id", account_id),
        signals=signals[:SIGNALS_SHOWN],
        scores=score_steps(signals[:SIGNALS_SHOWN], rules.risk.window),
    )


def customer_dossier(
    reader: Reader,
    desk: Desk,
    customer_id: str,
    cursor: str | None = None,
    limit: int = 50,
    now: datetime | None = None,
) -> CustomerDossier:
    """Everything about a customer; a 404 problem for one that nothing is known of."""
    profile = profile_of(reader, customer_id)
    shared = _shared(
        reader, desk, "customer_id", customer_id, profile, customer_id, cursor, limit, now
    )
    if profile is None and not shared["events"]:
        raise ProblemError(404, f"There is no customer {customer_id!r} in what was seen so far.")
    used = reader.rows(
        """SELECT DISTINCT account_id FROM stg_transactions WHERE customer_id = ?
        ORDER BY account_id LIMIT 100""",
        [customer_id],
    )
    accounts = [*(profile.account_ids if profile else ()), *(row["account_id"] for row in used)]
    return CustomerDossier(
        **shared,
        customer_id=customer_id,
        account_ids=list(dict.fromkeys(accounts)),
        risks=_risks(reader, "customer_id", customer_id),
        signals=signal_list(reader, {"customer_id": [customer_id]}, limit=SIGNALS_SHOWN),
    )


def _shared(
    reader: Reader,
    desk: Desk,
    column: str,
    value: str,
    profile: Profile | None,
    customer_id: str | None,
    cursor: str | None,
    limit: int,
    now: datetime | None,
) -> dict[str, Any]:
    now = now or datetime.now(UTC)
    account = value if column == "account_id" else None
    before = cursors.event(cursor) if cursor else None
    events = happenings(
        reader, account=account, customer=customer_id, before=before, limit=limit + 1
    )
    following = None
    if len(events) > limit:
        following = cursors.after_event(events[limit - 1].at, events[limit - 1].event_id)
    rows = reader.rows(
        f"SELECT * FROM mv_open_fraud_cases WHERE {column} = ? "
        "ORDER BY last_signal_at DESC, case_id LIMIT 50",
        [value],
    )
    registered: Sequence[str] = profile.registered_device_ids if profile else ()
    return {
        "as_of": now,
        "profile": profile,
        "open_cases": [case_row(row, now) for row in rows],
        "closed_cases": [_decided(row) for row in desk.closed(account, None if account else value)],
        "cards": cards_of(reader, column, value),
        "entities": entities_of(reader, account, customer_id, registered),
        "events": events[:limit],
        "next": following,
    }


def _decided(case: Mapping[str, Any]) -> DecidedCase:
    return DecidedCase.model_validate(
        {**case, "patterns": case["patterns"].split(", "), "actions": case["actions"].split(", ")}
    )


def _risks(reader: Reader, column: str, value: str) -> list[Risk]:
    rows = reader.rows(
        f"""SELECT account_id, risk_score, risk_level, patterns, last_signal_at
        FROM mv_account_risk_score_realtime WHERE {column} = ?
        ORDER BY risk_score DESC, account_id LIMIT 50""",
        [value],
    )
    return [Risk.model_validate(row) for row in rows]
