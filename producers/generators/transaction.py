"""Transactions: the ordinary behaviour of customers, and the list of frauds."""

import random
from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal

from producers.generators import merchants, scenarios
from producers.generators.card import CardGenerator
from producers.generators.customer_pool import CustomerPool, CustomerProfile
from producers.generators.geography import Place, near
from producers.generators.kyc_profile import KycProfileGenerator
from producers.generators.limits import OrdinaryLimits
from producers.generators.merchants import Merchant
from producers.generators.payments import Device, Payer, PaymentFactory
from producers.generators.rhythm import PEAK_ACTIVITY, activity
from producers.generators.scenarios import Attack, AttackEvent
from producers.models import Transaction, TransactionStatus

_FRAUD_SCENARIOS: dict[str, Callable[[PaymentFactory, Attack], Sequence[AttackEvent]]] = {
    "velocity": scenarios.velocity,
    "geo_impossible": scenarios.geo_impossible,
    "account_takeover": scenarios.account_takeover,
    "cnp_spike": scenarios.cnp_spike,
    "structuring": scenarios.structuring,
    "compound": scenarios.compound,
}

# Cumulative shares by count: shop, web shop, transfer, bill, cash machine; the rest deposits cash.
_SHOP, _WEB_SHOP, _TRANSFER, _BILL, _CASH_OUT = 0.66, 0.84, 0.925, 0.975, 0.995
_OVERSEAS_SHARE = 1 / 9
_ATTEMPTS = 40
_USUAL_PAYEES = 6
_NEW_PAYEE_SHARE = 0.06


class TransactionGenerator:
    """Draws what customers do with their money, within ordinary limits."""

    def __init__(
        self,
        pool: CustomerPool,
        pay: PaymentFactory,
        kyc: KycProfileGenerator,
        cards: CardGenerator,
        limits: OrdinaryLimits,
        structuring_threshold: Decimal,
        realistic: bool,
    ) -> None:
        self._pool = pool
        self._pay = pay
        self._rng: random.Random = pay.rng
        self._kyc = kyc
        self._cards = cards
        self._limits = limits
        self._realistic = realistic
        # Ordinary cash stays well below the band that structuring uses.
        self._most_cash = int(structuring_threshold * 85)

    def generate(self, at: datetime) -> Transaction | None:
        """Return what some customer does now; None if no one does.

        That is when everyone drawn has been too busy, or, in the realistic profile, when the hour
        is quiet: call `PEAK_ACTIVITY` times as often there.
        """
        payer = self.choose_payer(at)
        if payer is None:
            return None
        if self._realistic:
            busy = activity(payer.customer.home.state, at)
            if self._rng.random() * PEAK_ACTIVITY > busy:
                return None
        draw = self._rng.random()
        if draw < _SHOP:
            return self.shop(payer, at)
        if draw < _WEB_SHOP:
            return self.web_shop(payer, at)
        if draw < _BILL:
            return self._app(payer, at, bill=draw >= _TRANSFER)
        return self._cash(payer, at, deposit=draw >= _CASH_OUT)

    def choose_payer(self, at: datetime) -> Payer | None:
        """Draw a customer with an account that has room for another payment."""
        rng = self._rng
        for _ in range(_ATTEMPTS):
            customer = self._pool.choose(rng)
            account = rng.choice(customer.accounts)
            if self._limits.may_begin(account.account_id, at):
                return Payer(customer, account, rng.choice(account.cards))
        return None

    def shop(self, payer: Payer, at: datetime, category: str | None = None) -> Transaction | None:
        """A payment in a shop where the customer is; None during a flight."""
        rng = self._rng
        place = self.place(payer.customer, at)
        if place is None:
            return self.web_shop(payer, at)
        kind = merchants.category(rng, online=False)
        if category is None and place.country == "AU" and rng.random() < 0.3:
            shop = rng.choice(payer.customer.favourites)
        else:
            shop = merchants.abroad(rng, category or rng.choice(kind.codes), place.country)
        cents = self._cents(kind.median * payer.customer.spending, 0.9, most=300_000)
        status = self._status(payer, declined=0.035)
        return self._pay.in_person(payer, at, cents, shop, place, status)

    def web_shop(
        self, payer: Payer, at: datetime, device: Device | None = None, most: int = 400_000
    ) -> Transaction | None:
        """The customer buys online from a registered device, or from the given one."""
        rng = self._rng
        device = device or self.own_device(payer.customer, at)
        if device is None or not self._limits.may_pay_online(payer.card.token, at):
            return None
        kind = merchants.category(rng, online=True)
        shop = self._web_merchant(rng.choice(kind.codes))
        cents = self._cents(kind.median * payer.customer.spending, 1.1, most)
        status = self._status(payer, declined=0.08)
        return self._pay.online(payer, at, cents, shop, device, status)

    def own_device(self, customer: CustomerProfile, at: datetime) -> Device | None:
        """Return a device of the profile in force."""
        devices = self._kyc.devices_in_force(customer, at)
        return Device(self._rng.choice(devices), customer.ip_address) if devices else None

    def place(self, customer: CustomerProfile, at: datetime) -> Place | None:
        """Return a point near where the customer is; None during a flight."""
        city = customer.itinerary.location(at) if customer.itinerary else customer.home
        return near(city, self._rng, spread_km=12) if city else None

    def _web_merchant(self, code: str) -> Merchant:
        if self._rng.random() < _OVERSEAS_SHARE:
            return merchants.overseas(self._rng, code)
        return merchants.domestic(self._rng, code)

    def _app(self, payer: Payer, at: datetime, bill: bool) -> Transaction | None:
        device = self.own_device(payer.customer, at)
        if device is None:
            return None
        if bill:
            cents = self._cents(120 * payer.customer.spending, 0.8, most=300_000)
            biller = self._payee(payer.customer, "biller")
            return self._pay.from_app(payer, at, cents, device, "BILL_PAYMENT", payee=biller)
        cents = self._cents(228 * payer.customer.spending, 1.8, most=2_000_000)
        return self._pay.from_app(payer, at, cents, device, payee=self._payee(payer.customer, "to"))

    def _payee(self, customer: CustomerProfile, kind: str) -> str | None:
        """One of the customer's usual payees, the first most often; None for a new one."""
        if self._rng.random() < _NEW_PAYEE_SHARE:
            return None
        number = int(_USUAL_PAYEES * self._rng.random() ** 2)
        return f"pay_{customer.customer_id}_{kind}_{number}"

    def _cash(self, payer: Payer, at: datetime, deposit: bool) -> Transaction | None:
        place = self.place(payer.customer, at)
        if place is None or self._cards.is_blocked(payer.card.token):
            return None
        site = self._rng.randrange(1, 10)
        if deposit and place.country == "AU":
            cents = self._cents(600, 0.9, most=self._most_cash)
            return self._pay.cash(payer, at, cents, place, "BRANCH", "CASH_DEPOSIT", site)
        notes = max(1, round(self._rng.lognormvariate(0, 0.6) * 255 / 20))
        cents = min(notes * 2_000, 200_000, self._most_cash)
        return self._pay.cash(payer, at, cents, place, "ATM", "CASH_WITHDRAWAL", site)

    def _cents(self, median: float, sigma: float, most: int) -> int:
        return min(most, max(100, int(median * 100 * self._rng.lognormvariate(0, sigma))))

    def _status(self, payer: Payer, declined: float) -> TransactionStatus:
        draw = self._rng.random()
        if draw < declined or self._cards.is_blocked(payer.card.token):
            return "DECLINED"
        return "REVERSED" if draw > 0.996 else "APPROVED"
