"""How the tests run: repeatable examples, one broker, and groups that two processes can share."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.kafka.broker import Broker, BrokerUnavailable

_SLOW_IS_FINE = [HealthCheck.too_slow, HealthCheck.data_too_large]
settings.register_profile(
    "steady",
    deadline=None,
    derandomize=True,
    max_examples=150,
    database=None,
    suppress_health_check=_SLOW_IS_FINE,
)
# HYPOTHESIS_PROFILE=search looks for new counterexamples, several minutes long.
settings.register_profile(
    "search", deadline=None, max_examples=3000, suppress_health_check=_SLOW_IS_FINE
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))

FIRST = ("broker", "dbt", "console", "cli")
"""What takes longest begins first, so that no process waits for another at the end."""


@pytest.hookimpl(tryfirst=True)  # xdist's own hook reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give every test a group; a group stays in one process and shares what is costly to make."""
    for item in items:
        item.add_marker(pytest.mark.xdist_group(_group(item)))
    order = {name: number for number, name in enumerate(FIRST)}
    items.sort(key=lambda item: order.get(_group(item), len(FIRST)))


def _group(item: pytest.Item) -> str:
    """The folder that a test is in; tests on a broker belong together wherever they are."""
    folder = item.path.parent
    if folder.name == "tests":
        return folder.parent.name
    on_a_broker = "broker" in getattr(item, "fixturenames", ())
    return "broker" if on_a_broker or folder.name == "kafka" else folder.name


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
