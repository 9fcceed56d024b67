"""What a team with so many alerts a day would catch: by our queue, and by simpler ones."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta

import duckdb

from detector.adapters.duckdb.reading import read_signals
from detector.analysis.rates import precision, share
from detector.cases.book import CaseBook, CustomerSignals
from detector.cases.case import Case
from detector.cases.priority import likelihood
from detector.core.data import JsonObject
from detector.signals.rules import Rules
from detector.signals.signal import Signal

DEPTHS = (10, 50, 100, 500)
"""Alerts that a team works in a day."""

QUEUES = ("cases", "largest_amount", "random")


def open_alerts(db: duckdb.DuckDBPyConnection, rules: Rules) -> None:
    """Create `alerts` and `alert_events` from a store's signals, and the baselines beside them.

    An alert is a case as it would be if all cases were closed at the end of every day (UTC): so no
    case of yesterday takes credit for the fraud of today. The baselines choose among the customers
    who paid on a day: by their largest payment, or at random; their alert is at that payment, and
    shows all of the customer's events of the day.
    """
    alerts = cases_by_day(read_signals(db, "true", []), rules)
    db.execute(
        "CREATE OR REPLACE TEMP TABLE day_cases AS SELECT unnest(?::VARCHAR[]) AS customer_id, "
        "unnest(?::TIMESTAMPTZ[]) AS alerted_at, unnest(?::TIMESTAMPTZ[]) AS first_at, "
        "unnest(?::TIMESTAMPTZ[]) AS last_at, unnest(?::DOUBLE[]) AS loss, "
        "unnest(?::TIMESTAMPTZ[]) AS due_at",
        [
            [case.customer_id for case in alerts],
            [case.opened_at for case in alerts],
            [case.first_signal_at for case in alerts],
            [case.last_signal_at for case in alerts],
            [float(case.exposure) * likelihood(case.score) for case in alerts],
            [case.due_at for case in alerts],
        ],
    )
    db.execute(_ALERTS)
    db.execute(_ALERT_EVENTS)


def queue_report(db: duckdb.DuckDBPyConnection) -> JsonObject:
    """Value and precision at every depth of every queue; needs `instances` and `open_alerts`."""
    db.execute(_CAUGHT.format(columns=", ".join(_each(_FIRST_SEEN)), sums=", ".join(_each(_SUM))))
    names = ", ".join(f"sum({name})" for name in _each("{queue}_{depth}"))
    [(value, *caught)] = db.execute(f"SELECT sum(value), {names} FROM caught").fetchall()
    intervals = _bootstrap(db)
    worked = {row[:2]: row[2:] for row in db.execute(_WORKED).fetchall()}
    [(days, opened)] = db.execute(
        "SELECT count(DISTINCT occurred_at::DATE), (SELECT count(*) FROM day_cases) "
        "FROM stg_transactions"
    ).fetchall()
    queues: JsonObject = {queue: {} for queue in QUEUES}
    for (queue, depth), found, interval in zip(_pairs(), caught, intervals, strict=True):
        alerts, right = worked.get((queue, depth), (0, 0))
        queues[queue][str(depth)] = {
            "alerts": alerts,
            **precision(right, alerts),
            "value_caught": found or 0,
            "value_caught_share": share(found or 0, value or 0),
            "value_caught_interval": interval,
        }
    return {"days": days, "cases_per_day": round(opened / days, 1) if days else 0.0, **queues}


def cases_by_day(signals: Iterable[Signal], rules: Rules) -> list[Case]:
    """The cases of signals in order of time, if all were closed at the end of every day."""
    by_customer: defaultdict[str, list[Signal]] = defaultdict(list)
    for signal in signals:
        by_customer[signal.customer_id].append(signal)
    book = CaseBook(rules)
    cases: list[Case] = []
    for customer_id, own in by_customer.items():
        first, last = own[0].occurred_at, own[-1].occurred_at
        cases += book.rebuild(CustomerSignals(customer_id, _midnights(first, last), own))
    return cases


def _midnights(first: datetime, last: datetime) -> list[datetime]:
    """The ends of the days from the first to before the last."""
    days = (last.astimezone(UTC).date() - first.astimezone(UTC).date()).days
    start = datetime.combine(first.astimezone(UTC).date(), time(), UTC)
    moment = timedelta(microseconds=1)
    return [start + timedelta(days=n + 1) - moment for n in range(days)]


def _pairs() -> list[tuple[str, int]]:
    return [(queue, depth) for queue in QUEUES for depth in DEPTHS]


def _each(template: str) -> list[str]:
    return [template.format(queue=queue, depth=depth) for queue, depth in _pairs()]


def _bootstrap(db: duckdb.DuckDBPyConnection) -> list[tuple[float, float] | None]:
    """95 % intervals of the shares of value, from 200 Poisson resamples of the instances."""
    shares = ", ".join(f"sum(w * {name}) / sum(w * value)" for name in _each("{queue}_{depth}"))
    rows = db.execute(_RESAMPLED.format(shares=shares)).fetchall()
    found: list[tuple[float, float] | None] = []
    for values in zip(*rows, strict=True):
        known = sorted(float(v) for v in values if v is not None)
        low, high = int(0.025 * len(known)), int(0.975 * len(known))
        found.append((round(known[low], 4), round(known[high], 4)) if known else None)
    return found or [None] * len(_pairs())


_ALERTS = """
CREATE OR REPLACE TEMP TABLE alerts AS
WITH payments AS (
  SELECT customer_id, occurred_at, base_amount, occurred_at::DATE AS day,
    hash(event_id || 'draw') AS draw
  FROM stg_transactions
  WHERE status = 'APPROVED' AND base_amount > 0 AND transaction_type <> 'CASH_DEPOSIT'
),
candidates AS (
  SELECT 'cases' AS queue, customer_id, alerted_at::DATE AS day, alerted_at,
    loss AS urgency, first_at, last_at, due_at
  FROM day_cases
  UNION ALL
  SELECT 'largest_amount', customer_id, day, arg_max(occurred_at, base_amount), max(base_amount),
    NULL, NULL, NULL
  FROM payments GROUP BY customer_id, day
  UNION ALL
  SELECT 'random', customer_id, day, arg_min(occurred_at, draw),
    (hash(customer_id || day::VARCHAR) % 1000000007)::DOUBLE, NULL, NULL, NULL
  FROM payments GROUP BY customer_id, day
)
SELECT *, row_number() OVER (
    PARTITION BY queue, day ORDER BY urgency DESC, due_at, customer_id) AS place,
  queue || ' ' || day::VARCHAR || ' ' || customer_id AS alert_id
FROM candidates"""

# When an analyst who has the alert sees an event: not before the alert, nor before the signal.
_ALERT_EVENTS = r"""
CREATE OR REPLACE TEMP TABLE alert_events AS
WITH seen AS (
  SELECT a.alert_id, greatest(a.alerted_at, s.occurred_at) AS seen_at, s.event_id, s.exposed
  FROM alerts AS a JOIN fraud_signals AS s ON s.customer_id = a.customer_id
    AND s.occurred_at BETWEEN a.first_at AND a.last_at
  WHERE a.queue = 'cases'
)
SELECT alert_id, seen_at, event_id FROM seen
UNION ALL
SELECT alert_id, seen_at, regexp_extract(unnest(exposed), '^\S+ \S+ (.*)$', 1, 's') FROM seen
UNION ALL
SELECT a.alert_id, a.alerted_at, t.event_id
FROM alerts AS a JOIN stg_transactions AS t ON t.customer_id = a.customer_id
  AND t.occurred_at::DATE = a.day
WHERE a.queue <> 'cases' AND t.event_id IN (SELECT event_id FROM truth)"""

_FIRST_SEEN = (
    "min(e.seen_at) FILTER (WHERE a.queue = '{queue}' AND a.place <= {depth}) AS {queue}_{depth}_at"
)
_SUM = (
    "coalesce(sum(m.amount) FILTER (WHERE m.occurred_at >= f.{queue}_{depth}_at), 0) "
    "AS {queue}_{depth}"
)
_CAUGHT = """
CREATE OR REPLACE TEMP TABLE caught AS
WITH first_seen AS (
  SELECT t.scenario, t.instance, {columns}
  FROM truth AS t JOIN alert_events AS e USING (event_id) JOIN alerts AS a USING (alert_id)
  GROUP BY t.scenario, t.instance
)
SELECT i.scenario, i.instance, i.value::DOUBLE AS value, {sums}
FROM instances AS i
JOIN instance_money AS m USING (scenario, instance)
LEFT JOIN first_seen AS f USING (scenario, instance)
WHERE NOT i.censored
GROUP BY i.scenario, i.instance, i.value"""

_RESAMPLED = """
WITH resamples AS (
  SELECT b, c.*, (hash(c.scenario || c.instance || b::VARCHAR) % 1000000) / 1e6 AS u
  FROM caught AS c CROSS JOIN range(200) AS r(b) WHERE c.value > 0
),
weighted AS (
  SELECT *, CASE WHEN u < 0.367879 THEN 0 WHEN u < 0.735759 THEN 1 WHEN u < 0.919699 THEN 2
    WHEN u < 0.981012 THEN 3 WHEN u < 0.996340 THEN 4 ELSE 5 END AS w
  FROM resamples
)
SELECT {shares} FROM weighted GROUP BY b HAVING sum(w * value) > 0"""

_WORKED = f"""
SELECT a.queue, d.depth, count(*), count(*) FILTER (
    WHERE a.alert_id IN (SELECT alert_id FROM alert_events SEMI JOIN truth USING (event_id)))
FROM alerts AS a JOIN (SELECT unnest([{", ".join(map(str, DEPTHS))}]) AS depth) AS d
  ON a.place <= d.depth
GROUP BY a.queue, d.depth"""
