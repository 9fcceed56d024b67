"""Which accounts a signal counts for."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from detector.core.events import Event, KycProfile, Transaction
from detector.signals.signal import Signal
from detector.state.sweeping import swept


class Attribution:
    """Tracks which accounts a customer holds, and since when.

    An account-level signal counts for its account. A customer-level signal counts for every account
    that a profile or a transaction had linked to the customer by the time of the signal. The links
    are a `state.knowledge.Member` by customer.
    """

    part = "holdings"
    schema = dict[str, datetime]
    fingerprint = "1"

    def __init__(self) -> None:
        self.changed: set[str] = set()
        self._held_since: dict[str, dict[str, datetime]] = {}
        self._recent: dict[str, dict[str, Signal]] = {}

    def learn(self, event: Event) -> Iterable[tuple[str, Signal]]:
        """Record an event's links; return the recent signals that now count for another account."""
        if type(event) is Transaction:
            held = self._held_since.get(event.customer_id)
            since = held.get(event.account_id) if held is not None else None
            if since is not None and since <= event.occurred_at:
                return ()  # the common case
            return self.link(event.customer_id, event.account_id, event.occurred_at)
        if type(event) is KycProfile:
            customer, at = event.customer_id, event.occurred_at
            return [pair for a in event.account_ids for pair in self.link(customer, a, at)]
        return ()

    def link(self, customer: str, account: str, at: datetime) -> Iterable[tuple[str, Signal]]:
        """Record that the customer holds the account since `at`, or since an earlier known time."""
        held = self._held_since.get(customer)
        if held is None:
            held = self._held_since[customer] = {}
        since = held.get(account)
        if since is not None and since <= at:
            return ()
        held[account] = at
        self.changed.add(customer)
        return [
            (account, signal)
            for signal in self._recent.get(customer, {}).values()
            if at <= signal.occurred_at and (since is None or signal.occurred_at < since)
        ]

    def accounts(self, signal: Signal) -> list[str]:
        """The accounts that the signal counts for, as currently known."""
        if signal.account_id is not None:
            return [signal.account_id]
        self._recent.setdefault(signal.customer_id, {})[signal.signal_id] = signal
        held = self._held_since.get(signal.customer_id, {})
        return [account for account, since in held.items() if since <= signal.occurred_at]

    def withdraw(self, signal: Signal) -> list[str]:
        """The accounts that the signal counted for; it is no longer attributed to any."""
        accounts = self.accounts(signal)
        self._recent.get(signal.customer_id, {}).pop(signal.signal_id, None)
        return accounts

    def forget(self, moment: datetime) -> Iterator[None]:
        """Drop the signals that no link from `moment` on can affect, some at each step."""

        def is_over(signals: dict[str, Signal]) -> bool:
            for name in [name for name, s in signals.items() if s.occurred_at < moment]:
                del signals[name]
            return not signals

        return swept(self._recent, is_over)

    def saved(self, key: str) -> dict[str, datetime]:
        """Since when the customer holds each account."""
        return self._held_since[key]

    def load(self, key: str, known: dict[str, datetime]) -> None:
        """Take up the links of a customer."""
        self._held_since[key] = known

    def settle(self, key: str, moment: datetime) -> bool:
        """Links need no settling."""
        return True

    def held(self, key: str) -> object:
        """The links of a customer."""
        return self._held_since.get(key)

    def drop(self, key: str) -> None:
        """Forget the links of a customer."""
        self._held_since.pop(key, None)
