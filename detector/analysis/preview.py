"""What a changed rule would have done: the models over the same history, before and after."""

from pathlib import Path

import duckdb

from detector.adapters.database import rows_of
from detector.adapters.dbt_models import run
from detector.adapters.rendering import rendered
from detector.analysis.backtest import CONFIRMED, REFUTED, judged
from detector.analysis.rates import precision
from detector.core.data import JsonObject, Row
from detector.signals.rules import Rules

RESULTS = ("mv_fraud_signals", "account_signals", "fraud_cases")
DEPTHS = ("10", "50", "100", "500")
SAMPLE = 10


class Preview:
    """One pattern over a history of events, whose other patterns stay as they are.

    `db` has the staging tables (`history`). Every figure is computed by the SQL models, as a
    backtest with the changed rules would; no case is ever closed.
    """

    def __init__(
        self, db: duckdb.DuckDBPyConnection, rules: Rules, name: str, truth: Path | None = None
    ) -> None:
        self._db, self._name, self._truth = db, name, truth
        self._view = rules.patterns[name].view
        [(self._database,)] = db.execute("SELECT current_database()").fetchall()
        self._built = {name for (name,) in db.execute(_RELATIONS).fetchall()}
        self.before = self.outcome(rules)
        db.execute("CREATE TABLE cases_before AS FROM fraud_cases")

    def outcome(self, rules: Rules) -> JsonObject:
        """What the pattern finds with these rules, which differ from the others only in it."""
        outdated = {self._view}
        for model in rendered(rules, database=self._database).needed_for(RESULTS):
            if model.name in outdated or model.reads & outdated or model.name not in self._built:
                run(self._db, [model])
                outdated |= {model.name} if model.reads & outdated else set()
                self._built.add(model.name)
        found: JsonObject = {**self._row(_SIGNALS, self._name), **self._row(_CASES)}
        found["alone"] = self._row(_ALONE, self._name)["customers"]
        found["together_with"] = dict(self._db.execute(_TOGETHER, [self._name]).fetchall())
        if self._truth is not None:
            found["truth"] = self._against_truth(self._truth, rules)
        if "decided" in self._built:
            found["decided"] = self._against_decisions()
        return found

    def compare(self, rules: Rules) -> JsonObject:
        """Before and after, and the cases that would appear or disappear, with some of each."""
        after = self.outcome(rules)
        return {
            "pattern": self._name,
            "before": self.before,
            "after": after,
            "cases": {
                "new": self._difference("fraud_cases", "cases_before"),
                "gone": self._difference("cases_before", "fraud_cases"),
            },
        }

    def _difference(self, left: str, right: str) -> JsonObject:
        only = f"FROM {left} AS c WHERE c.case_id NOT IN (SELECT case_id FROM {right})"
        [(count,)] = self._db.execute(f"SELECT count(*) {only}").fetchall()
        sample = rows_of(
            self._db,
            "SELECT case_id, customer_id, level, score, patterns, exposure, opened_at "
            f"{only} ORDER BY exposure DESC, case_id LIMIT {SAMPLE}",
        )
        return {"count": count, "sample": sample}

    def _against_truth(self, truth: Path, rules: Rules) -> JsonObject:
        report = judged(self._db, truth, rules)
        own, overall, queue = report["patterns"][self._name], report["overall"], report["queue"]
        kept = ("precision", "precision_interval", "recall", "recall_interval", "instances")
        return {
            **{name: own[name] for name in kept},
            "value_in_case_share": overall["value_in_case_share"],
            "value_saved": overall["value_saved"],
            "cases_per_day": queue["cases_per_day"],
            "value_caught_share": {
                depth: queue["cases"][depth]["value_caught_share"] for depth in DEPTHS
            },
        }

    def _against_decisions(self) -> JsonObject:
        """The decided cases that would still show: those confirmed and those refuted."""
        found = self._row(_DECIDED, *CONFIRMED, *CONFIRMED, REFUTED, REFUTED)
        right, shown = found["confirmed_shown"], found["confirmed_shown"] + found["refuted_shown"]
        return {
            **found,
            **precision(right, shown),
        }

    def _row(self, query: str, *parameters: object) -> Row:
        [row] = rows_of(self._db, query, parameters)
        return row


_RELATIONS = """
SELECT table_name FROM duckdb_tables() WHERE database_name = current_database() UNION
SELECT view_name FROM duckdb_views() WHERE database_name = current_database()"""

_SIGNALS = """
SELECT count(*) AS signals, count(DISTINCT subject) AS subjects,
  count(DISTINCT customer_id) AS customers
FROM mv_fraud_signals WHERE pattern = ?"""

_CASES = """
SELECT count(*) AS cases, count(*) FILTER (WHERE level = 'critical') AS critical,
  count(*) FILTER (WHERE level = 'high') AS high, coalesce(sum(exposure), 0) AS exposure,
  round(count(*) / greatest(1, (SELECT count(DISTINCT occurred_at::DATE) FROM stg_transactions)), 1)
    AS cases_per_day
FROM fraud_cases"""

_ALONE = """
SELECT count(*) AS customers FROM (
  SELECT customer_id FROM mv_fraud_signals GROUP BY customer_id
  HAVING bool_and(pattern = ?))"""

_TOGETHER = """
SELECT o.pattern, count(DISTINCT o.customer_id)
FROM mv_fraud_signals AS s JOIN mv_fraud_signals AS o USING (customer_id)
WHERE s.pattern = ? AND o.pattern <> s.pattern GROUP BY o.pattern ORDER BY 2 DESC"""

_DECIDED = """
WITH shown AS (
  SELECT *, EXISTS (SELECT 1 FROM mv_fraud_signals AS s WHERE s.customer_id = d.customer_id
    AND s.occurred_at BETWEEN d.first_signal_at AND d.closed_until) AS shown
  FROM decided AS d
)
SELECT count(*) FILTER (WHERE disposition IN (?, ?)) AS confirmed,
  count(*) FILTER (WHERE disposition IN (?, ?) AND shown) AS confirmed_shown,
  count(*) FILTER (WHERE disposition = ?) AS refuted,
  count(*) FILTER (WHERE disposition = ? AND shown) AS refuted_shown
FROM shown"""
