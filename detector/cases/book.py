"""The cases of every customer: at most one open at a time."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec

from detector.cases.case import Case, case_id
from detector.cases.dossier import Dossier, Settled
from detector.cases.evidence import Evidence
from detector.risk.score import total_weight
from detector.signals.currencies import decimal_of
from detector.signals.rules import Rules
from detector.signals.signal import Signal


@dataclass(slots=True)
class CustomerSignals:
    """A customer's closings in order of time, and the signals that open cases can still need."""

    customer_id: str
    closed_until: list[datetime] = field(default_factory=list)
    signals: Sequence[Signal] = ()


class CaseBook:
    """Maintains the cases of every customer.

    A case is a function of the set of the customer's signals and of the closings: the first session
    of signals that suffices opens it, every later signal joins it, and signals after a closing
    start anew. It is a `state.knowledge.Member` by customer; closings are always all in memory.
    """

    part = "cases"
    schema = list[Settled]

    def __init__(self, rules: Rules) -> None:
        self.changed: set[str] = set()
        self._rules = rules
        self._weights = {p.id: p.weight for p in rules.patterns.values()}
        by_weight = sorted(rules.patterns.values(), key=lambda p: -p.weight)
        self._actions = {p.id: p.action for p in by_weight}
        self._reach = max((p.window for p in by_weight), default=timedelta())
        self._closed_until: dict[str, list[datetime]] = {}
        self._dossiers: dict[str, dict[int, Dossier]] = {}

    def add(self, signal: Signal) -> Iterator[Case]:
        """Add a signal, or replace the one with its id; yield the case that changes."""
        dossier = self._dossier(signal)
        yield from self._changed(dossier, signal.customer_id, dossier.add(signal))

    def withdraw(self, signal: Signal) -> Iterator[Case]:
        """Remove a signal; yield the case that changes."""
        self.changed.add(signal.customer_id)
        dossier = self._dossier(signal)
        yield from self._changed(dossier, signal.customer_id, dossier.withdraw(signal))

    def rebuild(self, customer: CustomerSignals) -> Iterator[Case]:
        """Replace what is known of a customer, for example after a closing; yield their cases."""
        name = customer.customer_id
        self.changed.add(name)
        self._dossiers.pop(name, None)
        self._closed_until.pop(name, None)
        if customer.closed_until:
            self._closed_until[name] = customer.closed_until
        found: dict[str, Case] = {}
        for signal in customer.signals:
            found |= {case.case_id: case for case in self.add(signal)}
        yield from found.values()

    def resume(self, closings: dict[str, list[datetime]]) -> None:
        """Take up the closings of all customers; before anything is loaded."""
        self._closed_until = closings

    def repeat(self, signal: Signal) -> None:
        """Add a signal of an earlier run, unless it is settled; its case stays as it is."""
        dossier = self._dossier(signal)
        if dossier.settled_until is None or signal.occurred_at >= dossier.settled_until:
            for _ in self._changed(dossier, signal.customer_id, dossier.add(signal)):
                pass

    def repeat_all(self, customer: CustomerSignals) -> None:
        """Replace what is known of a customer; their cases stay as they are."""
        for _ in self.rebuild(customer):
            pass

    def saved(self, key: str) -> list[Settled] | None:
        """What the signals before a moment amount to."""
        saved = [dossier.saved() for dossier in self._dossiers.get(key, {}).values()]
        return [dossier for dossier in saved if dossier is not None] or None

    def load(self, key: str, known: list[Settled]) -> None:
        """Take up the dossiers of a customer."""
        for saved in known:
            self._dossier_of(key, saved.number).load(saved)

    def settle(self, key: str, moment: datetime) -> bool:
        """Fold what no signal from `moment` on can change, and drop what none can add to."""
        dossiers = self._dossiers.get(key, {})
        for number, dossier in list(dossiers.items()):
            if dossier.settle(moment, self._reach):
                self.changed.add(key)
            if dossier.ended_before(moment, self._rules.cases.gap):
                del dossiers[number]
                self.changed.add(key)
        if not dossiers:
            self._dossiers.pop(key, None)
        # Evidence that has opened no case yet is dropped later.
        return all(d.is_settled and d.case is not None for d in dossiers.values())

    def held(self, key: str) -> object:
        """The dossiers of a customer."""
        return self._dossiers.get(key)

    def drop(self, key: str) -> None:
        """Forget the dossiers of a customer; their closings stay."""
        self._dossiers.pop(key, None)

    def _dossier(self, signal: Signal) -> Dossier:
        closed_until = self._closed_until.get(signal.customer_id, [])
        return self._dossier_of(signal.customer_id, bisect_left(closed_until, signal.occurred_at))

    def _dossier_of(self, customer_id: str, number: int) -> Dossier:
        dossiers = self._dossiers.setdefault(customer_id, {})
        if number not in dossiers:
            closed_until = self._closed_until.get(customer_id, [])
            until = closed_until[number] if number < len(closed_until) else None
            dossiers[number] = Dossier(number, until, self._rules, self._weights)
        return dossiers[number]

    def _changed(self, dossier: Dossier, customer_id: str, found: Evidence) -> Iterator[Case]:
        if found.opened_at is not None:
            dossier.case = self._case(dossier.number, customer_id, found, found.opened_at)
        elif dossier.case is not None:
            dossier.case = self._withdrawn(dossier, customer_id, found)
        if dossier.case is not None:
            yield dossier.case

    def _withdrawn(self, dossier: Dossier, customer_id: str, found: Evidence) -> Case:
        """The case with what is left of its evidence; with the last of it if nothing is."""
        case = dossier.case
        assert case is not None
        if found.signal_count:
            case = self._case(dossier.number, customer_id, found, case.opened_at)
        return msgspec.structs.replace(case, withdrawn=True)

    def _case(self, number: int, customer: str, found: Evidence, opened_at: datetime) -> Case:
        present = found.pattern_first_at
        score = total_weight(self._weights, present)
        level = self._rules.risk.level(score)
        actions = [action for name, action in self._actions.items() if name in present]
        return Case(
            case_id=case_id(customer, number),
            customer_id=customer,
            account_ids=sorted(found.account_ids),
            level=level,
            score=score,
            patterns=found.patterns(),
            signal_count=found.signal_count,
            exposure=decimal_of(found.exposure),
            already_gone=decimal_of(found.already_gone),
            first_signal_at=found.first_at,
            last_signal_at=found.last_at,
            opened_at=opened_at,
            due_at=opened_at + self._rules.cases.due_after(level),
            recommended_action=actions[0],
            actions=list(dict.fromkeys(actions)),
            previous_case_id=case_id(customer, number - 1) if number else None,
        )
