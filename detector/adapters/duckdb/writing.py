"""Rows on their way into a store: as JSON lines that DuckDB reads back."""

import shutil
import tempfile
from collections.abc import Collection, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import msgspec

from detector.adapters.database import literal, owner_only
from detector.cases.case import Case
from detector.core.data import Row
from detector.core.names import joined
from detector.pipeline.work import Work

UPSERTS = frozenset({"fraud_signals", "shadow_signals", "account_signals", "risk_history", "cases"})
"""The tables whose rows replace those with their key."""
_LISTS = ("account_ids", "patterns", "actions")
_LARGEST = 64 << 20


class RowWriter:
    """Inserts and deletes rows in the caller's transaction.

    Newline-delimited JSON that DuckDB parses is several times faster from Python than binding
    values.
    """

    def __init__(self, db: duckdb.DuckDBPyConnection, store: Path) -> None:
        self._db = db
        self.folder = _empty_folder(store)
        self._encoder = msgspec.json.Encoder(decimal_format="string")
        self._columns: dict[str, dict[str, str]] = {}

    def write(self, work: Work, received_at: datetime, mostly_new: bool) -> None:
        """Write all of a work except how far it has come.

        Where rows are `mostly_new`, one that is there already refuses all with a
        `ConstraintException`: replacing costs more than twice as much, and is seldom needed.
        """
        replaced = {"cases"} if mostly_new else UPSERTS
        for (stream, ingest_status), events in work.events.items():
            extra = {"ingest_status": ingest_status, "received_at": received_at}
            self.insert(stream, events, extra)
        for table, found, new in (
            ("fraud_signals", work.signals, work.new_signals),
            ("shadow_signals", work.shadow, work.new_shadow),
        ):
            signals = [s for s in found.values() if s]
            known = {table} if len(signals) > len(new) else set[str]()
            self.insert(table, signals, replaced=replaced | known)
            self.delete(table, [(name,) for name, s in found.items() if s is None])
        for braked in work.braked:
            query = "INSERT OR REPLACE INTO braked VALUES (?, ?, ?, ?)"
            self._db.execute(query, [*braked])
        self._write_scores(work, replaced)
        self.insert("cases", [_case_row(case) for case in work.cases.values()])
        self.insert("score_decisions", work.decisions)
        if work.dead_letters:
            letters = [msgspec.structs.astuple(letter) for letter in work.dead_letters]
            self._db.execute(
                "INSERT INTO dead_letters SELECT unnest(?::VARCHAR[]), unnest(?::VARCHAR[]), "
                "unnest(?::VARCHAR[]), unnest(?::BIGINT[]), unnest(?::BLOB[]), ?",
                [*map(list, zip(*letters, strict=True)), received_at],
            )

    def insert(
        self,
        table: str,
        rows: Sequence[Any],
        constants: Row | None = None,
        replaced: Collection[str] = UPSERTS,
    ) -> None:
        """Insert rows (mappings or structs), each with the constants; in a table that is `replaced`
        they replace those with their key.
        """
        if not rows:
            return
        constants, kinds = constants or {}, self._kinds(table)
        columns = [c for c in kinds if c not in constants]
        file = self.folder / "rows.jsonl"
        with open(file, "wb", opener=owner_only) as lines:
            lines.write(self._encoder.encode_lines(rows))
        types = ", ".join(f"{c}: '{kinds[c]}'" for c in columns)
        marks = "".join(", ?" for _ in constants)
        self._db.execute(
            f"INSERT {'OR REPLACE ' if table in replaced else ''}INTO {table} "
            f"({', '.join([*columns, *constants])}) "
            f"SELECT {', '.join(columns)}{marks} FROM read_json({literal(str(file))}, "
            f"format = 'newline_delimited', columns = {{{types}}}, "
            f"maximum_object_size = {_LARGEST})",
            list(constants.values()),
        )

    def delete(self, table: str, keys: Sequence[tuple[Any, ...]]) -> None:
        """Delete rows by their first columns."""
        if keys:
            columns = list(self._kinds(table))[: len(keys[0])]
            where = " AND ".join(f"{column} = ?" for column in columns)
            self._db.executemany(f"DELETE FROM {table} WHERE {where}", keys)

    def _kinds(self, table: str) -> dict[str, str]:
        """The columns of a table and their types."""
        if table not in self._columns:
            # Reading all tables at once would read the views, too, which takes longer than these.
            described = self._db.execute(f"DESCRIBE {table}").fetchall()
            self._columns[table] = {column: kind for column, kind, *_ in described}
        return self._columns[table]

    def _write_scores(self, work: Work, replaced: Collection[str]) -> None:
        signals = [
            {"account_id": account, "signal_id": name, "occurred_at": signal.occurred_at}
            for (account, name), signal in work.attributions.items()
            if signal is not None
        ]
        self.insert("account_signals", signals, replaced=replaced)
        self.delete("account_signals", [k for k, s in work.attributions.items() if s is None])
        points = [
            {**msgspec.structs.asdict(point), "patterns": ", ".join(point.patterns)}
            for point in work.risk.values()
            if point is not None
        ]
        self.insert("risk_history", points, replaced=replaced)
        self.delete("risk_history", [key for key, point in work.risk.items() if point is None])

    def close(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)


def _case_row(case: Case) -> Row:
    lists = {name: joined(getattr(case, name)) for name in _LISTS}
    return {**msgspec.structs.asdict(case), **lists}


def _empty_folder(store: Path) -> Path:
    """A folder beside the store; a killed run may have left rows in it."""
    if str(store) == ":memory:":
        return Path(tempfile.mkdtemp(prefix="fraud-"))
    folder = store.with_name(store.name + ".rows").resolve()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(0o700)
    return folder
