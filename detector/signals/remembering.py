"""The base of operators that know something of a key for ever."""

import json
from abc import abstractmethod
from collections.abc import Hashable, Iterator
from datetime import datetime, timedelta
from typing import Any, ClassVar

from detector.signals.conditions import Sql
from detector.signals.lists import given
from detector.signals.operator import Operator
from detector.signals.pattern import Pattern
from detector.signals.predicate import Predicate

_SHAPING = ("operator", "source", "key", "where", "value", "measure", "registered_in", "history")


class Remembering(Operator):
    """An operator whose state of a key never expires: a `state.knowledge.Member`.

    `state.knowledge.Knowledge` loads the state before events of the key come, settles it and drops
    it again; so `forget` has nothing to do.
    """

    schema: ClassVar[Any]
    version: ClassVar[int] = 1
    """Raise it when the part in the store changes its form or its meaning."""

    def __init__(self, pattern: Pattern, lateness: timedelta) -> None:
        super().__init__(pattern, lateness)
        self.part = pattern.id
        self.changed: set[Hashable] = set()

    def take_over(self, before: Operator) -> None:
        """Also what is to be saved."""
        super().take_over(before)
        if isinstance(before, Remembering):
            self.changed = before.changed

    @classmethod
    def fingerprint(cls, pattern: Pattern) -> str:
        """What the state depends on: with another one it is built again from the history."""
        block = pattern.model_dump(mode="json", include=set(_SHAPING), by_alias=True)
        lists = [given(test.lists) for test in pattern.where if isinstance(test, Predicate)]
        known = [cls.version, block, *(found for found in lists if found)]
        return json.dumps(known, sort_keys=True)

    @classmethod
    @abstractmethod
    def recent(cls, pattern: Pattern, edge: datetime) -> dict[str, Sql]:
        """The events from `edge` on that a restart reads where the store knows what was before."""

    @abstractmethod
    def saved(self, key: Hashable) -> Any:
        """What the store keeps of a key; None for nothing."""

    @abstractmethod
    def load(self, key: Hashable, known: Any) -> None:
        """Take up what the store keeps of a key."""

    @abstractmethod
    def settle(self, key: Hashable, moment: datetime) -> bool:
        """Fold what no event from `moment` on can change; whether nothing else is left."""

    def held(self, key: Hashable) -> Any:
        """The state of a key."""
        return self._state.get(key)

    def drop(self, key: Hashable) -> None:
        """Forget a key that is settled and saved."""
        self._state.pop(key, None)

    def forget(self, moment: datetime) -> Iterator[None]:
        """Nothing expires."""
        return iter(())
