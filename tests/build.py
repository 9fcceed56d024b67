"""Builders of small real things: events, rules, batches, detectors and stores."""

import itertools
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from detector.adapters.duckdb.store import DuckDBStore
from detector.cases.case import Case
from detector.core.events import (
    STREAMS,
    CardEvent,
    Event,
    FraudAlert,
    Identity,
    KycProfile,
    Login,
    Record,
    Transaction,
)
from detector.pipeline.detector import Detector
from detector.pipeline.pipeline import Pipeline
from detector.pipeline.work import Batch, Decision, Work
from detector.risk.score import RiskPoint
from detector.signals.loading import load_rules
from detector.signals.rules import Rules
from detector.signals.signal import Signal

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
"""Second 0 of every test's log."""

NOW = datetime(2026, 6, 1, tzinfo=UTC)
"""The wall clock of every test: long after its log, so that nothing is from the future."""

SYDNEY: dict[str, Any] = {"city": "Sydney", "latitude": -33.8688, "longitude": 151.2093}
PERTH: dict[str, Any] = {"city": "Perth", "latitude": -31.9523, "longitude": 115.8613}
MELBOURNE: dict[str, Any] = {"city": "Melbourne", "latitude": -37.8136, "longitude": 144.9631}

REAL = load_rules()
"""The rules of this project, with what was added to those that ship."""

SHIPPED_PATTERNS = {
    "velocity", "geo_impossible", "account_takeover", "cnp_spike", "brute_force_login",
    "structuring", "compound", "unusual_amount", "new_payee_large",
}  # fmt: skip
SHIPPED = REAL.model_copy(
    update={"patterns": {n: p for n, p in REAL.patterns.items() if n in SHIPPED_PATTERNS}}
)
"""The rules that ship, for tests whose result is that of these patterns and no other."""
_STREAM_OF = {kind: stream for stream, kind in STREAMS.items()}
_numbers = itertools.count(1)


def moment(seconds: float) -> datetime:
    """The time so many seconds into the log."""
    return START + timedelta(seconds=seconds)


def _id(event_id: str | None) -> str:
    return event_id or f"e{next(_numbers):06d}"


def transaction(
    at: float = 0, account: str = "acc-1", *, event_id: str | None = None, **fields: Any
) -> Transaction:
    """An ordinary purchase in a shop by default."""
    name = _id(event_id)
    return in_base(
        Transaction(
            **{
                "event_id": name,
                "occurred_at": moment(at),
                "transaction_id": f"t-{name}",
                "account_id": account,
                "customer_id": "cust-1",
                "transaction_type": "PURCHASE",
                "channel": "POS",
                "card_present": True,
                "amount": "20.00",
                "currency": "AUD",
                "status": "APPROVED",
                **fields,
            }
        )
    )


def in_base(event: Transaction) -> Transaction:
    """The event with its amount in the base currency, as the detector reads it."""
    event.base_amount = REAL.currencies.in_base(event.amount, event.currency)
    return event


def online(at: float = 0, account: str = "acc-1", **fields: Any) -> Transaction:
    """A purchase without the card."""
    return transaction(at, account, **{"channel": "ECOMMERCE", "card_present": False, **fields})


def cash(at: float = 0, account: str = "acc-1", **fields: Any) -> Transaction:
    """Cash paid in just under the reporting threshold."""
    cash_in = {"transaction_type": "CASH_DEPOSIT", "channel": "BRANCH", "amount": "9500.00"}
    return transaction(at, account, **{**cash_in, "card_present": False, **fields})


def login(
    at: float = 0, customer: str = "cust-1", *, event_id: str | None = None, **fields: Any
) -> Login:
    """A failed login by default."""
    base = {"outcome": "FAILURE", "customer_id": customer, "occurred_at": moment(at)}
    return Login(**{"event_id": _id(event_id), **base, **fields})


def alert(
    at: float = 0, customer: str = "cust-1", *, event_id: str | None = None, **fields: Any
) -> FraudAlert:
    """Another system's alert."""
    base = {
        "event_id": _id(event_id),
        "occurred_at": moment(at),
        "customer_id": customer,
        "alert_type": "VELOCITY",
        "severity": "MEDIUM",
        "confidence": 0.8,
        "rule_id": "FR-VEL-001",
    }
    return FraudAlert(**{**base, **fields})


def card_event(at: float = 0, *, event_id: str | None = None, **fields: Any) -> CardEvent:
    """A step in the life of a card."""
    base = {
        "event_id": _id(event_id),
        "occurred_at": moment(at),
        "card_token": "tok-1",
        "account_id": "acc-1",
        "customer_id": "cust-1",
        "event_type": "ACTIVATED",
    }
    return CardEvent(**{**base, **fields})


def profile(
    at: float = 0,
    customer: str = "cust-1",
    *,
    accounts: Sequence[str] = ("acc-1",),
    devices: Sequence[str] = (),
    event_id: str | None = None,
    **fields: Any,
) -> KycProfile:
    """What the bank knows of a customer."""
    base = {
        "event_id": _id(event_id),
        "occurred_at": moment(at),
        "customer_id": customer,
        "account_ids": list(accounts),
        "registered_device_ids": list(devices),
        "risk_tier": "LOW",
        "kyc_status": "VERIFIED",
        "is_pep": False,
        "country": "AU",
        "home_latitude": -33.9,
        "home_longitude": 151.2,
        "segment": "RETAIL",
    }
    return KycProfile(**{**base, **fields})


def every_kind() -> dict[str, Event]:
    """One full event of each stream, no field left empty."""
    return {
        "transactions": transaction(
            card_token="tok-1",
            card_bin="411111",
            card_last4="1111",
            merchant_id="m-1",
            merchant_category="5411",
            merchant_country="AU",
            device_id="d-1",
            ip_address="203.0.113.7",
            payee_id="pay-1",
            **SYDNEY,
        ),
        "logins": login(
            failure_reason="BAD_PASSWORD", device_id="d-1", ip_address="203.0.113.7", country="AU"
        ),
        "card_events": card_event(),
        "alerts": alert(account_id="acc-1", transaction_id="t-1"),
        "kyc_profiles": profile(devices=["d-1"]),
    }


def stream_of(event: Event) -> str:
    """The stream that carries an event."""
    return _STREAM_OF[type(event)]


def raw(event: Event | datetime) -> bytes:
    """An event, or a time, as the bytes on a topic."""
    return msgspec.json.encode(event)


def records(events: Iterable[Event], origin: str = "test") -> list[Record]:
    """Events as a source hands them over."""
    return [Record(stream_of(e), raw(e), origin, n) for n, e in enumerate(events, 1)]


def batch(events: Iterable[Event], position: str = "1") -> Batch:
    """Events as one batch."""
    return Batch(records(events), position, 0.0)


def split(items: Sequence[Any], sizes: Sequence[int]) -> list[list[Any]]:
    """Cut a sequence into pieces of the sizes given, taken round and round."""
    rest, pieces, size = list(items), [], itertools.cycle(sizes or [1])
    while rest:
        count = next(size)
        pieces.append(rest[:count])
        rest = rest[count:]
    return pieces


def block(operator: str = "burst", /, **changes: Any) -> dict[str, Any]:
    """A well-formed pattern block of an operator; None takes a key out."""
    shapes: dict[str, dict[str, Any]] = {
        "burst": {"key": ["account_id"]},
        "distinct_burst": {"key": ["account_id"], "value": "merchant_id"},
        "pair": {
            "key": ["card_token"],
            "measure": "distance_km",
            "threshold": 1000,
            "where": [
                {"field": "latitude", "is_null": False},
                {"field": "longitude", "is_null": False},
            ],
        },
        "novelty": {
            "key": ["customer_id"],
            "value": "device_id",
            "registered_in": "registered_device_ids",
            "measure": "base_amount",
            "threshold": 500,
        },
        "outlier": {
            "key": ["customer_id"],
            "measure": "base_amount",
            "least": 100,
            "history": 4,
            "prior": {"usual": 40, "spread": 1.0, "events": 2},
            "threshold": 2.0,
        },
    }
    base = {
        "title": "A pattern",
        "view": f"mv_{operator}",
        "rule_id": f"R-{operator}",
        "source": "transactions",
        "operator": operator,
        "scope": "account",
        "where": [],
        "window_seconds": 30,
        "threshold": 3,
        "weight": 0.5,
        "severity": "HIGH",
        "alert_type": operator.upper(),
        "reason": "{observed} of {threshold} within {window}.",
        "action": "STEP_UP",
    }
    whole = {**base, **shapes[operator], **changes}
    return {key: value for key, value in whole.items() if value is not None}


def vars_block(*blocks: dict[str, Any], lateness: int = 40, **changes: Any) -> dict[str, Any]:
    """The whole `vars` of a dbt project around a few patterns."""
    return {
        "allowed_lateness_seconds": lateness,
        "allowed_clock_skew_seconds": 60,
        "currencies": {"base": "AUD", "rates": {"USD": "1.5"}},
        "risk": {
            "window_seconds": 120,
            "levels": {"critical": 0.80, "high": 0.50, "medium": 0.25},
            "decisions": {
                "critical": "decline",
                "high": "review",
                "medium": "review",
                "low": "approve",
            },
        },
        "cases": {
            "gap_seconds": 1800,
            "opens_at": "high",
            "opens_at_loss": 1_000_000,
            "due_seconds": {"critical": 900, "high": 3600, "medium": 14400, "low": 28800},
        },
        "patterns": {b["view"].removeprefix("mv_"): b for b in blocks},
        **changes,
    }


def rules_of(*blocks: dict[str, Any], lateness: int = 40, **changes: Any) -> Rules:
    """Rules with a few hand-written patterns, named after their views."""
    return Rules.model_validate(vars_block(*blocks, lateness=lateness, **changes))


class Ledger:
    """A store in memory: what all committed work adds up to."""

    def __init__(self) -> None:
        self.events: dict[str, tuple[Event, str]] = {}
        self.signals: dict[str, Signal] = {}
        self.attributed: set[tuple[str, str]] = set()
        self.risk: dict[tuple[str, datetime], RiskPoint] = {}
        self.cases: dict[str, Case] = {}
        self.dead_letters: list[Any] = []
        self.decisions: list[Decision] = []
        self.duplicates = 0

    def known(self, ids: list[Identity]) -> set[Identity]:
        """Which of the events were committed."""
        return {
            (stream, name)
            for stream, name in ids
            if name in self.events and stream_of(self.events[name][0]) == stream
        }

    def commit(self, work: Work) -> None:
        """Apply one piece of work."""
        self.decisions += work.decisions
        for (_, ingest_status), events in work.events.items():
            for event in events:
                assert event.event_id not in self.events, "an event was kept twice"
                self.events[event.event_id] = (event, ingest_status)
        _apply(self.signals, work.signals)
        _apply(self.risk, work.risk)
        for key, signal in work.attributions.items():
            (self.attributed.discard if signal is None else self.attributed.add)(key)
        self.cases.update(work.cases)
        self.dead_letters.extend(work.dead_letters)
        self.duplicates += work.duplicates

    def observed(self) -> dict[str, float]:
        """What each signal observed."""
        return {name: signal.observed for name, signal in self.signals.items()}

    def scores(self) -> dict[tuple[str, datetime], tuple[float, str, tuple[str, ...]]]:
        """The risk history in a form that compares."""
        return {
            key: (point.risk_score, point.risk_level, tuple(point.patterns))
            for key, point in self.risk.items()
        }

    def open_cases(self) -> list[dict[str, Any]]:
        """The content of every case that something supports."""
        return sorted(
            (
                {k: v for k, v in msgspec.structs.asdict(case).items() if k != "withdrawn"}
                for case in self.cases.values()
                if not case.withdrawn
            ),
            key=lambda c: (c["customer_id"], c["first_signal_at"]),
        )

    def answer(self) -> dict[str, Any]:
        """All that detection says, to compare two runs."""
        return {
            "signals": self.signals,
            "attributed": self.attributed,
            "risk": self.scores(),
            "cases": self.open_cases(),
        }


def _apply(kept: dict[Any, Any], changes: dict[Any, Any]) -> None:
    for key, value in changes.items():
        if value is None:
            kept.pop(key, None)
        else:
            kept[key] = value


def detect(batches: Iterable[Iterable[Event]], rules: Rules = REAL, now: datetime = NOW) -> Ledger:
    """Feed batches of events through a detector and add up its work."""
    ledger = Ledger()
    detector = Detector(rules, ledger.known, clock=lambda: now)
    for number, events in enumerate(batches, 1):
        ledger.commit(detector.process("test", batch(events, str(number))))
    return ledger


class Crash(Exception):
    """A test's source died."""


class ListSource:
    """Batches from a list, taken up again at a position; a crash may stand among them."""

    name = "list"

    def __init__(self, batches: Sequence[Sequence[Record]], crash_before: int | None = None):
        self._batches = batches
        self._crash_before = crash_before
        self._next = 0
        self.acknowledged: list[str] = []
        self.closed = 0

    def open(self, position: str | None) -> None:
        self._next = int(position or 0)

    def poll(self) -> Batch | None:
        if self._next == self._crash_before:
            raise Crash
        if self._next == len(self._batches):
            return None
        self._next += 1
        return Batch(list(self._batches[self._next - 1]), str(self._next), 0.0)

    def lag(self) -> dict[str, int]:
        return {}

    def acknowledge(self, position: str) -> None:
        self.acknowledged.append(position)

    def close(self) -> None:
        self.closed += 1


def stored(
    path: Path, batches: Sequence[Sequence[Record]], rules: Rules = SHIPPED, **crash: int | None
) -> None:
    """Run the pipeline over batches of records into the store at `path`, then close it."""
    store = DuckDBStore(path, rules)
    try:
        Pipeline(rules, ListSource(batches, **crash), store, clock=lambda: NOW).run()
    finally:
        store.close()


def kill(store: DuckDBStore) -> None:
    """End a store as a killed process would: nothing is written any more."""
    if store._behind is not None:
        store._behind._closed.set()
        store._behind._some.set()
        store._behind._journal._db.close()
    store._connection.close()
    store._known.close()


# Lanes have the name of the source, which has the folder.
_CLOCKS = {"received_at", "committed_at", "lanes"}


def tables(store: DuckDBStore) -> dict[str, list[tuple[Any, ...]]]:
    """Every table of a store, rows sorted, without the columns that tell the wall clock."""
    found = {}
    for (table,) in store.query("SELECT table_name FROM duckdb_tables() ORDER BY 1"):
        names = store.query(
            "SELECT column_name FROM duckdb_columns() WHERE table_name = ? ORDER BY column_index",
            [table],
        )
        columns = ", ".join(f'"{name}"' for (name,) in names if name not in _CLOCKS)
        found[table] = sorted(store.query(f"SELECT {columns} FROM {table}"), key=repr)
    return found


def contents(path: Path, rules: Rules = REAL) -> dict[str, list[tuple[Any, ...]]]:
    """What `tables` says of the store at a path."""
    store = DuckDBStore(path, rules)
    try:
        return tables(store)
    finally:
        store.close()
