"""novelty: a value that is new for its key."""

from bisect import bisect_right, insort
from collections.abc import Hashable
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any

import msgspec

from detector.core.events import KycProfile
from detector.core.text import amount
from detector.signals.conditions import Sql, sql, with_article
from detector.signals.operator import Operator, Unit, events_words, key_words
from detector.signals.pattern import Pattern, check_known
from detector.signals.remembering import Remembering
from detector.signals.select import Findings, key_of, key_where
from detector.signals.signal import Finding


class Known(msgspec.Struct, array_like=True):
    """What the store keeps of a key: first sightings, and profiles in time order."""

    first_seen: dict[Any, datetime]
    profiles: list[tuple[datetime, str, frozenset[str]]]


class Acquaintance:
    """What is known about one key: first sightings, profiles in time order, recent candidates.

    `since` is the first sighting of any value.
    """

    __slots__ = ("candidates", "first_seen", "profiles", "since")

    def __init__(self) -> None:
        self.first_seen: dict[Any, datetime] = {}
        self.profiles: list[tuple[datetime, str, frozenset[Any]]] = []
        self.candidates: list[Any] = []
        self.since: datetime | None = None


class Novelty(Remembering):
    """Fires when `measure` reaches the threshold and the value is unknown for the key.

    A value is known when the profile in force at the event registers it (where the pattern says in
    which field), or when the key first showed it longer than the window ago. Every event with a
    value adds to what is known, whether or not it meets `where`. With `established`, a key that
    first showed any value within the window fires at nothing. What a key has shown is kept: one
    time per value.
    """

    name = "novelty"
    parameters = frozenset({"value", "measure"})
    optional = frozenset({"registered_in", "established"})
    facts = frozenset({"value"})
    single_event = True
    schema = Known

    @classmethod
    def check(cls, pattern: Pattern) -> None:
        """A profile that registers values must have them and the key, the event the others."""
        super().check(pattern)
        pattern.check_numbers({pattern.measure or ""})
        if pattern.registered_in:
            profile = set(KycProfile.__struct_fields__)
            check_known("registered_in", {pattern.registered_in}, profile)
            check_known("key", set(pattern.key), profile)

    @classmethod
    def unit(cls, pattern: Pattern) -> Unit:
        """Money where the measure is an amount."""
        return "money" if pattern.measure == "base_amount" else "count"

    @classmethod
    def sentence(cls, pattern: Pattern) -> str:
        """`a transaction with an amount of 500 or more, from a device that the customer has …`."""
        return (
            f"a {events_words(pattern).removesuffix('s')} with "
            f"{with_article(pattern.measure or '')} of {amount(pattern.threshold)} or more, with "
            f"{with_article(pattern.value or '')} that the {key_words(pattern)} "
            f"{'has not registered and ' if pattern.registered_in else ''}"
            f"first used less than {pattern.window_text} ago"
        )

    @classmethod
    def recalled(cls, pattern: Pattern, edge: datetime) -> dict[str, Sql]:
        """The first sighting of every value, the profiles in force, and all from the edge on."""
        present = " AND ".join(f"{name} IS NOT NULL" for name in (*pattern.key, pattern.value))
        first = (
            f"SELECT arg_min(event_id, (occurred_at, event_id)) FROM stg_{pattern.source} "
            f"WHERE {present} GROUP BY {', '.join((*pattern.key, pattern.value or ''))}"
        )
        in_force = (
            "SELECT arg_max(event_id, (occurred_at, event_id)) FROM stg_kyc_profiles "
            f"WHERE occurred_at < ? GROUP BY {', '.join(pattern.key)}"
        )
        sightings = Sql(f"occurred_at >= ? OR event_id IN ({first})", [edge])
        if not pattern.registered_in:
            return {pattern.source: sightings}
        return {
            pattern.source: sightings,
            "kyc_profiles": Sql(f"occurred_at >= ? OR event_id IN ({in_force})", [edge, edge]),
        }

    @classmethod
    def recent(cls, pattern: Pattern, edge: datetime) -> dict[str, Sql]:
        """The events that a late one may still change; sightings are saved when they are made."""
        where = sql(pattern.where)
        text = f"{where.text} AND {pattern.measure} >= ? AND occurred_at >= ?"
        return {pattern.source: Sql(text, [*where.parameters, pattern.threshold, edge])}

    @classmethod
    def support(cls, pattern: Pattern) -> Sql:
        """The event that fired."""
        return Sql("e.event_id = s.event_id", [])

    def __init__(self, pattern: Pattern, lateness: timedelta) -> None:
        super().__init__(pattern, lateness)
        key = key_of(self.pattern)
        self.handlers = {self.pattern.source: (key, self.update)}
        if self.pattern.registered_in:
            self.handlers["kyc_profiles"] = (key, self._learn_profile)
        self._key_where = key_where(self.pattern)
        self._value_of = attrgetter(self.pattern.value or "")
        self._measure_of = attrgetter(self.pattern.measure or "")
        self._registered_of = attrgetter(self.pattern.registered_in or "event_id")

    def take_over(self, before: Operator) -> None:
        """Of what was large enough, only what still is."""
        super().take_over(before)
        for known in self._state.values():
            kept = [c for c in known.candidates if float(self._measure_of(c)) >= self._threshold]
            known.candidates[:] = kept

    def update(self, key: Hashable, event: Any) -> Findings:
        value = self._value_of(event)
        if value is None:
            return ()
        known = self._state.get(key)
        if known is None:
            known = self._state[key] = Acquaintance()
        at = event.occurred_at
        first_seen = known.first_seen.get(value)
        findings: list[Finding] = []
        if first_seen is None or at < first_seen:
            known.first_seen[value] = at
            self.changed.add(key)
            everything = known.since is None or at < known.since
            if everything:
                known.since = at
            findings = [
                self._judge(known, candidate)
                for candidate in known.candidates
                if everything or self._value_of(candidate) == value
            ]
        measure = self._measure_of(event)
        if measure is None or float(measure) < self._threshold or self._key_where(event) is None:
            return findings
        known.candidates.append(event)
        found = self._judge(known, event)
        return [*findings, found] if found.observed is not None else findings

    def observe(self, key: Hashable, event: Any) -> float | None:
        known, measure = self._state.get(key), self._measure_of(event)
        if known is None or measure is None or self._value_of(event) not in known.first_seen:
            return None
        found = self._judge(known, event)
        return 0.0 if found.observed is None else found.observed

    def _learn_profile(self, key: Hashable, profile: KycProfile) -> list[Finding]:
        known = self._state.setdefault(key, Acquaintance())
        at, registered = profile.occurred_at, frozenset(self._registered_of(profile))
        self.changed.add(key)
        insort(known.profiles, (at, profile.event_id, registered), key=lambda p: p[:2])
        return [self._judge(known, c) for c in known.candidates if c.occurred_at >= at]

    def _judge(self, known: Acquaintance, event: Any) -> Finding:
        at, value = event.occurred_at, self._value_of(event)
        in_force = bisect_right(known.profiles, at, key=lambda p: p[0])
        if in_force and value in known.profiles[in_force - 1][2]:
            return Finding(event, None, {})
        first_seen = known.first_seen[value]
        if at - first_seen > self._span:
            return Finding(event, None, {})
        if self.pattern.established and (known.since is None or at - known.since <= self._span):
            return Finding(event, None, {})
        facts = {"value": value, "first_seen_at": first_seen}
        return Finding(event, float(self._measure_of(event)), facts)

    def saved(self, key: Hashable) -> Known:
        """The sightings and profiles of a key."""
        known = self._state[key]
        return Known(known.first_seen, known.profiles)

    def load(self, key: Hashable, known: Known) -> None:
        """Take up sightings and profiles."""
        state = self._state[key] = Acquaintance()
        state.first_seen, state.profiles = known.first_seen, known.profiles
        state.since = min(known.first_seen.values(), default=None)

    def settle(self, key: Hashable, moment: datetime) -> bool:
        """Drop the candidates whose result is final, and the profiles that are out of force."""
        known = self._state.get(key)
        if known is None:
            return True
        if known.candidates:
            known.candidates[:] = [c for c in known.candidates if c.occurred_at >= moment]
        while len(known.profiles) > 1 and known.profiles[1][0] <= moment:
            del known.profiles[0]
        return not known.candidates
