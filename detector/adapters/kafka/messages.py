"""Kafka messages for signals and dead letters."""

from typing import NamedTuple

import msgspec

from detector.pipeline.work import DeadLetter
from detector.signals.signal import Signal
from producers.models import DLQ_TOPIC

SIGNALS_TOPIC = "fraud.signals"
LETTER_LIMIT = 900_000


class Outgoing(NamedTuple):
    """A message to send."""

    topic: str
    key: bytes
    value: bytes
    headers: list[tuple[str, bytes]]


def signal_message(signal: Signal, change: str) -> Outgoing:
    """A signal keyed by its id; `change` is new, updated, withdrawn or repeated."""
    value = {"change": change, **msgspec.structs.asdict(signal)}
    return Outgoing(
        SIGNALS_TOPIC,
        signal.signal_id.encode(),
        msgspec.json.encode(value),
        [("change", change.encode()), ("pattern", signal.pattern.encode())],
    )


def letter_message(letter: DeadLetter) -> Outgoing:
    """The bytes of a rejected record, with reason and origin as headers."""
    headers = [
        ("reason", letter.reason.encode()),
        ("stream", letter.stream.encode()),
        ("origin", letter.origin.encode()),
        ("offset", str(letter.offset).encode()),
    ]
    if len(letter.raw) > LETTER_LIMIT:
        headers.append(("cut-after-bytes", str(LETTER_LIMIT).encode()))
    key = f"{letter.origin}:{letter.offset}".encode()
    return Outgoing(DLQ_TOPIC, key, letter.raw[:LETTER_LIMIT], headers)
