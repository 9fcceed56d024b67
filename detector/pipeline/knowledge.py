"""What is known of customers and other keys: which parts there are, and building them again."""

import json
from collections.abc import Callable, Hashable, Iterable, Iterator
from datetime import datetime
from itertools import groupby
from typing import Any

from detector.cases.book import CaseBook
from detector.core.events import STREAMS, Event, customer_of
from detector.pipeline.ports import History, Memory
from detector.risk.attribution import Attribution
from detector.signals.engine import SignalEngine
from detector.signals.operators import OPERATORS
from detector.signals.remembering import Remembering
from detector.signals.rules import Rules
from detector.signals.select import key_of
from detector.state.knowledge import DEFAULT_BUDGET, Knowledge, KnownRow, Member

CHUNK = 10_000
SETTLED_AT_LEAST = 200
"""Keys settled with each batch, so that a round neither stalls one nor takes for ever."""


def fingerprints(rules: Rules) -> dict[str, str]:
    """Every part with what it depends on: built by other rules, it is not used."""
    found = {Attribution.part: Attribution.fingerprint, CaseBook.part: _of_cases(rules)}
    for pattern in rules.running.values():
        operator = OPERATORS[pattern.operator]
        if issubclass(operator, Remembering):
            found[pattern.id] = operator.fingerprint(pattern)
    return found


def _of_cases(rules: Rules) -> str:
    weights = {pattern.id: pattern.weight for pattern in rules.patterns.values()}
    return json.dumps([rules.cases.model_dump(), rules.risk.levels, weights], sort_keys=True)


class _Kind:
    """The keys of one kind, and the types of event that have one."""

    def __init__(self, key: Callable[[Any], Any], members: list[Member], budget: int) -> None:
        self.known = Knowledge(members, budget)
        self.key = key
        self.types = {
            STREAMS[stream]
            for member in members
            for stream in (member.handlers if isinstance(member, Remembering) else STREAMS)
        }


class KnownKeys:
    """Everything known of keys, prepared for each batch and settled as time moves on."""

    def __init__(
        self,
        engine: SignalEngine,
        attribution: Attribution,
        cases: CaseBook,
        budget: int = DEFAULT_BUDGET,
    ) -> None:
        self._attribution, self._cases = attribution, cases
        self._operators = {operator.part: operator for operator in engine.remembering()}
        by_key: dict[tuple[str, ...], list[Any]] = {("customer_id",): [attribution, cases]}
        for operator in self._operators.values():
            by_key.setdefault(tuple(operator.pattern.key), []).append(operator)
        budget //= len(by_key)
        self._customers = _Kind(customer_of, by_key.pop(("customer_id",)), budget)
        self._others = [
            _Kind(key_of(members[0].pattern), members, budget) for members in by_key.values()
        ]
        self._kinds = [self._customers, *self._others]
        self._settling: datetime | None = None

    def __len__(self) -> int:
        return sum(len(kind.known) for kind in self._kinds)

    def prepare(self, events: Iterable[Event]) -> None:
        """Have in memory what is known of the keys of these events."""
        self._customers.known.prepare({customer_of(event) for event in events})
        for kind in self._others:
            keys = {kind.key(event) for event in events if type(event) in kind.types}
            kind.known.prepare(keys - {None})

    def prepare_customer(self, customer_id: str) -> None:
        """Have in memory what is known of a customer."""
        self._customers.known.prepare({customer_id})

    def replace(self, operator: Any) -> None:
        """Go on with another version of an operator."""
        self._operators[operator.part] = operator
        for kind in self._kinds:
            if operator.part in kind.known.parts:
                kind.known.replace(operator)

    def settle(self, edge: datetime) -> None:
        """Begin to settle what no event from `edge` on can change."""
        if self._settling is None:
            self._settling = edge
            for kind in self._kinds:
                kind.known.begin_round(edge)

    def advance(self, batch: int) -> tuple[list[KnownRow], datetime | None]:
        """The changes since the last call, and the time until which all is settled, if new."""
        count = max(SETTLED_AT_LEAST, batch)
        rows = [row for kind in self._kinds for row in kind.known.advance(count)]
        if self._settling is None or not all(kind.known.settled for kind in self._kinds):
            return rows, None
        settled, self._settling = self._settling, None
        return rows, settled

    def resume(self, memory: Memory) -> None:
        """Use a store from now on; builds the parts that it does not have."""
        self._cases.resume(memory.closings)
        for kind in self._kinds:
            kind.known.open(memory.knowledge)
        history = memory.history
        for part in sorted(history.outdated & self._operators.keys()):
            self._build(self._operators[part], history, memory.settled_until)
        if Attribution.part in history.outdated:
            for chunk in chunks(history.holdings()):
                self._customers.known.prepare({customer for customer, _, _ in chunk})
                for link in chunk:
                    self._attribution.link(*link)
                self._write(self._customers, history, memory.settled_until)
        if CaseBook.part in history.outdated:
            for customers in chunks(history.customers()):
                self._customers.known.prepare({customer.customer_id for customer in customers})
                for customer in customers:
                    self._cases.repeat_all(customer)
                self._write(self._customers, history, memory.settled_until)
        if history.outdated:
            history.built()

    def _build(self, operator: Remembering, history: History, edge: datetime) -> None:
        [kind] = [k for k in self._kinds if operator.part in k.known.parts]
        for stream, (key, handler) in sorted(operator.handlers.items()):
            events = history.events(operator.part, stream, operator.pattern.key)
            for chunk in _chunks_of_keys(events, key):
                kind.known.prepare({found for found, _ in chunk})
                for found, event in chunk:
                    handler(found, event)
                self._write(kind, history, edge)

    @staticmethod
    def _write(kind: _Kind, history: History, edge: datetime) -> None:
        kind.known.begin_round(edge)
        history.write(kind.known.advance(CHUNK * CHUNK))


def chunks(rows: Iterable[Any]) -> Iterator[list[Any]]:
    """The rows, so many at a time."""
    chunk: list[Any] = []
    for row in rows:
        chunk.append(row)
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    yield chunk


def _chunks_of_keys(
    events: Iterable[Event], key_of_event: Callable[[Any], Any]
) -> Iterator[list[tuple[Hashable, Event]]]:
    """Chunks that contain all events of each of their keys; the events are ordered by key."""
    chunk: list[tuple[Hashable, Event]] = []
    for key, group in groupby(events, key_of_event):
        if len(chunk) >= CHUNK:
            yield chunk
            chunk = []
        if key is not None:
            chunk += [(key, event) for event in group]
    yield chunk
