"""Logins: ordinary ones, mistyped passwords, and brute force."""

import random
from datetime import datetime, timedelta

from producers.generators.customer_pool import CustomerPool, CustomerProfile
from producers.generators.identifiers import Identifiers
from producers.generators.payments import NORMAL, Device, Label
from producers.models import FailureReason, Login

MISTYPED_SHARE = 0.04
_ATTACKER_COUNTRIES = ("RU", "NG", "VN", "US", "NL", "BR")


class LoginGenerator:
    """Plans logins; the caller decides whether a failure is still ordinary."""

    def __init__(self, pool: CustomerPool, ids: Identifiers, rng: random.Random) -> None:
        self._pool = pool
        self._ids = ids
        self._rng = rng

    def generate(self, at: datetime) -> list[Login]:
        """Return a customer's login, or the one or two failures before it."""
        customer = self._pool.choose(self._rng)
        if self._rng.random() < MISTYPED_SHARE:
            return self.mistyped(customer, at)
        return [self._login(customer, at, self._own_device(customer))]

    def mistyped(self, customer: CustomerProfile, at: datetime) -> list[Login]:
        """Return one or two failures of an honest customer, then the login."""
        rng, device = self._rng, self._own_device(customer)
        logins = []
        for _ in range(rng.choices((1, 2), weights=(75, 25))[0]):
            reason: FailureReason = "BAD_PASSWORD" if rng.random() < 0.8 else "MFA_FAILED"
            logins.append(self._login(customer, at, device, reason))
            at += timedelta(seconds=rng.uniform(4, 12))
        return [*logins, self._login(customer, at, device)]

    def forgotten(self, customer: CustomerProfile, at: datetime) -> list[Login]:
        """Return three to five failures of an honest customer within a minute, then the login."""
        device, logins = self._own_device(customer), []
        for _ in range(self._rng.randint(3, 5)):
            logins.append(self._login(customer, at, device, "BAD_PASSWORD"))
            at += timedelta(seconds=self._rng.uniform(4, 12))
        return [*logins, self._login(customer, at, device)]

    def brute_force(self, customer: CustomerProfile, at: datetime, label: Label) -> list[Login]:
        """Return four to eight failures within 30 seconds, sometimes with a final success."""
        rng = self._rng
        device = Device(self._ids.next("dev"), f"192.0.2.{rng.randrange(1, 255)}")
        country = rng.choice(_ATTACKER_COUNTRIES)
        failures = rng.randint(4, 8)
        logins = []
        for _ in range(failures):
            logins.append(self._login(customer, at, device, "BAD_PASSWORD", country, label))
            at += timedelta(seconds=rng.uniform(0.5, 4.0))
        if rng.random() < 0.5:
            logins.append(self._login(customer, at, device, None, country, label))
        return logins

    def _own_device(self, customer: CustomerProfile) -> Device:
        return Device(self._rng.choice(customer.registered_device_ids), customer.ip_address)

    def _login(
        self,
        customer: CustomerProfile,
        at: datetime,
        device: Device,
        failure: FailureReason | None = None,
        country: str = "AU",
        label: Label = NORMAL,
    ) -> Login:
        return Login(
            event_id=self._ids.next("evt"),
            customer_id=customer.customer_id,
            outcome="FAILURE" if failure else "SUCCESS",
            failure_reason=failure,
            device_id=device.device_id,
            ip_address=device.ip_address,
            country=country,
            occurred_at=at,
            is_fraud=label.is_fraud,
            fraud_scenario=label.scenario,
            scenario_instance=label.instance,
        )
