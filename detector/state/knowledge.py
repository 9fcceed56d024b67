"""What is known of keys for ever: a cache of the store, under a budget of memory."""

from collections.abc import Hashable, Iterable, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, Protocol

import msgspec

from detector.state.size import size_of

DEFAULT_BUDGET = 1 << 30
"""Bytes of memory for what is known of keys."""
LARGEST_KEY = 1 << 16
"""Bytes that a key takes at most, on average: fewer keys need no measuring."""
SAMPLE = 100
"""Keys measured to learn how many fit into the budget."""

KnownRow = tuple[str, str, bytes | None]
"""A part, a key as text, and what is known; None to delete it."""

_encode = msgspec.msgpack.Encoder().encode


class KnowledgeStore(Protocol):
    """Keeps what is known of keys."""

    def read(self, parts: Sequence[str], keys: Sequence[str]) -> Iterable[tuple[str, str, bytes]]:
        """What is known of these keys, staged changes included."""

    def stage(self, rows: Sequence[KnownRow]) -> None:
        """Show changes to readers until the commit that contains them is written."""


class Member(Protocol):
    """One part of what is known of each key, such as the first sightings of one pattern.

    The part in the store contains everything before the last `settle` and may contain more; a
    restart feeds the events since then again, and those that were counted must not count twice.
    """

    part: str
    """Its name in the store."""
    schema: Any
    """The type that `saved` returns and `load` receives."""
    changed: set[Any]
    """The keys whose part in the store is outdated."""

    def saved(self, key: Any) -> Any:
        """What the store keeps of a key; None for nothing."""

    def load(self, key: Any, known: Any) -> None:
        """Take up what the store keeps of a key."""

    def settle(self, key: Any, moment: datetime) -> bool:
        """Fold what no event from `moment` on can change; whether nothing else is left."""

    def drop(self, key: Any) -> None:
        """Forget a key that is settled and saved."""

    def held(self, key: Any) -> Any:
        """What memory holds of a key, to measure its size."""


class Knowledge:
    """What is known of the keys of one kind, in parts that are loaded and dropped together.

    `prepare` loads what the store knows of the keys of coming events in one query. Keys that were
    not used of late are dropped when the budget is exceeded; keys with events that a late one may
    still change stay. Two generations approximate the order of last use: keys move to the recent
    one when used, and the older one is drained, a few keys at a time.
    """

    def __init__(self, members: Sequence[Member], budget: int = DEFAULT_BUDGET) -> None:
        self._members = {member.part: member for member in members}
        self._budget = budget
        self._store: KnowledgeStore | None = None
        self._decoders = {
            member.part: msgspec.msgpack.Decoder(member.schema).decode for member in members
        }
        # Sets, as their differences with the keys of a batch take no longer when they are large.
        self._recent: set[Hashable] = set()
        self._older: set[Hashable] = set()
        self._leaving: list[Hashable] = []
        self._unsettled: set[Hashable] = set()
        self._round: list[Hashable] = []
        self._edge: datetime | None = None
        self._measure_at = max(1, budget // LARGEST_KEY)
        self._capacity = budget

    @property
    def parts(self) -> list[str]:
        """The names of its members."""
        return list(self._members)

    def __len__(self) -> int:
        return len(self._recent) + len(self._older)

    def open(self, store: KnowledgeStore) -> None:
        """Load from a store, and let go of keys over the budget, from now on."""
        self._store = store

    def replace(self, member: Member) -> None:
        """Go on with another member of the same part, which has taken over its state."""
        self._members[member.part] = member

    def prepare(self, keys: set[Any]) -> None:
        """Have everything known of these keys in memory, because events of them are coming."""
        self._unsettled |= keys
        cold = keys - self._recent
        if not cold:
            return
        missing = cold - self._older
        self._older -= cold
        self._recent |= cold
        if missing and self._store is not None:
            named = {text_of(key): key for key in missing}
            for part, name, body in self._store.read(self.parts, list(named)):
                self._members[part].load(named[name], self._decoders[part](body))

    def begin_round(self, moment: datetime) -> None:
        """Start to settle every key that was used, up to a moment; only when `settled`."""
        self._edge = moment
        self._round = list(self._unsettled)

    @property
    def settled(self) -> bool:
        """Whether the last round is complete."""
        return not self._round

    def advance(self, count: int) -> list[KnownRow]:
        """Settle and drop up to so many keys; return the changes for the store, if there is one."""
        for _ in range(min(count, len(self._round))):
            key = self._round.pop()
            done = True
            for member in self._members.values():
                done = member.settle(key, self._edge) and done  # type: ignore[arg-type]
            if done:
                self._unsettled.discard(key)
        if self._store is None:
            for member in self._members.values():
                member.changed.clear()
            return []
        rows = self._changes()
        self._store.stage(rows)
        self._evict(count)
        return rows

    def _changes(self) -> list[KnownRow]:
        rows: list[KnownRow] = []
        for part, member in self._members.items():
            for key in member.changed:
                known = member.saved(key)
                rows.append((part, text_of(key), None if known is None else _encode(known)))
            member.changed.clear()
        return rows

    def _evict(self, count: int) -> None:
        if len(self) >= self._measure_at:
            self._measure()
        for _ in range(min(count, len(self))):
            if len(self) <= self._capacity:
                break
            if not self._leaving:
                if not self._older:
                    self._older, self._recent = self._recent, set()
                self._leaving = list(self._older)
            key = self._leaving.pop()
            if key not in self._older:
                continue  # used again
            self._older.discard(key)
            if key in self._unsettled:
                self._recent.add(key)
            else:
                for member in self._members.values():
                    member.drop(key)

    def _measure(self) -> None:
        sample = list(islice(self._recent or self._older, SAMPLE))
        size = sum(
            size_of(key) + sum(size_of(member.held(key)) for member in self._members.values())
            for key in sample
        )
        self._capacity = max(1, self._budget * len(sample) // size)
        self._measure_at = 2 * len(self)


def text_of(key: Hashable) -> str:
    """A key as text."""
    return key if isinstance(key, str) else msgspec.json.encode(key).decode()
