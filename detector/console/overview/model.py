"""The overview: the state of the bank at a glance."""

from datetime import datetime, timedelta

from pydantic import BaseModel, Field

from detector.adapters.questions import AccountRisk, ask
from detector.console.context import Context
from detector.console.live.pulse import Pulse
from detector.console.queries.cases import CaseRow
from detector.console.queries.filters import QueueFilters
from detector.console.queries.minutes import HOUR, MinuteCounts, read_minutes, without_gaps
from detector.console.queries.queue import top_cases
from detector.console.queries.signals import SignalRow, signal_list
from detector.console.queries.trips import Trip, newest_trips
from detector.signals.rules import Level

SIGNALS = 30
ACCOUNTS = 7
CASES = 5
BANDS = 20
_MINUTE = timedelta(minutes=1)


class Band(BaseModel):
    """How many accounts have a score in (above, up_to]."""

    above: float
    up_to: float
    level: Level = Field(description="The level of a score at the band's upper end.")
    accounts: int


class Overview(BaseModel):
    """The state of the bank: counts, the last hour by the minute, the worst and the newest."""

    pulse: Pulse
    minutes: list[MinuteCounts] = Field(description="The last hour of event time, without gaps.")
    signals: list[SignalRow]
    cases: list[CaseRow]
    accounts: list[AccountRisk]
    bands: list[Band]
    trips: list[Trip]


def overview(context: Context) -> Overview:
    """The current state of the bank."""
    reader, pulse = context.reader, context.pulse.now()
    return Overview(
        pulse=pulse,
        minutes=without_gaps(context.pulse.minutes(), pulse.watermark or pulse.at),
        signals=signal_list(reader, {}, limit=SIGNALS),
        cases=top_cases(reader, context.people, QueueFilters(), CASES),
        accounts=[AccountRisk.model_validate(row) for row in ask(reader, "risk", ACCOUNTS)],
        bands=_bands(context),
        trips=newest_trips(reader, context.rules),
    )


def counts_until(context: Context, end: datetime, step: timedelta) -> list[MinuteCounts]:
    """Up to sixty steps of event time that end with a time, read from the views."""
    span = HOUR * step
    most, after = round(span / _MINUTE), end + _MINUTE
    buckets = read_minutes(context.rules, context.reader, after, most)
    found = [MinuteCounts.of(b) for b in buckets if b.window_start > end - span]
    return without_gaps(found, end, step)


def _bands(context: Context) -> list[Band]:
    """Scores above 0 in equal bands, including empty ones."""
    rows = context.reader.rows(
        f"SELECT CAST(CEIL(risk_score * {BANDS:d} - 0.000001) AS INTEGER) AS band, "
        "COUNT(*) AS accounts FROM mv_account_risk_score_realtime GROUP BY 1"
    )
    found = {row["band"]: row["accounts"] for row in rows}
    return [
        Band(
            above=(band - 1) / BANDS,
            up_to=band / BANDS,
            level=context.rules.risk.level(band / BANDS),
            accounts=found.get(band, 0),
        )
        for band in range(1, BANDS + 1)
    ]
