"""Limits on ordinary activity, so that honest customers alone never look like fraud."""

from collections import defaultdict, deque
from datetime import datetime, timedelta
from functools import lru_cache
from zlib import crc32

from producers.models import FraudAlert, Login, Transaction

MAX_TRANSACTIONS, TRANSACTIONS_WITHIN = 4, timedelta(seconds=60)
MAX_ONLINE, ONLINE_WITHIN = 6, timedelta(seconds=300)
MAX_FAILED_LOGINS, FAILED_LOGINS_WITHIN = 2, timedelta(seconds=60)
ALERTS_WITHIN = timedelta(minutes=6)
# An account's ordinary payments fall into its own 4 seconds of every 17, by the clock: five of them
# never fit into a minute, not even when the bank is restarted in between.
SLOT_SECONDS, SLOT_OPEN_SECONDS = 17, 4


@lru_cache(maxsize=100_000)
def _slot_phase(account_id: str) -> int:
    return crc32(account_id.encode())


class _Recent:
    """Counts the events of each key in a trailing window, both ends included."""

    def __init__(self, within: timedelta) -> None:
        self._within = within
        self._times: defaultdict[str, deque[datetime]] = defaultdict(deque)

    def add(self, key: str, at: datetime) -> None:
        self._times[key].append(at)

    def count(self, key: str, at: datetime) -> int:
        times = self._times.get(key)
        if not times:
            return 0
        earliest = at - self._within
        while times and times[0] < earliest:
            times.popleft()
        return len(times)

    def latest(self, key: str) -> datetime | None:
        times = self._times.get(key)
        return times[-1] if times else None


class OrdinaryLimits:
    """Tracks what has happened, fraud included, and what an honest customer may still do.

    A benign event that is allowed never completes a burst, not even one that a fraud started.
    """

    def __init__(self) -> None:
        self._transactions = _Recent(TRANSACTIONS_WITHIN)
        self._online = _Recent(ONLINE_WITHIN)
        self._failed_logins = _Recent(FAILED_LOGINS_WITHIN)
        self._alerts: dict[str, dict[str, datetime]] = {}
        self._reserved_until: dict[str, datetime] = {}

    def observe_transaction(self, event: Transaction) -> None:
        """Count a transaction."""
        self._transactions.add(event.account_id, event.occurred_at)
        if event.card_token and not event.card_present:
            self._online.add(event.card_token, event.occurred_at)

    def observe_login(self, event: Login) -> None:
        """Count a login if it failed."""
        if event.outcome == "FAILURE":
            self._failed_logins.add(event.customer_id, event.occurred_at)

    def observe_alert(self, event: FraudAlert) -> None:
        """Record when this customer last had an alert of this type."""
        self._alerts.setdefault(event.customer_id, {})[event.alert_type] = event.occurred_at

    def reserve(self, account_id: str, until: datetime) -> None:
        """Keep the owner away from an account during an attack."""
        self._reserved_until[account_id] = until

    def recent_transactions(self, account_id: str, at: datetime) -> int:
        """Return how many transactions the account had in the last minute."""
        return self._transactions.count(account_id, at)

    def recent_online(self, card_token: str, at: datetime) -> int:
        """Return how many payments without the card it had in the last five minutes."""
        return self._online.count(card_token, at)

    def may_transact(self, account_id: str, at: datetime) -> bool:
        """True if one more transaction of the account is ordinary."""
        until = self._reserved_until.get(account_id)
        if until is not None and at <= until:
            return False
        return self._transactions.count(account_id, at) < MAX_TRANSACTIONS

    def may_begin(self, account_id: str, at: datetime) -> bool:
        """Whether an ordinary payment may come now: the account's slot is open and unused."""
        into_slot = (at.timestamp() + _slot_phase(account_id)) % SLOT_SECONDS
        if into_slot >= SLOT_OPEN_SECONDS or not self.may_transact(account_id, at):
            return False
        latest = self._transactions.latest(account_id)
        return latest is None or (at - latest).total_seconds() > into_slot

    def may_pay_online(self, card_token: str, at: datetime) -> bool:
        """True if one more payment without the card is ordinary."""
        return self._online.count(card_token, at) < MAX_ONLINE

    def may_fail_login(self, customer_id: str, at: datetime) -> bool:
        """True if one more failed login is ordinary."""
        return self._failed_logins.count(customer_id, at) < MAX_FAILED_LOGINS

    def alert_types(self, customer_id: str, at: datetime) -> set[str]:
        """Return the types of alerts the customer had in the last six minutes."""
        seen = self._alerts.get(customer_id, {})
        return {kind for kind, when in seen.items() if at - when <= ALERTS_WITHIN}
