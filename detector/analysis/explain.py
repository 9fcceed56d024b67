"""Why a signal fired, a case opened, or a transaction raised nothing: from a store's tables."""

from collections.abc import Iterator

import duckdb

from detector.adapters.database import rows_of
from detector.adapters.duckdb.reading import read_events, read_signals
from detector.core.data import JsonObject, Row
from detector.core.errors import InputError
from detector.core.events import STREAMS, Event
from detector.core.text import label
from detector.risk.score import total_weight
from detector.signals.conditions import Sql, names, noun, python, words
from detector.signals.description import counted_if, definition
from detector.signals.engine import SignalEngine
from detector.signals.operators import OPERATORS
from detector.signals.pattern import Pattern
from detector.signals.rules import Rules
from detector.state.ordered_events import order_of

_ORDER = ("occurred_at", "event_id")
_SIGNALS = {"live": "fraud_signals", "shadow": "shadow_signals"}


def explain(db: duckdb.DuckDBPyConnection, rules: Rules, name: str) -> JsonObject:
    """What led to a signal or a case, or how far each pattern was from firing at an event.

    `name` is the id of one of them. Raises `InputError` when the store has none of that id.
    """
    for mode, table in _SIGNALS.items():
        for signal in rows_of(db, f"SELECT * FROM {table} WHERE signal_id = ?", [name]):
            return {"kind": "signal", "mode": mode, **_signal(db, rules, signal, table)}
    if case := rows_of(db, "SELECT * FROM cases WHERE case_id = ?", [name]):
        return _case(db, rules, case[0])
    by_id = [Sql("event_id = ?", [name])]
    for stream in STREAMS:
        for event in read_events(db, f"stg_{stream}", stream, by_id, _ORDER):
            return {
                "kind": "event",
                "stream": stream,
                "event_id": name,
                "occurred_at": event.occurred_at,
                "patterns": _patterns(db, rules, event),
            }
    raise InputError(
        f"There is no signal, case or evaluated event {name!r} in this store. A signal's id is "
        "PATTERN:EVENT_ID."
    )


def _signal(db: duckdb.DuckDBPyConnection, rules: Rules, signal: Row, table: str) -> JsonObject:
    name = signal["signal_id"]
    pattern = rules.running.get(signal["pattern"])
    if pattern is None:
        raise InputError(f"The pattern {signal['pattern']} of this signal is not in the rules.")
    support = OPERATORS[pattern.operator].support(pattern)
    shown = dict.fromkeys(["event_id", "occurred_at", *pattern.key, *_fields(pattern)])
    events = rows_of(
        db,
        f"SELECT {', '.join(f'e.{field}' for field in shown)} FROM stg_{pattern.source} AS e, "
        f"{table} AS s WHERE s.signal_id = ? AND {support.text} "
        "ORDER BY e.occurred_at, e.event_id",
        [name, *support.parameters],
    )
    scores = rows_of(
        db,
        "SELECT r.account_id, r.risk_score, r.risk_level, r.patterns FROM account_signals AS a "
        "JOIN risk_history AS r USING (account_id, occurred_at) WHERE a.signal_id = ? "
        "ORDER BY account_id",
        [name],
    )
    kept = ("signal_id", "pattern", "customer_id", "account_id", "occurred_at", "observed")
    return {
        **{field: signal[field] for field in (*kept, "threshold", "weight", "reason", "exposed")},
        "rule": definition(pattern),
        "counted_if": counted_if(pattern),
        "rests_on": events,
        "scores": scores,
    }


def _case(db: duckdb.DuckDBPyConnection, rules: Rules, case: Row) -> JsonObject:
    """The signals of a case in order, each with the score and the level that it led to."""
    weights = {pattern.id: pattern.weight for pattern in rules.patterns.values()}
    present: set[str] = set()
    steps = []
    for signal in read_signals(
        db.cursor(),
        "customer_id = ? AND occurred_at BETWEEN ? AND ?",
        [case["customer_id"], case["first_signal_at"], case["last_signal_at"]],
    ):
        adds = 0.0 if signal.pattern in present else weights.get(signal.pattern, signal.weight)
        present.add(signal.pattern)
        score = total_weight(weights | {signal.pattern: signal.weight}, present)
        steps.append(
            {
                "occurred_at": signal.occurred_at,
                "signal_id": signal.signal_id,
                "adds": adds,
                "score": score,
                "level": rules.risk.level(score),
                "exposes": len(signal.exposed),
                "opens": signal.occurred_at == case["opened_at"],
            }
        )
    kept = ("case_id", "customer_id", "level", "score", "exposure", "opened_at", "due_at")
    return {
        "kind": "case",
        **{field: case[field] for field in (*kept, "recommended_action")},
        "opens_at_score": rules.case_score,
        "opens_at_expected_loss": rules.cases.opens_at_loss,
        "steps": steps,
    }


def _patterns(db: duckdb.DuckDBPyConnection, rules: Rules, event: Event) -> list[JsonObject]:
    """Each pattern of the event's stream: what it observed, or why it did not look."""
    # What is in shadow fires, too; it only has no effect.
    live = {p.id: p.model_copy(update={"mode": "live"}) for p in rules.patterns.values()}
    engine = SignalEngine(rules.model_copy(update={"patterns": live, "challengers": {}}))
    for earlier in _that_matter(db, rules, event):
        engine.update(earlier)
    readings = {reading.pattern.id: reading for reading in engine.readings(event)}
    found: list[JsonObject] = []
    for pattern in rules.patterns.values():
        if not isinstance(event, STREAMS[pattern.source]):
            continue
        reading = readings.get(pattern.id)
        observed = reading.observed if reading else None
        found.append(
            {
                "pattern": pattern.id,
                "fired": reading is not None and reading.signal is not None,
                "mode": pattern.mode,
                "observed": observed,
                "threshold": pattern.threshold,
                "missing": None if observed is None else max(0.0, pattern.threshold - observed),
                "not_met": _not_met(pattern, event),
            }
        )
    return found


def _that_matter(db: duckdb.DuckDBPyConnection, rules: Rules, event: Event) -> Iterator[Event]:
    """The stored events up to this one that share a key of a pattern with it, in order."""
    events: dict[tuple[type[Event], str], Event] = {}
    for pattern in rules.patterns.values():
        values = [getattr(event, field, None) for field in pattern.key]
        if not isinstance(event, STREAMS[pattern.source]) or None in values:
            continue
        of_key = " AND ".join(f"{field} = ?" for field in pattern.key)
        condition = Sql(f"{of_key} AND occurred_at <= ?", [*values, event.occurred_at])
        for stream in OPERATORS[pattern.operator](pattern, rules.lateness).handlers:
            for found in read_events(db, f"stg_{stream}", stream, [condition], _ORDER):
                events[type(found), found.event_id] = found
    yield from sorted(events.values(), key=order_of)


def _not_met(pattern: Pattern, event: Event) -> list[str]:
    """The conditions that the event does not meet, in words."""
    missing = [f"{noun(f)} is missing" for f in pattern.key if getattr(event, f) is None]
    known = {"event": event, **names(pattern.where)}
    return missing + [words(c) for c in pattern.where if not eval(python(c), dict(known))]


def _fields(pattern: Pattern) -> list[str]:
    """What else of its events a pattern looks at."""
    looked_at = {name for condition in pattern.where for name in condition.fields}
    looked_at |= {name for name in (pattern.value, pattern.measure) if name in pattern.fields}
    money = {"amount", "currency"} if pattern.has_money else set()
    return sorted((looked_at | money) & pattern.fields)


def heading(found: JsonObject) -> str:
    """What was explained, in a line."""
    kinds = {"signal": found.get("reason"), "case": found.get("case_id")}
    return str(kinds.get(found["kind"]) or label(found["stream"].removesuffix("s")))
