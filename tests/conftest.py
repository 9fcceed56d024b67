"""How the tests run: repeatable examples, one broker, and groups that two processes can share."""

import os
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadScopeScheduling

from tests.adapters.kafka.broker import Broker, BrokerUnavailable

_SLOW_IS_FINE = [HealthCheck.too_slow, HealthCheck.data_too_large]
settings.register_profile(
    "steady",
    deadline=None,
    derandomize=True,
    max_examples=60,
    database=None,
    suppress_health_check=_SLOW_IS_FINE,
)
# HYPOTHESIS_PROFILE=search looks for new counterexamples; CI does so every night.
settings.register_profile(
    "search", deadline=None, max_examples=3000, suppress_health_check=_SLOW_IS_FINE
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))

FIRST = ("adapters/kafka", "console/browser", "dbt", "cli", "journeys", "console")
"""What takes longest begins first, so that no process waits for another at the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the groups that take longest first."""
    order = {name: number for number, name in enumerate(FIRST)}
    items.sort(key=lambda item: order.get(_group(item.nodeid), len(FIRST)))


class ByGroup(LoadScopeScheduling):  # type: ignore[misc]
    """Keeps in one process what shares a broker, a browser or a dbt project."""

    def _split_scope(self, nodeid: str) -> str:
        return _group(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByGroup:
    """How `-n` hands the tests out."""
    return ByGroup(config, log)


def _group(nodeid: str) -> str:
    top, *below = nodeid.split("::")[0].split("/")
    if top != "tests":
        return top
    folder, file = below[0], below[-1]
    if file == "test_browser.py":
        return f"{folder}/browser"
    return f"{folder}/kafka" if "kafka" in below else folder


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A running broker. Where there can be none the test is skipped, but fails in CI or if
    REQUIRE_KAFKA=1 says that it must run."""
    try:
        node = Broker(tmp_path_factory.mktemp("kafka"))
    except BrokerUnavailable as missing:
        if os.environ.get("REQUIRE_KAFKA") == "1" or os.environ.get("CI", "").lower() == "true":
            pytest.fail(f"a broker is required here, but {missing}")
        pytest.skip(str(missing))
    node.start()
    yield node
    node.stop()
