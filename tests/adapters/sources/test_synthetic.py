"""The synthetic bank as a source: its history first, then events as they fall due."""

from datetime import UTC, datetime, timedelta

from detector.adapters.sources.synthetic import BATCH_LIMIT, SyntheticSource
from detector.core.events import decode
from detector.pipeline.work import Batch
from producers.config import ProducerSettings

SETTINGS = ProducerSettings(_env_file=None, customer_pool_size=400, transaction_rate=20)


def until_caught_up(source: SyntheticSource) -> list[Batch]:
    """The batches until one is not full."""
    batches = []
    while batch := source.poll():
        batches.append(batch)
        if len(batch.records) < BATCH_LIMIT:
            return batches
    return batches


def test_a_new_store_starts_with_the_bank_s_history() -> None:
    """A quarter of an hour in order, in batches, none of which waited."""
    source = SyntheticSource(SETTINGS, history=timedelta(minutes=15))
    began = datetime.now(UTC)
    source.open(None)
    batches = until_caught_up(source)
    times = [decode(record).occurred_at for batch in batches for record in batch.records]
    assert times == sorted(times)
    assert timedelta(minutes=15) <= began - times[0] + timedelta(seconds=1)
    assert times[-1] <= datetime.now(UTC) and len(batches) > 10


def test_a_store_that_has_events_goes_on_from_now() -> None:
    """Its past is its own."""
    source = SyntheticSource(SETTINGS, history=timedelta(minutes=15))
    began = datetime.now(UTC)
    source.open("123")
    [batch] = until_caught_up(source)
    assert all(decode(record).occurred_at >= began for record in batch.records)
