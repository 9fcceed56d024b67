"""Frauds that stay below the thresholds, and honest customers who cross them."""

from collections import Counter
from decimal import Decimal
from itertools import islice, pairwise
from typing import Any

import pytest

from producers.bank import SyntheticBank
from producers.config import ProducerSettings
from producers.generators.adversarial import ADVERSARIAL
from producers.generators.customer_pool import CustomerPool
from producers.generators.payments import Label, Payer, PaymentFactory
from producers.generators.scenarios import Attack
from producers.models import Login, Transaction
from producers.patterns import currency_rates
from producers.tests.conftest import START

RATES = currency_rates()


@pytest.fixture
def strike(pool: CustomerPool, pay: PaymentFactory) -> Any:
    def plan(kind: str, number: int) -> list[Transaction]:
        customer = pool.customers[number]
        account = customer.accounts[0]
        victim = Payer(customer, account, account.cards[0])
        label = Label(True, kind, f"case-{number}")
        attack = Attack(label, victim, START, True, Decimal(10_000))
        return list(ADVERSARIAL[kind][0](pay, attack))

    return plan


def base(event: Transaction) -> float:
    return float(event.amount) * RATES[event.currency]


@pytest.mark.parametrize("kind", ADVERSARIAL)
def test_an_instance_is_labelled_and_in_order(strike: Any, kind: str) -> None:
    """Every event carries the kind; times never fall."""
    for number in range(30):
        events = strike(kind, number)
        assert {e.fraud_scenario for e in events} == {kind}
        times = [e.occurred_at for e in events]
        assert times == sorted(times)


def test_they_stay_below_the_thresholds(strike: Any) -> None:
    """Takeovers below 500, cash below 95 % of the threshold, probes more than a minute apart."""
    for number in range(40):
        assert all(base(e) < 500 for e in strike("small_takeover", number))
        assert all(6_000 <= e.amount <= 9_500 for e in strike("cash_splitting", number))
        probes = [e.occurred_at for e in strike("card_testing", number)]
        gaps = [(b - a).total_seconds() for a, b in pairwise(probes)]
        assert min(gaps) >= 90


def test_scams_and_remote_access_use_the_customers_own_device(strike: Any) -> None:
    """To one payee that the customer has never paid."""
    for number in range(30):
        for kind in ("scam", "remote_access"):
            events = strike(kind, number)
            assert len({e.payee_id for e in events}) == 1
            assert not any("biller" in e.payee_id or "_to_" in e.payee_id for e in events)


def test_the_bank_has_every_kind_and_honest_crossers() -> None:
    """Also honest customers with three failed logins within a minute."""
    settings = ProducerSettings(
        seed=3, profile="adversarial", transaction_rate=1, login_rate=0.5, fraud_rate=0.05,
        customer_pool_size=400, _env_file=None,
    )  # fmt: skip
    kinds: Counter[str | None] = Counter()
    failures: Counter[str] = Counter()
    for _, event in islice(SyntheticBank(settings, START), 60_000):
        if isinstance(event, Transaction | Login) and event.is_fraud:
            kinds[event.fraud_scenario] += 1
        elif isinstance(event, Login) and event.outcome == "FAILURE":
            failures[f"{event.customer_id} {event.occurred_at:%d %H:%M}"] += 1
    assert set(ADVERSARIAL) <= set(kinds)
    assert max(failures.values()) >= 3
