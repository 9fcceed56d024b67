"""What tests on a real broker share: the broker, fresh topics and settings that point to it."""

import os
from collections.abc import Iterator

import pytest

from tests.kafka.broker import Broker, BrokerUnavailable


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A running broker; where there can be none the test is skipped, or fails if
    REQUIRE_KAFKA=1 says that it must run."""
    try:
        node = Broker(tmp_path_factory.mktemp("kafka"))
    except BrokerUnavailable as missing:
        if os.environ.get("REQUIRE_KAFKA") == "1":
            pytest.fail(f"REQUIRE_KAFKA=1, but {missing}")
        pytest.skip(str(missing))
    node.start()
    yield node
    node.stop()
