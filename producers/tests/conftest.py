"""What the tests share: settings free of the environment, and two streams made once."""

import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from typing import Any

import pytest

from producers.bank import SyntheticBank
from producers.config import ProducerSettings
from producers.generators.customer_pool import CustomerPool
from producers.generators.identifiers import Identifiers
from producers.generators.payments import PaymentFactory
from producers.patterns import currency_rates

START = datetime(2026, 1, 5, tzinfo=UTC)


@pytest.fixture(scope="session", autouse=True)
def _no_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Hide the developer's settings and `.env` from the tests."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ProducerSettings.model_fields:
            patch.delenv(name.upper(), raising=False)
        patch.chdir(tmp_path_factory.mktemp("elsewhere"))
        yield


@pytest.fixture(scope="session")
def settings() -> Callable[..., ProducerSettings]:
    return ProducerSettings


@pytest.fixture(scope="session")
def small() -> Callable[..., ProducerSettings]:
    """Settings of a small bank with much fraud, unless they say otherwise."""
    return partial(ProducerSettings, fraud_rate=0.10, customer_pool_size=500)


@pytest.fixture(scope="session")
def stream(small: Callable[..., ProducerSettings]) -> Any:
    """Return the first events of a small bank: `stream(count, start=START, **settings)`."""

    def first(count: int, start: datetime = START, **values: Any) -> Any:
        bank = SyntheticBank(small(**values), start)
        return [event for _, event in islice(bank, count)]

    return first


@pytest.fixture(scope="session")
def quiet_events(stream: Any) -> Any:
    """20,000 events of a bank without fraud."""
    return stream(20_000, fraud_rate=0.0)


@pytest.fixture(scope="session")
def events(stream: Any) -> Any:
    """20,000 events of the bank as it comes."""
    return stream(20_000)


@pytest.fixture(scope="session")
def pool() -> CustomerPool:
    return CustomerPool(500, seed=7)


@pytest.fixture
def ids() -> Identifiers:
    return Identifiers(7, START)


@pytest.fixture
def rng() -> random.Random:
    return random.Random(1)


@pytest.fixture
def pay(ids: Identifiers, rng: random.Random) -> PaymentFactory:
    return PaymentFactory(ids, rng, currency_rates())
