"""Fraud in the bank: seven scenarios in turn, as often as the fraud rate requires."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial

from producers.agenda import Agenda
from producers.config import ProducerSettings
from producers.generators.adversarial import ADVERSARIAL, draw
from producers.generators.alert import AlertGenerator
from producers.generators.customer_pool import CustomerPool, CustomerProfile
from producers.generators.limits import OrdinaryLimits
from producers.generators.login import LoginGenerator
from producers.generators.payments import Label, Payer, PaymentFactory
from producers.generators.scenarios import Attack
from producers.generators.transaction import _FRAUD_SCENARIOS
from producers.models import Event, LabelledEvent, Login, Transaction
from producers.patterns import structuring_threshold

BRUTE_FORCE = "brute_force_login"
SCENARIOS = (*_FRAUD_SCENARIOS, BRUTE_FORCE)
# Alerts of two systems about one event; together they make the `compound` pattern.
COMPOUND_ALARMS = (
    ("account_takeover", "cnp_spike"),
    ("account_takeover", "velocity"),
    ("cnp_spike", "geo_impossible"),
)
REACTION_SHARE = 0.4
# The first round of the demo is this dense, so that each pattern is seen in its first minute.
OPENING_RATE = 0.10
# In the adversarial profile the seven are what is left of fraud that shows.
ADVERSARIAL_SHARE = 0.8
_KEEPS_OWNER_AWAY = timedelta(hours=1)
_COOL_DOWN = timedelta(seconds=60)
_ATTEMPTS = 40
# These need a victim whose cards stay in one city.
_AT_HOME = frozenset({"velocity", "geo_impossible", "structuring"})


class FraudRotation:
    """Runs the seven scenarios in shuffled rounds.

    The pause after an instance is as long as its transactions take at the fraudulent share of the
    transaction rate, so the share is as configured whatever the scenarios' sizes. The demo's first
    round is denser.
    """

    def __init__(
        self,
        settings: ProducerSettings,
        agenda: Agenda,
        pool: CustomerPool,
        pay: PaymentFactory,
        logins: LoginGenerator,
        alerts: AlertGenerator,
        limits: OrdinaryLimits,
    ) -> None:
        self._settings = settings
        self._structuring_threshold = structuring_threshold(settings)
        self._agenda = agenda
        self._pool = pool
        self._pay = pay
        self._rng = pay.rng
        self._logins = logins
        self._alerts = alerts
        self._limits = limits
        self._round: list[str] = []
        self._rounds = 0
        self._takeovers = 0
        self._busy_until: dict[str, datetime] = {}

    def begin(self, start: datetime) -> None:
        """Plan the first instance one or two seconds after the start."""
        if self._settings.fraud_rate > 0:
            self._agenda.plan(start + _seconds(self._rng.uniform(1, 2)), self._strike)

    def is_busy(self, customer_id: str, at: datetime) -> bool:
        """Whether an instance on the customer is running or has just ended."""
        until = self._busy_until.get(customer_id)
        return until is not None and at <= until

    def _strike(self, at: datetime) -> Iterable[Event]:
        if not self._round:
            self._round = self._next_round()
            self._rounds += 1
        scenario = self._round[-1]
        victim = self._choose_victim(scenario, at)
        if victim is None:
            self._agenda.plan(at + _seconds(1), self._strike)
            return ()
        self._round.pop()
        cost = self._launch(scenario, victim, at)
        share = self._settings.fraud_rate
        if self._settings.profile == "demo" and self._rounds == 1:
            share = max(share, OPENING_RATE)
        fraud_per_s = share * self._settings.transaction_rate
        pause_s = cost / fraud_per_s * self._rng.uniform(0.8, 1.2) if cost else 0.2
        self._agenda.plan(at + _seconds(pause_s), self._strike)
        return ()

    def _next_round(self) -> list[str]:
        if self._settings.profile == "adversarial" and self._rng.random() < ADVERSARIAL_SHARE:
            return [draw(self._rng)]
        if self._settings.profile == "adversarial":
            return [self._rng.choice(SCENARIOS)]
        return self._rng.sample(SCENARIOS, k=len(SCENARIOS))

    def _launch(self, scenario: str, victim: Payer, at: datetime) -> int:
        """Plan one instance and return how many transactions it has."""
        if scenario == BRUTE_FORCE:
            self._perform(victim, self._storm(victim.customer, at))
            return 0
        storm: Sequence[LabelledEvent] = ()
        if scenario == "account_takeover":
            # Every second takeover starts with a brute-force login.
            self._takeovers += 1
            if self._takeovers % 2 == 0:
                storm = self._storm(victim.customer, at)
                at = storm[-1].occurred_at + _seconds(self._rng.uniform(20, 60))
        attack = Attack(
            label=self._label(scenario),
            victim=victim,
            at=at,
            realistic=self._settings.follows_the_clock,
            structuring_threshold=self._structuring_threshold,
        )
        plan: Sequence[Event]
        if scenario in ADVERSARIAL:
            plan = ADVERSARIAL[scenario][0](self._pay, attack)
        else:
            plan = _FRAUD_SCENARIOS[scenario](self._pay, attack)
        self._perform(victim, (*storm, *plan))
        return sum(isinstance(event, Transaction) and event.is_fraud for event in plan)

    def _storm(self, customer: CustomerProfile, at: datetime) -> list[Login]:
        return self._logins.brute_force(customer, at, self._label(BRUTE_FORCE))

    def _label(self, scenario: str) -> Label:
        return Label(True, scenario, self._pay.ids.next("case"))

    def _perform(self, victim: Payer, plan: Sequence[Event]) -> None:
        ends = plan[-1].occurred_at
        self._busy_until[victim.customer.customer_id] = ends + _COOL_DOWN
        if ends - plan[0].occurred_at < _KEEPS_OWNER_AWAY:
            self._limits.reserve(victim.account.account_id, ends)
        alarms = self._rng.choice(COMPOUND_ALARMS)
        for event in plan:
            self._agenda.plan(event.occurred_at, partial(self._act, event, alarms))

    def _act(self, event: Event, alarms: tuple[str, str], at: datetime) -> Iterator[Event]:
        yield event
        if isinstance(event, Transaction | Login) and event.is_fraud:
            for seen_as in self._seen_as(event, alarms):
                alarm_at = at + _seconds(self._rng.uniform(0.5, 3.0))
                self._agenda.plan(alarm_at, partial(self._alarm, event, seen_as))

    def _seen_as(self, event: LabelledEvent, alarms: tuple[str, str]) -> tuple[str | None, ...]:
        if event.fraud_scenario == "compound":
            return alarms
        if event.fraud_scenario in ADVERSARIAL:
            return ()
        return (event.fraud_scenario,) if self._rng.random() < REACTION_SHARE else ()

    def _alarm(
        self, event: Transaction | Login, seen_as: str | None, at: datetime
    ) -> Iterator[Event]:
        yield self._alerts.react(event, at, seen_as)

    def _choose_victim(self, scenario: str, at: datetime) -> Payer | None:
        """Draw a customer without a running instance, if possible a quiet one without alerts."""
        rng, limits = self._rng, self._limits
        second_best = None
        for _ in range(_ATTEMPTS):
            customer = self._pool.choose(rng)
            if self.is_busy(customer.customer_id, at) or not _suits(scenario, customer):
                continue
            account = min(
                customer.accounts, key=lambda a: limits.recent_transactions(a.account_id, at)
            )
            if not limits.may_transact(account.account_id, at):
                continue
            card = min(account.cards, key=lambda c: limits.recent_online(c.token, at))
            victim = Payer(customer, account, card)
            quiet = (
                limits.recent_transactions(account.account_id, at) <= 1
                and limits.recent_online(card.token, at) <= 2
            )
            if quiet and not limits.alert_types(customer.customer_id, at):
                return victim
            second_best = second_best or victim
        return second_best


def _suits(scenario: str, customer: CustomerProfile) -> bool:
    if scenario in _AT_HOME and customer.is_frequent_flyer:
        return False
    return scenario != "structuring" or customer.segment != "CASH_BUSINESS"


def _seconds(value: float) -> timedelta:
    return timedelta(seconds=value)
