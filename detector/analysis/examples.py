"""The examples in a pattern's block: events that must make it fire, and near misses that must not.

Each is run by both engines.
"""

import tempfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from detector.adapters.dbt_models import event_files, load, open_database, run
from detector.adapters.rendering import PROJECT, rendered
from detector.core.data import JsonObject
from detector.core.errors import RulesError
from detector.core.events import STREAMS, Record, decode
from detector.pipeline.detector import Detector
from detector.pipeline.work import Batch
from detector.signals.changes import with_entries
from detector.signals.lists import Entry
from detector.signals.pattern import Example, Pattern
from detector.signals.rules import Rules

START = datetime(2026, 1, 5, tzinfo=UTC)
_PERSON = {"customer_id": "customer-1", "account_id": "account-1"}
DEFAULTS: dict[str, JsonObject] = {
    "transactions": {
        **_PERSON, "transaction_type": "PURCHASE", "channel": "POS", "card_present": True,
        "amount": "20.00", "currency": "AUD", "status": "APPROVED", "card_token": "card-1",
    },
    "logins": {"customer_id": "customer-1", "outcome": "SUCCESS"},
    "card_events": {**_PERSON, "card_token": "card-1", "event_type": "ACTIVATED"},
    "alerts": {
        "customer_id": "customer-1", "alert_type": "EXAMPLE", "severity": "HIGH",
        "confidence": 0.9, "rule_id": "example",
    },
    "kyc_profiles": {
        "customer_id": "customer-1", "account_ids": ["account-1"], "registered_device_ids": [],
        "risk_tier": "LOW", "kyc_status": "VERIFIED", "is_pep": False, "country": "AU",
        "home_latitude": -33.87, "home_longitude": 151.21, "segment": "RETAIL",
    },
}  # fmt: skip
"""What an event of an example has unless the example says otherwise."""


class Checked(NamedTuple):
    """An example, and how many signals of the pattern each engine found in it."""

    pattern: str
    example: str
    must_fire: bool
    engine: int
    sql: int

    @property
    def ok(self) -> bool:
        """Whether both engines do what the example says."""
        return (self.engine > 0) == (self.sql > 0) == self.must_fire


def check(rules: Rules, names: Sequence[str], project: Path = PROJECT) -> Iterator[Checked]:
    """Run the examples of these patterns, whose models are in a project.

    Raises `RulesError` for a pattern without an example of each kind, or with an event that breaks
    the contract.
    """
    models = rendered(rules, project)
    for name in names:
        pattern = rules.patterns[name]
        if {example.must_fire for example in pattern.examples} != {True, False}:
            raise RulesError(
                f"patterns.{name}.examples needs one that `fires` and one that stays `silent`, a "
                "near miss: without it nothing shows where the rule ends."
            )
        for example in pattern.examples:
            told = _with_lists(rules, pattern, example)
            records = list(_records(pattern, example, rules))
            with tempfile.TemporaryDirectory() as folder, open_database() as db:
                for record in records:
                    with (Path(folder) / f"{record.stream}.jsonl").open("ab") as file:
                        file.write(record.raw + b"\n")
                load(db, event_files([Path(folder)]))
                used = models if told is rules else rendered(told, project)
                run(db, used.needed_for([pattern.view]))
                [(found,)] = db.execute(f"SELECT count(*) FROM {pattern.view}").fetchall()
            fired = _by_engine(records, told, name)
            yield Checked(name, example.text, example.must_fire, fired, found)


def _with_lists(rules: Rules, pattern: Pattern, example: Example) -> Rules:
    if unknown := sorted(example.lists.keys() - rules.lists.keys()):
        raise RulesError(
            f"patterns.{pattern.id}.examples: {example.text}: there is no list {unknown[0]}."
        )
    entries = {
        name: [Entry(value=value) for value in values] for name, values in example.lists.items()
    }
    return with_entries(rules, entries) if entries else rules


def _by_engine(records: list[Record], rules: Rules, name: str) -> int:
    work = Detector(rules, lambda _: set()).process("examples", Batch(records, "", None))
    signals = [*work.signals.values(), *work.shadow.values()]
    return sum(signal is not None and signal.pattern == name for signal in signals)


def _records(pattern: Pattern, example: Example, rules: Rules) -> Iterator[Record]:
    """The events of an example in order of time, each checked against the contract."""
    rows = [row for given in example.events for row in _repeated(given)]
    for number, row in enumerate(sorted(rows, key=lambda row: float(row["at"]))):
        stream = row.pop("stream", pattern.source)
        if stream not in STREAMS:
            raise RulesError(f"patterns.{pattern.id}.examples: there is no stream {stream}.")
        at = START + timedelta(seconds=float(row.pop("at")))
        event = {"event_id": f"example-{number:03}", "occurred_at": at, **DEFAULTS[stream]}
        if stream == "transactions":
            event["transaction_id"] = event["event_id"]
        factor = rules.amounts[row.pop("of")] if "of" in row else 1
        event |= row
        if "amount" in row:
            event["amount"] = f"{float(row['amount']) * factor:.2f}"
        record = Record(stream, msgspec.json.encode(event), "examples", number)
        try:
            decode(record)
        except ValueError as error:
            raise RulesError(f"patterns.{pattern.id}.examples: {example.text}: {error}") from None
        yield record


def _repeated(given: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """`every` so many seconds, so many `times`."""
    row = {"at": 0, **given}
    every, times = float(row.pop("every", 0)), int(row.pop("times", 1))
    for n in range(times):
        yield {**row, "at": float(row["at"]) + n * every}
