"""The named questions: one definition each, for the embedded store and for a cluster."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, PlainSerializer, WithJsonSchema

from detector.core.data import JsonObject, Row
from detector.core.events import STREAMS
from detector.core.names import Names
from detector.pipeline.ports import Reader

QuestionName = Literal["risk", "cases", "kpis", "fraud-rate", "status"]
Moment = Annotated[
    datetime,
    PlainSerializer(lambda at: at.astimezone(UTC).isoformat(), str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]


class AccountRisk(BaseModel):
    """An account with a recent signal. Over a cluster the score is current and `as_of` null."""

    account_id: str
    risk_score: float
    risk_level: str
    patterns: Names
    last_signal_at: Moment
    customer_id: str
    signal_count: int
    as_of: Moment | None


class OpenCase(BaseModel):
    """A case that is not closed; money in the base currency."""

    case_id: str
    level: str
    score: float
    customer_id: str
    patterns: Names
    exposure: Decimal
    recommended_action: str
    due_at: Moment
    already_gone: Decimal
    account_ids: Names
    opened_at: Moment
    kyc_risk_tier: str | None
    owner: str | None
    status: str
    signal_count: int
    first_signal_at: Moment
    last_signal_at: Moment


class Minute(BaseModel):
    """A minute of event time, money in the base currency; also `signals_<pattern>` of each pattern.

    No amount includes the transactions `without_rate`.
    """

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, int]

    window_start: Moment
    window_end: Moment
    transactions: int
    amount: Decimal
    without_rate: int
    flagged: int
    fraud_rate_pct: float
    signals: int


class Span(BaseModel):
    """A span of time up to the newest event."""

    span: str
    transactions: int
    flagged: int
    fraud_rate_pct: float


class Status(BaseModel):
    """Progress and counts. Fields that only the embedded store has are left out over a cluster.

    `without_rate` counts transactions in currencies without a rate, which no amount includes.
    """

    watermark: Moment | None
    duplicates: int = 0
    dead_letters: int = 0
    events: dict[str, int]
    late: int = 0
    future: int = 0
    without_rate: int
    signals: dict[str, int]
    open_cases: dict[str, int]
    sources: dict[str, Moment] = {}


class QuestionAnswer(BaseModel):
    """The rows that answer a question; `status` has exactly one."""

    question: QuestionName
    rows: list[AccountRisk] | list[OpenCase] | list[Minute] | list[Span] | list[Status]


@dataclass(frozen=True, slots=True)
class Question:
    """A question: its SQL and the type of its rows.

    `source` is a FROM clause with its ORDER BY, or a function where one query is not enough.
    """

    title: str
    row: type[BaseModel]
    source: str | Callable[[Reader], list[Row]]
    shown: int | None = None
    limit: int = 20

    @property
    def columns(self) -> list[str]:
        """The columns shown in a terminal."""
        return list(self.row.model_fields)[: self.shown]

    @property
    def query(self) -> str:
        """The SELECT that answers, without LIMIT; DuckDB and RisingWave both run it."""
        extra = self.row.model_config.get("extra") == "allow"
        return f"SELECT {'*' if extra else ', '.join(self.row.model_fields)} FROM {self.source}"


def ask(reader: Reader, name: QuestionName, limit: int | None = None) -> list[BaseModel]:
    """At most `limit` rows that answer a question; by default its own limit."""
    question = QUESTIONS[name]
    if callable(question.source):
        found = question.source(reader)
    else:
        found = reader.rows(f"{question.query} LIMIT ?", [limit or question.limit])
    return [question.row.model_validate(row) for row in found]


def riskiest(reader: Reader, limit: int = 12) -> list[AccountRisk]:
    """The accounts of highest risk."""
    return [row for row in ask(reader, "risk", limit) if isinstance(row, AccountRisk)]


def statement(name: QuestionName, limit: int | None = None) -> str:
    """The statement that answers a question, for `psql` on a cluster; not for `status`."""
    question = QUESTIONS[name]
    return f"{question.query}\nLIMIT {limit or question.limit};"


def as_json(row: BaseModel) -> JsonObject:
    """A row as JSON: times in UTC, decimals as strings, unset fields left out."""
    return row.model_dump(mode="json", exclude_unset=True)


def _each(query: str) -> str:
    """One query over every stream."""
    return " UNION ALL ".join(query.format(stream=stream) for stream in STREAMS)


# Profiles are reference data: they may be older or newer than what happens.
_NEWEST = (
    "SELECT max(occurred_at) AS watermark FROM ("
    + " UNION ALL ".join(f"SELECT occurred_at FROM stg_{s}" for s in STREAMS if s != "kyc_profiles")
    + ") AS events"
)
_SPANS = {
    "last minute": f"WHERE t.occurred_at > ({_NEWEST}) - INTERVAL '60 seconds'",
    "last hour": f"WHERE t.occurred_at > ({_NEWEST}) - INTERVAL '1 hour'",
    "all": "",
}
_COUNTED = " UNION ALL ".join(
    f"""
    SELECT {place} AS place, '{span}' AS span, count(*) AS transactions,
      count(f.event_id) AS flagged
    FROM stg_transactions AS t
    LEFT JOIN (SELECT DISTINCT event_id FROM mv_fraud_signals) AS f ON f.event_id = t.event_id
    {where}"""
    for place, (span, where) in enumerate(_SPANS.items())
)
_RATED = f"""(
    SELECT place, span, transactions, flagged, CASE WHEN transactions > 0
      THEN round(100.0 * flagged / transactions, 2) ELSE 0 END AS fraud_rate_pct
    FROM ({_COUNTED}) AS counted
  ) AS rated ORDER BY place"""


def _status(reader: Reader) -> list[Row]:
    is_store = reader.rows(
        "SELECT table_name FROM information_schema.tables WHERE table_name = 'progress'"
    )
    counted = "SELECT '{stream}' AS label, count(*) AS n FROM "
    found = {
        "events": _counts(reader, _each(counted + ("{stream}" if is_store else "stg_{stream}"))),
        "signals": _counts(
            reader, "SELECT pattern AS label, count(*) AS n FROM mv_fraud_signals GROUP BY pattern"
        ),
        "without_rate": reader.rows(
            "SELECT count(*) AS n FROM stg_transactions WHERE base_amount IS NULL"
        )[0]["n"],
        "open_cases": _counts(
            reader, "SELECT level AS label, count(*) AS n FROM mv_open_fraud_cases GROUP BY level"
        ),
    }
    return [found | (_kept_by_stores(reader) if is_store else reader.rows(_NEWEST)[0])]


def _kept_by_stores(reader: Reader) -> Row:
    [progress] = reader.rows(
        "SELECT watermark, duplicates, (SELECT count(*) FROM dead_letters) AS dead_letters "
        "FROM progress"
    )
    union = _each("SELECT ingest_status FROM {stream}")
    disposed = _counts(
        reader,
        f"SELECT ingest_status AS label, count(*) AS n FROM ({union}) AS e GROUP BY ingest_status",
    )
    sources = reader.rows("SELECT source, committed_at FROM source_positions")
    return {
        **progress,
        "late": disposed.get("late", 0),
        "future": disposed.get("future", 0),
        "sources": {row["source"]: row["committed_at"] for row in sources},
    }


def _counts(reader: Reader, query: str) -> dict[str, int]:
    return {row["label"]: row["n"] for row in reader.rows(query)}


QUESTIONS: dict[QuestionName, Question] = {
    "risk": Question(
        "Accounts by risk",
        AccountRisk,
        "mv_account_risk_score_realtime ORDER BY risk_score DESC, account_id",
        shown=5,
    ),
    "cases": Question(
        "Open cases",
        OpenCase,
        "mv_open_fraud_cases ORDER BY exposure * score * score DESC, due_at, case_id",
        shown=8,
    ),
    "kpis": Question(
        "KPIs by minute", Minute, "mv_fraud_kpis_1min ORDER BY window_start DESC", limit=15
    ),
    "fraud-rate": Question("Fraud rate", Span, _RATED),
    "status": Question("Status", Status, _status),
}
