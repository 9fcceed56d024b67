"""The synthetic bank: one endless stream of events in order of time."""

import logging
import random
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial

from producers.agenda import Agenda
from producers.config import ProducerSettings
from producers.crime import FraudRotation
from producers.crossers import FORGOTTEN_PASSWORD_SHARE, Crossers
from producers.errors import ConfigError
from producers.generators.alert import AlertGenerator
from producers.generators.card import CardGenerator
from producers.generators.customer_pool import CustomerPool
from producers.generators.identifiers import Identifiers
from producers.generators.kyc_profile import KycProfileGenerator
from producers.generators.limits import OrdinaryLimits
from producers.generators.login import LoginGenerator
from producers.generators.payments import PaymentFactory
from producers.generators.rhythm import PEAK_ACTIVITY
from producers.generators.transaction import TransactionGenerator
from producers.lookalikes import NEW_PHONE_SHARE, PAYMENTS_PER_ARRIVAL, SPREE_SHARE, Lookalikes
from producers.models import Event, FraudAlert, LabelledEvent, Login, Transaction
from producers.patterns import currency_rates, structuring_threshold

logger = logging.getLogger(__name__)


class SyntheticBank:
    """Yields `(topic, event)` without end, in order of `occurred_at`.

    The KYC profiles of the whole pool come first, at `start`. Behaviour depends on the seed,
    identifiers on the seed and the start: the same two produce the same bytes, another start
    produces the same customers with new ids. Iterating again continues where the last iteration
    stopped.
    """

    def __init__(self, settings: ProducerSettings, start: datetime) -> None:
        if start.utcoffset() is None:
            raise ConfigError(f"start is {start!r}; give it an offset, such as tzinfo=UTC.")
        self.settings = settings
        self.start = start.astimezone(UTC)
        self.pool = CustomerPool(settings.customer_pool_size, settings.seed)
        self._rng = random.Random(f"{settings.seed}:behaviour")
        self._agenda = Agenda()
        self._limits = OrdinaryLimits()
        ids = Identifiers(settings.seed, self.start)
        pay = PaymentFactory(ids, self._rng, currency_rates())
        threshold = structuring_threshold(settings)
        self._kyc = KycProfileGenerator(ids)
        self._cards = CardGenerator(self.pool, ids, self._rng)
        self._logins = LoginGenerator(self.pool, ids, self._rng)
        self._alerts = AlertGenerator(ids, self._rng)
        self._transactions = TransactionGenerator(
            self.pool,
            pay,
            self._kyc,
            self._cards,
            self._limits,
            threshold,
            realistic=settings.follows_the_clock,
        )
        self._lookalikes = Lookalikes(
            self._agenda, pay, self._transactions, self._kyc, self._limits, threshold
        )
        self._crime = FraudRotation(
            settings, self._agenda, self.pool, pay, self._logins, self._alerts, self._limits
        )
        self._crossers = (
            Crossers(self._agenda, self.pool, pay, self._transactions, self._logins)
            if settings.profile == "adversarial"
            else None
        )
        self._warn_if_crowded()
        self._plan_everything()
        self._stream = self._events()

    def __iter__(self) -> Iterator[tuple[str, Event]]:
        return self._stream

    def _events(self) -> Iterator[tuple[str, Event]]:
        for customer in self.pool.customers:
            profile = self._kyc.publish(customer, self.start)
            yield profile.topic, profile
        while self._agenda:
            for event in self._agenda.take():
                self._observe(event)
                yield event.topic, event

    def _observe(self, event: Event) -> None:
        if isinstance(event, Transaction):
            self._limits.observe_transaction(event)
        elif isinstance(event, Login):
            self._limits.observe_login(event)
        elif isinstance(event, FraudAlert):
            self._limits.observe_alert(event)

    def _plan_everything(self) -> None:
        settings = self.settings
        benign = settings.transaction_rate * (1 - settings.fraud_rate) / PAYMENTS_PER_ARRIVAL
        asked = PEAK_ACTIVITY if settings.follows_the_clock else 1.0
        self._repeat(benign * asked, self._payment)
        self._repeat(settings.login_rate, self._login)
        self._repeat(settings.card_event_rate, lambda at: (self._cards.generate(at),))
        self._repeat(settings.noise_alert_rate, self._noise)
        self._repeat(settings.kyc_rate, self._renew_profile)
        self._lookalikes.open_cash_businesses(self.pool, self.start)
        self._crime.begin(self.start)

    def _repeat(self, rate: float, make: Callable[[datetime], Iterable[Event]]) -> None:
        """Repeat an action `rate` times a second on average, as a Poisson process."""
        if rate <= 0:
            return

        def plan_next(after: datetime) -> None:
            # Never in the same microsecond, so that no two events tie.
            gap = timedelta(microseconds=1 + int(self._rng.expovariate(rate) * 1e6))
            self._agenda.plan(after + gap, happen)

        def happen(at: datetime) -> Iterable[Event]:
            plan_next(at)
            return make(at)

        plan_next(self.start)

    def _payment(self, at: datetime) -> Iterable[Event]:
        draw = self._rng.random()
        if draw < SPREE_SHARE:
            return self._lookalikes.spree(at)
        if draw < SPREE_SHARE + NEW_PHONE_SHARE:
            return self._lookalikes.new_phone(at)
        payment = self._transactions.generate(at)
        if self._crossers is not None and payment is not None:
            return self._crossers.instead(at) or (payment,)
        return () if payment is None else (payment,)

    def _login(self, at: datetime) -> Iterable[Event]:
        if self._crossers is not None and self._rng.random() < FORGOTTEN_PASSWORD_SHARE:
            logins = self._crossers.forgotten_password(at)
            for login in logins[1:]:
                self._agenda.plan(login.occurred_at, partial(_happens, login))
            return logins[:1]
        first, *later = self._logins.generate(at)
        for login in later:
            self._agenda.plan(login.occurred_at, partial(self._attempt, login))
        return self._attempt(first, at)

    def _attempt(self, login: Login, at: datetime) -> Iterable[Event]:
        ordinary = login.outcome == "SUCCESS" or self._limits.may_fail_login(login.customer_id, at)
        return (login,) if ordinary else ()

    def _noise(self, at: datetime) -> Iterable[Event]:
        customer = self.pool.choose(self._rng)
        others = self._limits.alert_types(customer.customer_id, at)
        others.discard(self._alerts.noise_type(customer))
        if others or self._crime.is_busy(customer.customer_id, at):
            return ()
        return (self._alerts.noise(customer, at),)

    def _renew_profile(self, at: datetime) -> Iterable[Event]:
        return (self._kyc.publish(self.pool.choose(self._rng), at),)

    def _warn_if_crowded(self) -> None:
        needed = self.settings.pool_size_needed
        if len(self.pool) < needed:
            logger.warning(
                "CUSTOMER_POOL_SIZE is %d; TRANSACTION_RATE %g needs at least %d; "
                "there will be fewer transactions. Raise CUSTOMER_POOL_SIZE.",
                len(self.pool),
                self.settings.transaction_rate,
                needed,
            )


def _happens(event: Event, at: datetime) -> Iterable[Event]:
    return (event,)


def truth(topic: str, event: Event) -> dict[str, str | None] | None:
    """Return the label of an event for the truth file; None if it is benign."""
    if not isinstance(event, LabelledEvent) or not event.is_fraud:
        return None
    return {
        "event_id": event.event_id,
        "topic": topic,
        "scenario": event.fraud_scenario,
        "instance": event.scenario_instance,
    }
