"""What tumbling windows of the same length would miss: `python benchmarks/tumbling_windows.py DIR`.

An attack is a subject's signals of one pattern without a pause longer than the pattern's window. A
tumbling window misses it when none of its buckets holds as many events (or different values) as the
threshold asks for; it finds it late when the bucket that does ends after the first signal.
"""

import sys
from pathlib import Path

import duckdb

from detector.adapters.dbt_models import event_files, load, open_database, run
from detector.adapters.rendering import rendered
from detector.signals.conditions import sql
from detector.signals.loading import load_rules
from detector.signals.pattern import Pattern


def missed(db: duckdb.DuckDBPyConnection, pattern: Pattern) -> tuple[int, int, float | None]:
    """How many attacks sliding windows found, how many of them tumbling ones miss, median delay."""
    where, values = sql(pattern.where)
    subject = " || '|' || ".join(pattern.key)
    counted = f"count(DISTINCT {pattern.value})" if pattern.value else "count(*)"
    window = f"INTERVAL '{pattern.window_seconds} seconds'"
    row = db.execute(
        f"""
        WITH steps AS (
          SELECT subject, occurred_at, occurred_at - lag(occurred_at) OVER w > {window} AS pause
          FROM {pattern.view} WINDOW w AS (PARTITION BY subject ORDER BY occurred_at, event_id)
        ),
        numbered AS (
          SELECT *, count(*) FILTER (WHERE coalesce(pause, true)) OVER (
            PARTITION BY subject ORDER BY occurred_at) AS attack FROM steps
        ),
        attacks AS (
          SELECT subject, attack, min(occurred_at) AS found_at, max(occurred_at) AS last_at
          FROM numbered GROUP BY ALL
        ),
        full_buckets AS (
          SELECT {subject} AS subject, time_bucket({window}, occurred_at) AS start
          FROM stg_{pattern.source} WHERE {where} GROUP BY ALL HAVING {counted} >= ?
        ),
        caught AS (
          SELECT a.subject, a.attack, any_value(a.found_at) AS found_at, min(b.start) AS start
          FROM attacks AS a LEFT JOIN full_buckets AS b ON a.subject = b.subject
            AND b.start > a.found_at - 2 * {window} AND b.start <= a.last_at
          GROUP BY a.subject, a.attack
        )
        SELECT count(*), count(*) FILTER (WHERE start IS NULL),
          median(epoch(start + {window} - found_at))
        FROM caught
        """,
        [*values, pattern.threshold],
    ).fetchall()[0]
    return row[0], row[1], row[2]


def main(folder: Path) -> None:
    """Print the table for docs/fraud_patterns.md."""
    rules = load_rules()
    bursts = [p for p in rules.patterns.values() if p.operator in {"burst", "distinct_burst"}]
    with open_database() as db:
        load(db, event_files([folder]))
        run(db, rendered(rules).needed_for([p.view for p in bursts]))
        print("| pattern | attacks | missed | share missed | detected later by (median) |")
        print("|---|---:|---:|---:|---:|")
        for pattern in bursts:
            attacks, lost, delay = missed(db, pattern)
            share = f"{lost / attacks:.1%}" if attacks else "-"
            late = f"{delay:.0f} s" if delay is not None else "-"
            print(f"| {pattern.id} | {attacks:,} | {lost:,} | {share} | {late} |")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
