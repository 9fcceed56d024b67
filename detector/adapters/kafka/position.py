"""How far a store has read the topics."""

import json
import uuid
from collections.abc import Iterable

from confluent_kafka import TopicPartition

Key = tuple[str, int]


class Position:
    """The next offset of every partition that a store has ever read, and who the reader is.

    The reader is the store: it gets its name with the first position and keeps it for ever, so
    that what it told the consumer group can be told apart from what others told.
    """

    def __init__(self, text: str | None = None) -> None:
        known = json.loads(text) if text else {}
        self.reader: str = known.get("reader") or uuid.uuid4().hex[:16]
        self.next: dict[Key, int] = {
            (topic, int(number)): offset
            for topic, offsets in known.get("offsets", {}).items()
            for number, offset in offsets.items()
        }

    def encode(self) -> str:
        """The position as the store keeps it."""
        offsets: dict[str, dict[int, int]] = {}
        for (topic, number), offset in sorted(self.next.items()):
            offsets.setdefault(topic, {})[number] = offset
        return json.dumps({"reader": self.reader, "offsets": offsets})

    def for_group(self, keys: Iterable[Key]) -> list[TopicPartition]:
        """What the consumer group is told of these partitions, signed by the reader."""
        return [
            TopicPartition(*key, self.next[key], metadata=self.reader)
            for key in keys
            if key in self.next
        ]
