"""The bank's topics as a source, read by a member of a consumer group."""

import threading
import time
from typing import Any

from confluent_kafka import (
    OFFSET_BEGINNING,
    OFFSET_STORED,
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    TopicPartition,
)

from detector.adapters.kafka.client import Trouble, consumer_options, logger
from detector.adapters.kafka.lanes import Lane, Lanes
from detector.adapters.kafka.position import Key, Position
from detector.core.errors import InputError
from detector.core.events import RECORD_LIMIT, STREAMS, Record
from detector.pipeline.work import Batch
from producers.config import ProducerSettings

BATCH_LIMIT = 10_000
WAIT_S = 0.05
SETTLE_S = 30.0
GROUP_COMMIT_EVERY_S = 0.5
LOOK_FOR_LEADERS_EVERY_S = 10.0
JOIN_AGAIN_EVERY_S = 600.0
TOPICS = {f"banking.{stream}": stream for stream in STREAMS}


class KafkaSource:
    """Reads the five topics, aligned in time (see `lanes`), each record exactly once per store.

    The position, committed with the work, is the next offset of every partition that this store has
    ever read, and is authoritative. The group's offsets follow it, never ahead of a commit: lag
    tools read them, and a partition that moves to a process with another store resumes there.
    Without `group` the store has its own group and reads everything.

    A missing broker or topic is not an error: `poll` returns nothing until it is back, and a log
    line says so.
    """

    name = "kafka"

    def __init__(
        self,
        settings: ProducerSettings,
        group: str | None = None,
        seconds: float | None = None,
        **options: Any,
    ) -> None:
        self._settings = settings
        self._group = group
        self._seconds = seconds
        self._options = options
        self._until: float | None = None
        self._position = Position()
        self._floor: dict[Key, int] = {}
        self._shut_out = ""
        self._joined_again_at = float("-inf")
        self._moved = False
        self._lanes = Lanes()
        self._assigned_at = 0.0
        self._trouble = Trouble("reading Kafka")
        self._settled = threading.Condition()
        self._handed_over = self._acknowledged = self._told_group = ""
        self._told_group_at = self._looked_for_leaders_at = 0.0

    @property
    def partitions(self) -> set[Key]:
        """The partitions that this process reads."""
        return self._lanes.keys()

    def open(self, position: str | None) -> None:
        """Join the group; the first polls assign partitions, each resumed at its stored offset."""
        self._position = Position(position)
        self._handed_over = self._acknowledged = position or ""
        if self._seconds is not None:
            self._until = time.monotonic() + self._seconds
        self._join()

    def poll(self) -> Batch | None:
        """The next records in order of time; None when the time is over."""
        if self._until is not None and time.monotonic() >= self._until:
            return None
        if self._shut_out:
            self._join_again()
        if self._moved and self._acknowledged == self._handed_over:
            # The position advanced without records, so the store has nothing to commit for it.
            self._handed_over = self._acknowledged = self._position.encode()
            self._moved = False
        self._tell_group()
        self._read(0 if self._lanes.ready else WAIT_S)
        taken = self._lanes.take(BATCH_LIMIT)
        for held in taken:
            self._position.next[held.key] = held.record.offset + 1
        now = time.time()
        oldest = max(min((e.since for e in taken), default=now), self._assigned_at)
        batch = Batch(
            [held.record for held in taken],
            self._position.encode(),
            time.monotonic() - max(0.0, now - oldest),
            by_origin=True,
        )
        if taken:
            self._handed_over = batch.position
        return batch

    def lag(self) -> dict[str, int]:
        """The records of each assigned partition that were not read yet, as last heard."""
        found = {}
        for lane in self._lanes:
            _, end = self._consumer.get_watermark_offsets(TopicPartition(*lane.key), cached=True)
            read_to = (
                lane.read_to if lane.read_to is not None else self._position.next.get(lane.key)
            )
            if end >= 0 and read_to is not None:
                found[lane.origin] = max(0, end - read_to)
        return found

    def acknowledge(self, position: str) -> None:
        """The store has committed up to here; one of the next polls commits it to the group."""
        with self._settled:
            self._acknowledged = position
            self._settled.notify_all()

    def close(self) -> None:
        """Commit the store's position to the group, and leave it."""
        if not hasattr(self, "_consumer"):
            return
        # Nothing more will be committed to the store, so there is nothing to wait for.
        self._handed_over = self._acknowledged
        try:
            self._tell_group(wait=True)
            self._consumer.close()
        except KafkaException as error:
            logger.warning("could not leave the group cleanly: %s", error)

    # Reading

    def _read(self, wait_s: float) -> None:
        """Read what the client has buffered, and wait a little if it has nothing."""
        first = self._consumer.poll(wait_s)
        if first is not None:
            now = time.time()
            for message in (first, *self._consumer.consume(BATCH_LIMIT, 0)):
                self._take_in(message, now)
        for lane in self._lanes:
            if not lane.at_end:
                low, end = self._consumer.get_watermark_offsets(
                    TopicPartition(*lane.key), cached=True
                )
                begin = max(0, low, self._position.next.get(lane.key, 0))
                if lane.read_to is not None:
                    lane.at_end = 0 <= end <= lane.read_to
                elif end == begin:
                    self._arrive_at_end(lane, end)
        self._hold_back()
        self._excuse_the_absent()

    def _take_in(self, message: Message, now: float) -> None:
        topic, number, offset = message.topic(), message.partition(), message.offset()
        error = message.error()
        if error is not None and error.code() != KafkaError._PARTITION_EOF:
            self._explain(error)
            return
        self._trouble.over("reading again")
        assert topic is not None and number is not None and offset is not None
        lane = self._lanes.get((topic, number))
        if lane is None:
            return
        if error is not None:
            self._arrive_at_end(lane, offset)
            return
        if lane.read_to is None:
            self._note_gap(lane, offset)
        raw = message.value() or b""
        kind, milliseconds = message.timestamp()
        self._lanes.put(
            lane,
            Record(TOPICS[topic], raw[: RECORD_LIMIT + 1], lane.origin, offset),
            milliseconds / 1000 if kind else None,
            now,
        )

    def _note_gap(self, lane: Lane, offset: int) -> None:
        """Log when the first record is not at the expected offset."""
        expected = self._position.next.get(lane.key)
        if expected is not None and offset != expected:
            first, _ = self._consumer.get_watermark_offsets(TopicPartition(*lane.key), cached=True)
            if offset < expected:
                logger.warning(
                    "%s restarts at %d where %d was expected: the topic was recreated. Its "
                    "records are read from the first.", lane.origin, offset, expected,
                )  # fmt: skip
            elif first > expected:
                logger.warning(
                    "%s: %d records were deleted by retention before they could be read.",
                    lane.origin, first - expected,
                )  # fmt: skip

    def _arrive_at_end(self, lane: Lane, offset: int) -> None:
        """Record the end of a partition, and that this store reads it from here on.

        Without that, records deleted by retention before the first one read would go unnoticed.
        """
        lane.at_end = True
        if lane.read_to is None:
            self._note_gap(lane, offset)
            lane.read_to = offset
            self._moved = self._moved or self._position.next.get(lane.key) != offset
            self._position.next[lane.key] = offset

    def _hold_back(self) -> None:
        """Pause the partitions of which enough is buffered; resume them afterwards."""
        for lane in self._lanes:
            if lane.paused and self._lanes.roomy(lane):
                self._consumer.resume([TopicPartition(*lane.key)])
                lane.paused = False
            elif not lane.paused and self._lanes.full(lane):
                self._consumer.pause([TopicPartition(*lane.key)])
                lane.paused = True

    def _excuse_the_absent(self) -> None:
        """Continue without partitions that have no leader, as long as the cluster answers."""
        now = time.monotonic()
        waiting = self._lanes.blocking()
        if not waiting:
            self._looked_for_leaders_at = now
        if now - self._looked_for_leaders_at < LOOK_FOR_LEADERS_EVERY_S:
            return
        self._looked_for_leaders_at = now
        try:
            topics = self._consumer.list_topics(timeout=1).topics
        except KafkaException:
            return
        for lane in waiting:
            topic = topics.get(lane.key[0])
            partition = topic.partitions.get(lane.key[1]) if topic else None
            if partition is None or partition.leader < 0:
                self._trouble.arose(f"no broker leads {lane.origin}; continuing without it.")
                lane.at_end = True

    # The group

    def _join(self) -> None:
        store_id = self._position.store_id
        group = self._group or f"fraud-detector-{store_id}"
        options = {
            **consumer_options(self._settings, group, store_id),
            "error_cb": self._explain,
            "on_commit": self._answered,
            **self._options,
        }
        try:
            self._consumer = Consumer(options)
        except KafkaException as error:
            raise InputError(f"The Kafka settings cannot be used: {error.args[0].str()}") from error
        self._consumer.subscribe(
            list(TOPICS), on_assign=self._assign, on_revoke=self._revoke, on_lost=self._lose
        )

    def _join_again(self) -> None:
        """Join once more after an outage, in which brokers can take this member for a second one.

        Raises `InputError` when there was no outage, or when it is fenced again soon.
        """
        reason, self._shut_out = self._shut_out, ""
        now = time.monotonic()
        if now - self._joined_again_at < JOIN_AGAIN_EVERY_S or not self._trouble.is_recent:
            raise InputError(
                f"Kafka has fenced this consumer: {reason}. If another process uses a copy of "
                "this store, stop one of the two."
            )
        self._joined_again_at = now
        logger.warning("Kafka has fenced this consumer after an outage; joining the group again")
        self._consumer.close()
        self._lanes.drop(self.partitions)
        self._join()

    def _assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._assigned_at = time.time()
        committed = self._committed(consumer, partitions)
        own = self._position.store_id
        mine = {key for key, (_, store) in committed.items() if store == own}
        others = {k: offset for k, (offset, store) in committed.items() if store not in ("", own)}
        self._floor.update(others)
        for partition in partitions:
            key = (partition.topic, partition.partition)
            if key in others:
                self._position.next[key] = max(self._position.next.get(key, 0), others[key])
            # This store committed an offset that it no longer has: it was restored from a backup.
            otherwise = OFFSET_BEGINNING if key in mine else OFFSET_STORED
            partition.offset = self._position.next.get(key, otherwise)
            self._lanes.add(key)
        self._moved = self._moved or bool(others)
        self._told_group = ""
        consumer.assign(partitions)

    def _committed(
        self, consumer: Consumer, partitions: list[TopicPartition]
    ) -> dict[Key, tuple[int, str]]:
        """The offsets committed for these partitions, each with the store that committed it."""
        try:
            committed = consumer.committed(partitions, timeout=10)
        except KafkaException as error:
            logger.warning("the group's offsets cannot be read (%s); the store's are used", error)
            return {}
        return {
            (p.topic, p.partition): (p.offset, p.metadata or "") for p in committed if p.offset >= 0
        }

    def _revoke(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """Give partitions up once everything returned from them is in the store."""
        self._lanes.drop((p.topic, p.partition) for p in partitions)
        with self._settled:
            settled = self._settled.wait_for(
                lambda: self._acknowledged == self._handed_over, timeout=SETTLE_S
            )
        if not settled:
            logger.warning("the store is slow; what it still has to commit may be read twice")
        self._tell_group(wait=True, keys={(p.topic, p.partition) for p in partitions})

    def _lose(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """The group reassigned the partitions without this member; nothing is committed to it."""
        self._lanes.drop((p.topic, p.partition) for p in partitions)

    def _tell_group(self, wait: bool = False, keys: set[Key] | None = None) -> None:
        """Commit the store's position to the group; a failure is harmless, the store has it."""
        now, position = time.monotonic(), self._acknowledged
        due = position != self._told_group and now - self._told_group_at >= GROUP_COMMIT_EVERY_S
        if not position or not (wait or due):
            return
        offsets = Position(position).for_group(self._lanes.keys() if keys is None else keys)
        # Other members may have read further while they had the partition.
        offsets = [p for p in offsets if p.offset >= self._floor.get((p.topic, p.partition), 0)]
        if not offsets:
            return
        self._told_group, self._told_group_at = position, now
        try:
            if wait:
                self._consumer.commit(offsets=offsets, asynchronous=False)
            else:
                self._consumer.commit(offsets=offsets, asynchronous=True)
        except KafkaException as error:
            logger.debug("the group's offsets were not committed: %s", error)

    def _answered(self, error: KafkaError | None, partitions: list[TopicPartition]) -> None:
        """Retry a rejected commit, also when no new records arrive."""
        if error is not None or any(p.error is not None for p in partitions):
            self._told_group = ""

    def _explain(self, error: KafkaError) -> None:
        if error.fatal() or error.code() in (KafkaError._FATAL, KafkaError.FENCED_INSTANCE_ID):
            self._shut_out = error.str()
            return
        self._trouble.explain(error, self._settings.kafka_bootstrap_servers)
