"""Cases, as detection opens them."""

from datetime import datetime

import msgspec


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """An account's session window of signals whose distinct patterns reach the opening score.

    `case_id` is fixed when the case opens. `exposure` is the sum of the amounts of the events that
    fired, each counted once. `patterns` are in the order in which they first fired. `withdrawn`
    means that late evidence took the score below the opening score: the case remains, unsupported.
    `merged_into` is the case that late evidence joined it to.
    """

    case_id: str
    account_id: str
    customer_id: str
    level: str
    score: float
    patterns: list[str]
    signal_count: int
    exposure: str
    first_signal_at: datetime
    last_signal_at: datetime
    opened_at: datetime | None
    due_at: datetime | None
    recommended_action: str
    actions: list[str]
    withdrawn: bool = False
    merged_into: str | None = None
