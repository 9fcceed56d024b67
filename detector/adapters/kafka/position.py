"""The read position of a store in the topics."""

import json
import uuid
from collections.abc import Iterable

from confluent_kafka import TopicPartition

Key = tuple[str, int]


class Position:
    """The next offset of every partition that a store has ever read, and the store's id.

    The id is generated with the first position and never changes, so that offsets which this store
    committed to the consumer group can be told apart from those of other stores.
    """

    def __init__(self, text: str | None = None) -> None:
        known = json.loads(text) if text else {}
        self.store_id: str = known.get("store_id") or uuid.uuid4().hex[:16]
        self.next: dict[Key, int] = {
            (topic, int(number)): offset
            for topic, offsets in known.get("offsets", {}).items()
            for number, offset in offsets.items()
        }

    def encode(self) -> str:
        """The position as JSON, for the store."""
        offsets: dict[str, dict[int, int]] = {}
        for (topic, number), offset in sorted(self.next.items()):
            offsets.setdefault(topic, {})[number] = offset
        return json.dumps({"store_id": self.store_id, "offsets": offsets})

    def for_group(self, keys: Iterable[Key]) -> list[TopicPartition]:
        """The offsets to commit for these partitions, with the store's id as their metadata."""
        return [
            TopicPartition(*key, self.next[key], metadata=self.store_id)
            for key in keys
            if key in self.next
        ]
