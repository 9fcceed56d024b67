"""Writes the synthetic bank's events, and their labels, to files."""

import itertools
import json
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from detector.core.errors import InputError
from detector.core.events import STREAMS
from producers.bank import SyntheticBank, truth
from producers.config import ProducerSettings

DEFAULT_START = datetime(2026, 1, 5, tzinfo=UTC)
TRUTH_FILE = "truth.jsonl"
_PROGRESS_EVERY = 10_000
_OTHER_RATES = {"login_rate", "card_event_rate", "noise_alert_rate", "kyc_rate"}


def write_bank(
    out: Path,
    settings: ProducerSettings,
    events: int,
    start: datetime = DEFAULT_START,
    advance: Callable[[int], None] = lambda _: None,
) -> dict[str, int]:
    """Write the first `events` events of the bank and return the number of each stream.

    `advance` is called with the number of events written since the last call. Raises `InputError`
    when the folder already contains event files, so that none is overwritten.
    """
    out.mkdir(parents=True, exist_ok=True)
    if taken := [p.name for p in out.iterdir() if p.name.endswith(".jsonl")]:
        raise InputError(f"{out} already holds {', '.join(sorted(taken))}. Name an empty folder.")
    counts: Counter[str] = Counter()
    with ExitStack() as stack:
        files = {name: stack.enter_context((out / f"{name}.jsonl").open("wb")) for name in STREAMS}
        labels = stack.enter_context((out / TRUTH_FILE).open("w", encoding="utf-8"))
        for topic, event in itertools.islice(SyntheticBank(settings, start), events):
            stream = topic.removeprefix("banking.")
            files[stream].write(event.to_json() + b"\n")
            counts[stream] += 1
            if row := truth(topic, event):
                labels.write(json.dumps(row) + "\n")
            if counts.total() % _PROGRESS_EVERY == 0:
                advance(_PROGRESS_EVERY)
    return dict(counts)


def bank_settings(**given: object) -> ProducerSettings:
    """The bank's settings: given ones, then the environment; the customer pool fits the rate.

    Except in the demo, logins and other events are as frequent as the transactions ask for, unless
    they are set.
    """
    chosen = {name: value for name, value in given.items() if value is not None}
    settings = ProducerSettings(**chosen)
    if settings.follows_the_clock:
        share = (
            settings.transaction_rate / ProducerSettings.model_fields["transaction_rate"].default
        )
        for name in _OTHER_RATES - settings.model_fields_set:
            chosen[name] = share * getattr(settings, name)
        settings = ProducerSettings(**chosen)
    pool = max(settings.customer_pool_size, settings.pool_size_needed)
    return ProducerSettings(**{**chosen, "customer_pool_size": pool})
