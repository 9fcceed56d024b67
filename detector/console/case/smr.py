"""Drafts of suspicious matter reports: restricted, and every read is audited.

Disclosing that a report exists can be an offence (tipping off): nothing of it appears in cases,
notes, webhooks, the stream, or pages of users without the permission.
"""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated

import pytz
from fastapi import APIRouter, Depends
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from detector.adapters.people.store import utc_now
from detector.cases.principals import Principal
from detector.cases.smr import PartyRole, due_at, grounds
from detector.console.access.permissions import require
from detector.console.context import Context, InContext
from detector.console.http.fields import CaseId, LongText, Short
from detector.console.http.problems import ProblemError, problems
from detector.console.queries.cases import find_case
from detector.console.queries.signals import SignalRow, signal_list
from detector.core.data import Row
from detector.core.names import Names, split

router = APIRouter(tags=["suspicious matter reports"])
Reports = Annotated[Principal, Depends(require("smr"))]
_CASH = "('CASH_DEPOSIT', 'CASH_WITHDRAWAL')"
MOST_TRANSACTIONS = 500


class Party(BaseModel):
    """A party named in the report; a victim may be the subject of one too."""

    model_config = ConfigDict(extra="forbid")

    role: PartyRole
    name: Short | None = Field(None, description="Full name without titles; empty if unknown.")
    customer_id: Short | None = Field(None, examples=["cust-4"])
    account_ids: list[Short] = Field([], max_length=50, examples=[["acc-4"]])
    description: LongText | None = None


class Draft(BaseModel):
    """The part that users write. The clock starts when the suspicion formed, not with the alert."""

    model_config = ConfigDict(extra="forbid")

    parties: list[Party] = Field(max_length=50)
    grounds: LongText
    suspicion_formed_at: AwareDatetime | None = Field(None, examples=["2026-03-02T10:30:00+11:00"])
    terrorism_financing: bool = False
    earlier_reports: list[Short] = Field([], max_length=50)


class CashTransaction(BaseModel):
    """A cash transaction of the customer in the period of the case."""

    transaction_id: str
    account_id: str
    occurred_at: datetime
    transaction_type: str
    channel: str
    city: str | None
    amount: Decimal
    currency: str
    status: str


class Report(BaseModel):
    """A draft with facts from the system; `updated_by` is empty until it is first saved."""

    case_id: str
    customer_id: str
    account_ids: Names
    first_signal_at: datetime
    draft: Draft
    transactions: list[CashTransaction]
    due_at: datetime | None = Field(description="In UTC; empty until a suspicion formed.")
    timezone: str = Field(description="Where the business days of `due_at` were counted.")
    updated_by: str | None
    updated_at: datetime | None


@router.get(
    "/v1/cases/{case_id}/smr",
    operation_id="read_smr",
    responses=problems(401, 403, 404, 409, 422),
)
def read_smr(context: InContext, principal: Reports, case_id: CaseId) -> Report:
    """The draft for a case; until it is first saved, one prepared from the events."""
    case = _reportable(context, case_id)
    stored = context.people.reports.read(principal, case_id)
    if stored is None:
        return _report(context, case, None, None, None)
    draft = Draft.model_validate(stored["fields"])
    return _report(context, case, draft, stored["updated_by"], stored["updated_at"])


@router.put(
    "/v1/cases/{case_id}/smr",
    operation_id="save_smr",
    responses=problems(400, 401, 403, 404, 409, 413, 422),
)
def save_smr(context: InContext, principal: Reports, case_id: CaseId, body: Draft) -> Report:
    """Replace the draft for a case."""
    case = _reportable(context, case_id)
    if body.suspicion_formed_at is not None and body.suspicion_formed_at > utc_now():
        raise ProblemError(409, "The suspicion cannot have formed in the future.")
    saved_at = context.people.reports.save(principal, case_id, body.model_dump(mode="json"))
    return _report(context, case, body, principal.name, saved_at)


def _reportable(context: Context, case_id: str) -> Row:
    case = find_case(context.reader, context.people, case_id)
    suspicious = context.people.reviews.get(case_id).disposition == "SUSPICIOUS"
    if "structuring" not in split(case["patterns"]) and not suspicious:
        raise ProblemError(
            409,
            "Reports are drafted for cases with structuring, or closed as SUSPICIOUS; "
            f"this one shows {case['patterns']}.",
        )
    return case


def _report(
    context: Context,
    case: Row,
    draft: Draft | None,
    updated_by: str | None,
    updated_at: datetime | None,
) -> Report:
    zone = pytz.timezone(context.settings.timezone)
    signals = _signals(context, case)
    cash = _cash(context, case, signals)
    if draft is None:
        subject = Party(
            role="SUSPECT",
            customer_id=case["customer_id"],
            account_ids=split(case["account_ids"]),
        )
        said = [s.model_dump() for s in signals]
        base = context.rules.currencies.base
        text = grounds(case, said, cash, _profile(context, case), zone, base)
        draft = Draft(parties=[subject], grounds=text)
    formed = draft.suspicion_formed_at
    holidays = context.settings.holidays
    return Report(
        case_id=case["case_id"],
        customer_id=case["customer_id"],
        account_ids=case["account_ids"],
        first_signal_at=case["first_signal_at"].astimezone(UTC),
        draft=draft,
        transactions=[CashTransaction.model_validate(row) for row in cash],
        due_at=formed and due_at(formed, draft.terrorism_financing, zone, holidays),
        timezone=context.settings.timezone,
        updated_by=updated_by,
        updated_at=updated_at,
    )


def _signals(context: Context, case: Row) -> list[SignalRow]:
    """The signals that count for the case, oldest first: the same as on its page."""
    found = signal_list(
        context.reader,
        {"customer_id": [case["customer_id"]]},
        case["first_signal_at"],
        until=case["last_signal_at"],
        limit=MOST_TRANSACTIONS,
    )
    return found[::-1]


def _cash(context: Context, case: Row, signals: list[SignalRow]) -> list[Row]:
    begin = min((s.window_start for s in signals), default=case["first_signal_at"])
    return context.reader.rows(
        f"""SELECT transaction_id, account_id, occurred_at, transaction_type, channel, city, amount,
          currency, status, base_amount
        FROM stg_transactions
        WHERE customer_id = ? AND transaction_type IN {_CASH}
          AND status NOT IN ('DECLINED', 'REVERSED') AND occurred_at >= ? AND occurred_at <= ?
        ORDER BY occurred_at, event_id LIMIT {MOST_TRANSACTIONS}""",
        [case["customer_id"], begin, case["last_signal_at"]],
    )


def _profile(context: Context, case: Row) -> Row | None:
    found = context.reader.rows(
        """SELECT segment, country, kyc_status, risk_tier, is_pep FROM stg_kyc_profiles
        WHERE customer_id = ? ORDER BY occurred_at DESC, event_id DESC LIMIT 1""",
        [case["customer_id"]],
    )
    return found[0] if found else None
