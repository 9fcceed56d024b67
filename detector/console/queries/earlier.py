"""What was decided before about a customer and those of linked cases."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from detector.adapters.people.store import PeopleStore
from detector.cases.principals import Principal
from detector.cases.withheld import sees_decisions
from detector.console.queries.cases import CaseFacts
from detector.core.names import Names

MOST_CLOSED = 6
MOST_NOTES = 8
_WITH_TEXT = ("note", "close", "escalate", "reject", "reopen")


class EarlierCase(BaseModel):
    """A closed case, as of its closing; `disposition` and `reason` only for those who decide."""

    case_id: str
    customer_id: str
    level: str
    score: float
    patterns: Names
    relation: Literal["this customer", "linked"]
    closed_at: datetime
    owner: str | None
    disposition: str | None
    reason: str | None


class EarlierNote(BaseModel):
    """A note on another case of the customer."""

    case_id: str
    at: datetime
    actor: str
    text: str


class ActiveSnooze(BaseModel):
    """A pattern silenced for the customer, an account or a card of theirs."""

    pattern: str
    entity_kind: str
    entity: str
    until: datetime
    reason: str
    created_by: str


class Earlier(BaseModel):
    """Closed cases, the latest first, then notes on them and the snoozes in force."""

    cases: list[EarlierCase] = Field(description="Of this customer first.")
    notes: list[EarlierNote]
    snoozes: list[ActiveSnooze]


def earlier(
    people: PeopleStore,
    principal: Principal,
    case: CaseFacts,
    linked_customers: Sequence[str],
    cards: Sequence[str],
    now: datetime,
) -> Earlier:
    """What is known from before, as this principal may see it."""
    told = sees_decisions(principal)
    cases, notes = [], []
    for customer in dict.fromkeys([case.customer_id, *linked_customers]):
        own = customer == case.customer_id
        for row in people.reviews.closed(customer, MOST_CLOSED if own else 1):
            if row["case_id"] == case.case_id:
                continue
            history = people.reviews.history(row["case_id"])
            texts = [e for e in history if e.action in _WITH_TEXT and e.detail.get("text")]
            closing = next((e for e in texts if e.action == "close"), None)
            cases.append(
                EarlierCase(
                    **{name: row[name] for name in ("case_id", "customer_id", "level", "score")},
                    patterns=row["patterns"],
                    relation="this customer" if own else "linked",
                    closed_at=row["reviewed_at"],
                    owner=row["owner"],
                    disposition=row["disposition"] if told else None,
                    reason=str(closing.detail["text"]) if closing and told else None,
                )
            )
            if own:
                notes += [
                    EarlierNote(
                        case_id=e.subject, at=e.at, actor=e.actor, text=str(e.detail["text"])
                    )
                    for e in texts
                    if e.action == "note"
                ]
    entities = {
        ("customer", case.customer_id),
        *(("account", name) for name in case.account_ids),
        *(("card", token) for token in cards),
    }
    snoozes = [
        ActiveSnooze.model_validate(snooze, from_attributes=True)
        for snooze in people.snoozes.active(now)
        if (snooze.entity_kind, snooze.entity) in entities
    ]
    return Earlier(cases=cases[:MOST_CLOSED], notes=notes[:MOST_NOTES], snoozes=snoozes)
