"""Three of the patterns as Flink SQL, run by `benchmarks.flink` in an environment of its own.

Event time in milliseconds, a watermark without lateness (but a millisecond, or it would drop the
second of two events at one time), windows with both ends included: what our engine does, less late
events, evidence, scores, cases and the store. Signals go to CSV files.
"""

import sys

from pyflink.table import EnvironmentSettings, TableEnvironment

_SOURCE = """
CREATE TABLE transactions (
  event_id STRING, occurred_at STRING, account_id STRING, card_token STRING,
  card_present BOOLEAN, latitude DOUBLE, longitude DOUBLE,
  event_at AS TO_TIMESTAMP(
    REPLACE(SUBSTRING(occurred_at, 1, 23), 'T', ' '), 'yyyy-MM-dd HH:mm:ss.SSS'),
  WATERMARK FOR event_at AS event_at - INTERVAL '0.001' SECOND
) WITH ('connector' = 'filesystem', 'path' = '{path}', 'format' = 'json')"""

_SINK = """
CREATE TABLE {name} (event_id STRING, account STRING, observed DOUBLE)
WITH ('connector' = 'filesystem', 'path' = '{path}', 'format' = 'csv')"""

_BURST = """
INSERT INTO {name} SELECT event_id, account, CAST(n AS DOUBLE) FROM (
  SELECT event_id, {key} AS account, COUNT(*) OVER (
    PARTITION BY {key} ORDER BY event_at
    RANGE BETWEEN INTERVAL '{seconds}' SECOND({digits}) PRECEDING AND CURRENT ROW) AS n
  FROM transactions WHERE {where}
) WHERE n >= {threshold}"""

_GEO = """
INSERT INTO geo_impossible SELECT event_id, account, km FROM (
  SELECT event_id, account, event_at, before_at, 2 * 6371.0 * ASIN(SQRT(
    POWER(SIN(RADIANS(latitude - before_latitude) / 2), 2) + COS(RADIANS(before_latitude)) *
    COS(RADIANS(latitude)) * POWER(SIN(RADIANS(longitude - before_longitude) / 2), 2))) AS km
  FROM (
    SELECT event_id, card_token AS account, event_at, latitude, longitude,
      LAG(event_at) OVER w AS before_at, LAG(latitude) OVER w AS before_latitude,
      LAG(longitude) OVER w AS before_longitude
    FROM transactions WHERE card_present
    WINDOW w AS (PARTITION BY card_token ORDER BY event_at)
  )
) WHERE km > 1000 AND event_at < before_at + INTERVAL '2' HOUR"""


def main(source: str, out: str) -> None:
    """Run the three queries over a file to its end."""
    table = TableEnvironment.create(EnvironmentSettings.in_streaming_mode())
    table.get_config().set("parallelism.default", "1")
    table.execute_sql(_SOURCE.format(path=source))
    for name in ("velocity", "cnp_spike", "geo_impossible"):
        table.execute_sql(_SINK.format(name=name, path=f"{out}/{name}"))
    statements = table.create_statement_set()
    statements.add_insert_sql(
        _BURST.format(
            name="velocity", key="account_id", seconds=60, digits=2, where="TRUE", threshold=5
        )
    )
    statements.add_insert_sql(
        _BURST.format(
            name="cnp_spike", key="card_token", seconds=300, digits=3, where="NOT card_present",
            threshold=8,
        )
    )  # fmt: skip
    statements.add_insert_sql(_GEO)
    statements.execute().wait()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
