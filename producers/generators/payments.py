"""The kinds of payment; honest customers and thieves use the same."""

import random
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from producers.generators.customer_pool import Account, Card, CustomerProfile
from producers.generators.geography import Place
from producers.generators.identifiers import Identifiers
from producers.generators.merchants import CASH_CODE, CURRENCIES, Merchant
from producers.models import Channel, Transaction, TransactionStatus, TransactionType


class Label(NamedTuple):
    """The labels of an event: which fraud it belongs to, if any."""

    is_fraud: bool = False
    scenario: str | None = None
    instance: str | None = None


NORMAL = Label()


class Payer(NamedTuple):
    """The payer, with account and card."""

    customer: CustomerProfile
    account: Account
    card: Card


class Device(NamedTuple):
    """The origin of a payment without the card."""

    device_id: str
    ip_address: str


class PaymentFactory:
    """Builds transactions with ids of this run.

    Amounts are given in whole cents of the base currency; a merchant abroad charges as much in its
    own, by `rates`.
    """

    def __init__(self, ids: Identifiers, rng: random.Random, rates: dict[str, float]) -> None:
        self.ids = ids
        self.rng = rng
        self._rates = rates

    def in_person(
        self,
        payer: Payer,
        at: datetime,
        cents: int,
        merchant: Merchant,
        place: Place,
        status: TransactionStatus = "APPROVED",
        label: Label = NORMAL,
    ) -> Transaction:
        """The card is presented at a shop's terminal."""
        return self._build(
            payer, at, cents, "PURCHASE", "POS", status, label, merchant, place=place
        )

    def online(
        self,
        payer: Payer,
        at: datetime,
        cents: int,
        merchant: Merchant,
        device: Device,
        status: TransactionStatus = "APPROVED",
        label: Label = NORMAL,
    ) -> Transaction:
        """The card's details are entered in a web shop; the card is not present."""
        return self._build(
            payer, at, cents, "PURCHASE", "ECOMMERCE", status, label, merchant, device=device
        )

    def from_app(
        self,
        payer: Payer,
        at: datetime,
        cents: int,
        device: Device,
        kind: TransactionType = "TRANSFER",
        status: TransactionStatus = "APPROVED",
        label: Label = NORMAL,
        payee: str | None = None,
    ) -> Transaction:
        """A transfer or bill payment from the account; by default to a new payee."""
        payee = payee or self.ids.next("pay")
        return self._build(
            payer, at, cents, kind, "MOBILE", status, label, device=device, payee=payee
        )

    def cash(
        self,
        payer: Payer,
        at: datetime,
        cents: int,
        place: Place,
        channel: Channel,
        kind: TransactionType,
        site: int,
        label: Label = NORMAL,
    ) -> Transaction:
        """Cash deposited or withdrawn at the city's branch or machine number `site`."""
        name = f"{channel.lower()}_{place.city.lower().replace(' ', '_')}_{site}"
        counter = Merchant(name, CASH_CODE, place.country, CURRENCIES[place.country])
        return self._build(payer, at, cents, kind, channel, "APPROVED", label, counter, place=place)

    def _build(
        self,
        payer: Payer,
        at: datetime,
        cents: int,
        kind: TransactionType,
        channel: Channel,
        status: TransactionStatus,
        label: Label,
        merchant: Merchant | None = None,
        place: Place | None = None,
        device: Device | None = None,
        payee: str | None = None,
    ) -> Transaction:
        currency = merchant.currency if merchant else "AUD"
        cents = max(1, round(cents / self._rates[currency]))
        card = payer.card if merchant else None
        return Transaction(
            event_id=self.ids.next("evt"),
            transaction_id=self.ids.next("txn"),
            account_id=payer.account.account_id,
            customer_id=payer.customer.customer_id,
            card_token=card.token if card else None,
            card_bin=card.bin if card else None,
            card_last4=card.last4 if card else None,
            transaction_type=kind,
            channel=channel,
            card_present=place is not None,
            amount=Decimal(cents).scaleb(-2),
            currency=currency,
            merchant_id=merchant.merchant_id if merchant else None,
            merchant_category=merchant.code if merchant else None,
            merchant_country=merchant.country if merchant else None,
            city=place.city if place else None,
            latitude=place.latitude if place else None,
            longitude=place.longitude if place else None,
            device_id=device.device_id if device else None,
            ip_address=device.ip_address if device else None,
            payee_id=payee,
            status=status,
            occurred_at=at,
            is_fraud=label.is_fraud,
            fraud_scenario=label.scenario,
            scenario_instance=label.instance,
        )
