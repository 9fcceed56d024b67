"""What every test on Kafka leaves behind: nothing that runs."""

from collections.abc import Iterator

import pytest

from tests.adapters.kafka.support import STARTED


@pytest.fixture(autouse=True)
def _nothing_runs_on() -> Iterator[None]:
    """End the processes of a test that failed halfway."""
    yield
    while STARTED:
        process = STARTED.pop()
        if process.poll() is None:
            process.kill()
            process.wait()
