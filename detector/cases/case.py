"""Cases, as detection opens them."""

from datetime import datetime
from hashlib import md5

import msgspec


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """What an analyst decides about a customer: the signals from the one that opened it on.

    `account_ids` are the accounts that the signals name. `exposure` is the money in the windows
    that fired, each transaction counted once, in the base currency; `already_gone` is the part of
    it that nothing can bring back. `patterns` are in the order in which they first fired.
    `withdrawn` means that late events took the reason to open it: the case remains, unsupported.
    `previous_case_id` is the case of the customer that was closed before this one opened.
    """

    case_id: str
    customer_id: str
    account_ids: list[str]
    level: str
    score: float
    patterns: list[str]
    signal_count: int
    exposure: str
    already_gone: str
    first_signal_at: datetime
    last_signal_at: datetime
    opened_at: datetime
    due_at: datetime
    recommended_action: str
    actions: list[str]
    withdrawn: bool = False
    previous_case_id: str | None = None


def case_id(customer_id: str, closed_before: int) -> str:
    """The id of a customer's case: the same on every replay with the same closed cases before it.

    The dbt models compute the same id. MD5 because every SQL engine has it; it protects nothing.
    """
    seed = f"{customer_id}|{closed_before}"
    return "case_" + md5(seed.encode(), usedforsecurity=False).hexdigest()[:12]
