"""Parity: the embedded engine against the dbt models, over the same events."""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from detector.adapters.database import literal
from detector.adapters.dbt_models import (
    event_files,
    load,
    open_database,
    run,
)
from detector.adapters.rendering import PROJECT, rendered
from detector.analysis.replay import replay_folder
from detector.core.data import JsonObject, Row
from detector.core.events import STREAMS
from detector.signals.rules import Rules

EXAMPLES = 10
MODELS = (
    *(f"stg_{stream}" for stream in STREAMS),
    "mv_fraud_signals",
    "account_signals",
    "risk_history",
    "fraud_cases",
)


@dataclass(frozen=True)
class Difference:
    """A row on which the two engines disagree; None where one has no such row."""

    about: str
    column: str
    embedded: Any
    models: Any


@dataclass(frozen=True)
class ParityReport:
    """The number of differing rows of each kind, of how many, with examples."""

    compared: dict[str, int]
    differences: dict[str, int]
    set_aside: dict[str, int]
    examples: dict[str, list[Difference]] = field(default_factory=dict)

    @property
    def equal(self) -> bool:
        """Whether nothing differs."""
        return not any(self.differences.values())

    def as_json(self) -> JsonObject:
        """The report as the JSON that `fraud parity` prints."""
        return {
            "differences": self.differences,
            "compared": self.compared,
            "set_aside": self.set_aside,
            "examples": {
                kind: [vars(example) for example in found] for kind, found in self.examples.items()
            },
        }


Replay = Callable[[Path, Path, Rules], object]


def parity(
    folder: Path,
    rules: Rules,
    project: Path = PROJECT,
    replay: Replay = replay_folder,
) -> ParityReport:
    """Replay a folder through the embedded engine and through the models, and compare.

    What the embedded engine set aside as late or from the future depends on arrival and on the
    clock, so the models exclude the same events; everything else they derive themselves.
    """
    models = rendered(rules, project)
    with tempfile.TemporaryDirectory() as scratch:
        store = Path(scratch) / "embedded.duckdb"
        replay(folder, store, rules)
        with open_database(spill=Path(scratch)) as db:
            db.execute(f"ATTACH {literal(str(store))} AS embedded (READ_ONLY)")
            load(db, event_files([folder]), set_aside=_set_aside())
            run(db, models.needed_for(MODELS))
            return compare(db)


def compare(db: duckdb.DuckDBPyConnection) -> ParityReport:
    """Compare the catalog `embedded` (a store) with the models built in the current one."""
    compared, differences, examples = {}, {}, {}
    for comparison in COMPARISONS:
        compared[comparison.name] = comparison.prepare(db)
        differences[comparison.name] = comparison.count(db)
        if differences[comparison.name]:
            examples[comparison.name] = comparison.examples(db)
    counts = dict(db.execute(_DISPOSITIONS).fetchall())
    letters = db.execute("SELECT count(*) FROM embedded.dead_letters").fetchall()[0][0]
    set_aside = {name: counts.get(name, 0) for name in ("late", "future")}
    return ParityReport(compared, differences, {**set_aside, "dead_letters": letters}, examples)


@dataclass(frozen=True)
class Comparison:
    """Rows of one kind from both engines: `key` identifies a row, all columns must agree."""

    name: str
    key: Sequence[str]
    embedded: str
    models: str

    def prepare(self, db: duckdb.DuckDBPyConnection) -> int:
        """Join both sides and return the number of distinct rows."""
        for side, query in (("embedded", self.embedded), ("models", self.models)):
            db.execute(f"CREATE OR REPLACE TEMP TABLE {self.name}_{side} AS {query}")
        return int(
            db.execute(
                f"SELECT count(*) FROM ({self._keys('embedded')} UNION {self._keys('models')})"
            ).fetchall()[0][0]
        )

    def count(self, db: duckdb.DuckDBPyConnection) -> int:
        """The number of keys with a row on one side that the other lacks."""
        return int(db.execute(f"SELECT count(*) FROM ({self._different()})").fetchall()[0][0])

    def examples(self, db: duckdb.DuckDBPyConnection) -> list[Difference]:
        """The first differences, column by column."""
        key = ", ".join(self.key)
        found: list[Difference] = []
        for values in db.execute(f"{self._different()} ORDER BY {key} LIMIT {EXAMPLES}").fetchall():
            left, right = (self._row(db, side, values) for side in ("embedded", "models"))
            about = " ".join(map(str, values))
            if left is None or right is None:
                found.append(Difference(about, "(row)", _presence(left), _presence(right)))
                continue
            found += [
                Difference(about, column, left[column], right[column])
                for column in left
                if left[column] != right[column]
            ]
        return found[:EXAMPLES]

    def _different(self) -> str:
        key, one, other = ", ".join(self.key), f"{self.name}_embedded", f"{self.name}_models"
        return (
            f"SELECT DISTINCT {key} FROM ((FROM {one} EXCEPT ALL FROM {other}) "
            f"UNION ALL (FROM {other} EXCEPT ALL FROM {one}))"
        )

    def _keys(self, side: str) -> str:
        return f"SELECT {', '.join(self.key)} FROM {self.name}_{side}"

    def _row(self, db: duckdb.DuckDBPyConnection, side: str, values: Sequence[Any]) -> Row | None:
        where = " AND ".join(f"{column} = ?" for column in self.key)
        result = db.execute(f"FROM {self.name}_{side} WHERE {where}", list(values))
        names = [column[0] for column in result.description or ()]
        row = result.fetchone()
        return None if row is None else dict(zip(names, row, strict=True))


def _presence(row: Row | None) -> str | None:
    return None if row is None else "present"


def _set_aside() -> str:
    return " UNION ALL ".join(
        f"SELECT '{stream}' AS stream, event_id FROM embedded.{stream} "
        "WHERE ingest_status <> 'evaluated'"
        for stream in STREAMS
    )


_DISPOSITIONS = (
    "SELECT ingest_status, count(*) FROM ("
    + " UNION ALL ".join(f"SELECT ingest_status FROM embedded.{stream}" for stream in STREAMS)
    + ") GROUP BY ingest_status"
)


def _events(prefix: str) -> str:
    return " UNION ALL ".join(
        f"SELECT '{stream}' AS stream, event_id, occurred_at FROM {prefix}stg_{stream}"
        for stream in STREAMS
    )


# Times in the evidence are compared as times, whatever their notation.
_SIGNALS = """
SELECT * EXCLUDE (evidence),
  json_merge_patch(evidence, json_object(
    'first_seen_at', epoch_us((evidence ->> 'first_seen_at')::TIMESTAMPTZ)))::VARCHAR AS evidence
FROM {0}"""
_RISK = "SELECT account_id, occurred_at, risk_score, risk_level, patterns FROM {0}"
_CASES = """
SELECT case_id, customer_id, account_ids, level, score, patterns, signal_count, exposure,
  already_gone, first_signal_at, last_signal_at, opened_at, due_at, recommended_action, actions,
  previous_case_id
FROM {0}"""

COMPARISONS = (
    Comparison("events", ("stream", "event_id"), _events("embedded."), _events("")),
    Comparison(
        "signals",
        ("signal_id",),
        _SIGNALS.format("embedded.fraud_signals"),
        _SIGNALS.format("mv_fraud_signals"),
    ),
    Comparison(
        "attributions",
        ("account_id", "signal_id"),
        "SELECT account_id, signal_id, occurred_at FROM embedded.account_signals",
        "SELECT account_id, signal_id, occurred_at FROM account_signals",
    ),
    Comparison(
        "risk",
        ("account_id", "occurred_at"),
        _RISK.format("embedded.risk_history"),
        _RISK.format("risk_history"),
    ),
    Comparison(
        "cases",
        ("case_id",),
        _CASES.format("embedded.cases") + " WHERE NOT withdrawn",
        _CASES.format("fraud_cases"),
    ),
)
