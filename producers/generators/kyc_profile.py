"""Customer profiles as the bank publishes them, with the registered devices."""

from datetime import datetime
from typing import NamedTuple

from producers.generators.customer_pool import CustomerProfile
from producers.generators.identifiers import Identifiers
from producers.models import KycProfile

MAX_DEVICES = 4


class _Registration(NamedTuple):
    since: datetime
    devices: tuple[str, ...]
    before: tuple[str, ...]


class KycProfileGenerator:
    """Publishes profiles and knows the registered devices at any time."""

    def __init__(self, ids: Identifiers) -> None:
        self._ids = ids
        self._registered: dict[str, _Registration] = {}

    def publish(
        self, customer: CustomerProfile, at: datetime, new_device: str | None = None
    ) -> KycProfile:
        """Return the customer's profile from `at` on; a new device replaces the oldest."""
        last = self._registered.get(customer.customer_id)
        before = last.devices if last else ()
        devices = before or customer.registered_device_ids
        if new_device:
            devices = (*devices, new_device)[-MAX_DEVICES:]
        self._registered[customer.customer_id] = _Registration(at, devices, before)
        return KycProfile(
            event_id=self._ids.next("evt"),
            customer_id=customer.customer_id,
            account_ids=[account.account_id for account in customer.accounts],
            registered_device_ids=list(devices),
            risk_tier=customer.risk_tier,
            kyc_status=customer.kyc_status,
            is_pep=customer.is_pep,
            country="AU",
            home_latitude=customer.home.latitude,
            home_longitude=customer.home.longitude,
            segment=customer.segment,
            occurred_at=at,
        )

    def devices_in_force(self, customer: CustomerProfile, at: datetime) -> tuple[str, ...]:
        """Return the devices of the newest profile published strictly before `at`."""
        last = self._registered.get(customer.customer_id)
        if last is None:
            return ()
        return last.devices if last.since < at else last.before
