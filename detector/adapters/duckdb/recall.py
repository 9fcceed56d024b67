"""Restores detection from the store, as if it had never stopped.

What is known of keys for ever is in a file of its own (`adapters/known.py`). The rest of the state
follows from committed events, so those still in reach are read and fed again; how many does not
depend on the length of the history.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb

from detector.adapters.database import literal
from detector.adapters.duckdb.archive import ARCHIVED
from detector.adapters.duckdb.reading import read_events, read_signals
from detector.adapters.known import KnownFile
from detector.cases.book import CaseBook, CustomerSignals
from detector.core.events import STREAMS, Event, Identity
from detector.pipeline.ports import Memory
from detector.signals.brake import Braked
from detector.signals.conditions import Sql
from detector.signals.operator import Operator
from detector.signals.operators import OPERATORS
from detector.signals.pattern import Pattern
from detector.signals.remembering import Remembering
from detector.signals.rules import Rules
from detector.signals.signal import Signal
from detector.state.knowledge import KnownRow

_REVIEWED_WITHIN = timedelta(hours=1)
"""How long before the last commit a closing may have been made that cases do not contain yet."""


def recall(db: duckdb.DuckDBPyConnection, rules: Rules, known: KnownFile, archive: Path) -> Memory:
    """Read everything still within reach of the watermark."""
    [(final, lanes, committed_at)] = db.execute(
        "SELECT final, lanes, committed_at FROM progress"
    ).fetchall()
    edge = (final or _DAWN) - rules.lateness
    contained, settled = known.progress()
    outdated = known.outdated(everything=contained is None)
    if contained is None:
        contained, settled = committed_at, edge
    past = Past(db, rules, known, outdated, settled or _DAWN, contained, archive)
    return Memory(
        knowledge=known,
        history=past,
        settled_until=past.settled_until,
        final=final,
        lanes=lanes,
        events=past.recent(edge),
        recent_ids=_recent_ids(db, edge),
        attributed=_attributed(db, edge - rules.risk.window),
        braked=[Braked(*row) for row in db.execute("SELECT * FROM braked").fetchall()],
        in_shadow={
            name
            for (name,) in db.execute(
                "SELECT signal_id FROM shadow_signals WHERE occurred_at >= ?", [edge]
            ).fetchall()
        },
        customer_signals=read_signals(
            db.cursor(), "account_id IS NULL AND occurred_at >= ?", [edge]
        ),
        case_signals=()
        if CaseBook.part in outdated
        else read_signals(db.cursor(), "occurred_at >= ?", [past.settled_until]),
        closings=_closings(db),
        reviewed=()
        if CaseBook.part in outdated
        else _reviewed(db, (committed_at or _DAWN) - _REVIEWED_WITHIN),
    )


class Past:
    """The events and signals of the store, to build what is known of keys again."""

    def __init__(
        self,
        db: duckdb.DuckDBPyConnection,
        rules: Rules,
        known: KnownFile,
        outdated: frozenset[str],
        settled_until: datetime,
        contained: datetime | None,
        archive: Path,
    ) -> None:
        self._db = db
        self._rules = rules
        self._known = known
        self.outdated = outdated
        self.settled_until = settled_until
        self._contained = contained
        self._whole = _with_archive(db, archive) if outdated else db

    def events(self, part: str, stream: str, key: Sequence[str]) -> Iterator[Event]:
        """What an operator's part needs from before `settled_until`, by key and time."""
        pattern = self._rules.running[part]
        needed = OPERATORS[pattern.operator].recalled(pattern, self.settled_until)[stream]
        condition = Sql(
            f"({needed.text}) AND occurred_at < ?", [*needed.parameters, self.settled_until]
        )
        order = (*key, "occurred_at", "event_id")
        return read_events(self._whole, f"stg_{stream}", stream, [condition], order)

    def recent(self, edge: datetime) -> Iterator[Event]:
        """In order of time, the events that some operator needs apart from what is known.

        With those of commits that what is known does not contain, because the process ended in
        between.
        """
        wanted: dict[str, list[Sql]] = {stream: [] for stream in STREAMS}
        since = dict.fromkeys(STREAMS, self.settled_until)
        for pattern in self._rules.running.values():
            operator = OPERATORS[pattern.operator]
            bound = self.settled_until
            if pattern.id in self.outdated:
                needed = operator.recalled(pattern, self.settled_until)
            elif issubclass(operator, Remembering):
                needed = operator.recent(pattern, self.settled_until)
            else:
                needed, bound = operator.recalled(pattern, edge), _before(edge, operator, pattern)
            for stream, condition in needed.items():
                text = f"({condition.text}) AND occurred_at >= ?"
                wanted[stream].append(Sql(text, [*condition.parameters, bound]))
                since[stream] = min(since[stream], bound)
        if self._contained is not None:
            for conditions in wanted.values():
                conditions.append(Sql("received_at > ?", [self._contained]))
            since["kyc_profiles"] = _DAWN  # one that is read late may be of any age
        for stream in sorted(wanted, key=lambda name: name != "kyc_profiles"):
            if wanted[stream]:
                # The bound stands apart, so that only its part of the table is read.
                evaluated = (
                    f"(SELECT * FROM {stream} WHERE ingest_status = 'evaluated' "
                    f"AND occurred_at >= TIMESTAMPTZ '{since[stream].isoformat()}')"
                )
                order = ("occurred_at", "event_id")
                yield from read_events(self._db.cursor(), evaluated, stream, wanted[stream], order)

    def holdings(self) -> Iterator[tuple[str, str, datetime]]:
        """Every customer's accounts, and since when."""
        cursor = self._whole.execute(
            "SELECT customer_id, account_id, min(occurred_at) FROM ("
            "  SELECT customer_id, account_id, occurred_at FROM stg_transactions UNION ALL"
            "  SELECT customer_id, unnest(account_ids), occurred_at FROM stg_kyc_profiles"
            ") GROUP BY customer_id, account_id ORDER BY customer_id"
        )
        while rows := cursor.fetchmany(10_000):
            yield from rows

    def customers(self) -> Iterator[CustomerSignals]:
        """The customers whose cases can still change."""
        return _customers(self._db, self._rules.cases.gap, self.settled_until)

    def write(self, rows: Sequence[KnownRow]) -> None:
        """Write a share of what was built."""
        if self._contained is not None:
            self._known.write(rows, self.settled_until, self._contained)

    def built(self) -> None:
        """All parts are complete."""
        self._known.built()


def _before(edge: datetime, operator: type[Operator], pattern: Pattern) -> datetime:
    try:
        return edge - operator.reach(pattern)
    except OverflowError:
        return _DAWN


def _with_archive(db: duckdb.DuckDBPyConnection, archive: Path) -> duckdb.DuckDBPyConnection:
    """A connection whose staging views also have the archived events."""
    cursor = db.cursor()
    for stream in ARCHIVED:
        if any(archive.glob(f"{stream}-*.parquet")):
            files = literal(str(archive / f"{stream}-*.parquet"))
            columns = ", ".join(STREAMS[stream].__struct_fields__)
            cursor.execute(
                f"CREATE OR REPLACE TEMP VIEW stg_{stream} AS SELECT {columns} FROM {stream} "
                f"WHERE ingest_status = 'evaluated' UNION ALL "
                f"SELECT {columns} FROM read_parquet({files}, union_by_name = true)"
            )
    return cursor


def _recent_ids(db: duckdb.DuckDBPyConnection, edge: datetime) -> dict[Identity, datetime]:
    union = " UNION ALL ".join(
        f"SELECT '{s}' AS stream, event_id, occurred_at FROM {s}" for s in STREAMS
    )
    query = f"SELECT stream, event_id, occurred_at FROM ({union}) WHERE occurred_at >= ?"
    return {(stream, name): at for stream, name, at in db.execute(query, [edge]).fetchall()}


def _attributed(db: duckdb.DuckDBPyConnection, since: datetime) -> list[tuple[str, Signal]]:
    by_id = {s.signal_id: s for s in read_signals(db.cursor(), "occurred_at >= ?", [since])}
    rows = db.execute(
        "SELECT account_id, signal_id FROM account_signals WHERE occurred_at >= ? "
        "ORDER BY occurred_at, signal_id",
        [since],
    ).fetchall()
    return [(account, by_id[name]) for account, name in rows]


def customer_signals(db: duckdb.DuckDBPyConnection, customer_id: str) -> CustomerSignals:
    """A customer's closings, and their signals since the last closing but one."""
    name = [customer_id]
    closed = db.execute(f"{_CLOSINGS} AND customer_id = ? ORDER BY closed_until", name).fetchall()
    closed_until = [at for _, at in closed]
    since = closed_until[-2] if len(closed_until) > 1 else _DAWN
    signals = list(
        read_signals(db.cursor(), "customer_id = ? AND occurred_at > ?", [customer_id, since])
    )
    return CustomerSignals(customer_id, closed_until, signals)


def _closings(db: duckdb.DuckDBPyConnection) -> dict[str, list[datetime]]:
    """Every customer's closings, in order of time."""
    closed_until: dict[str, list[datetime]] = {}
    for customer, at in db.execute(f"{_CLOSINGS} ORDER BY customer_id, closed_until").fetchall():
        closed_until.setdefault(customer, []).append(at)
    return closed_until


def _reviewed(db: duckdb.DuckDBPyConnection, since: datetime) -> Iterator[CustomerSignals]:
    rows = db.execute(
        "SELECT DISTINCT customer_id FROM case_reviews "
        "WHERE reviewed_at >= ? AND customer_id IS NOT NULL",
        [since],
    ).fetchall()
    return (customer_signals(db, customer) for (customer,) in rows)


def _customers(
    db: duckdb.DuckDBPyConnection, gap: timedelta, edge: datetime
) -> Iterator[CustomerSignals]:
    """The customers with closings, with an open case, or with signals that others can still join.

    The signals are those since the last closing but one.
    """
    closed_until = _closings(db)
    signals: dict[str, list[Signal]] = {}
    where = f"""customer_id IN (
        SELECT c.customer_id FROM cases AS c LEFT JOIN case_reviews AS r USING (case_id)
        WHERE coalesce(r.status, 'NEW') <> 'CLOSED'
        UNION SELECT customer_id FROM fraud_signals WHERE occurred_at >= ?
        UNION SELECT customer_id FROM ({_CLOSINGS}) WHERE closed_until >= ?
      ) AND occurred_at > coalesce((
        SELECT k.closed_until FROM (
          SELECT customer_id, closed_until, row_number() OVER (
            PARTITION BY customer_id ORDER BY closed_until DESC) AS place
          FROM ({_CLOSINGS})
        ) AS k WHERE k.customer_id = fraud_signals.customer_id AND k.place = 2
      ), ?)"""
    for signal in read_signals(db.cursor(), where, [edge - gap, edge, _DAWN]):
        signals.setdefault(signal.customer_id, []).append(signal)
    for customer in closed_until.keys() | signals.keys():
        yield CustomerSignals(customer, closed_until.get(customer, []), signals.get(customer, []))


_DAWN = datetime(1900, 1, 1, tzinfo=UTC)
_CLOSINGS = (
    "SELECT customer_id, closed_until FROM case_reviews "
    "WHERE status = 'CLOSED' AND closed_until IS NOT NULL"
)
