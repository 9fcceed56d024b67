-- From the moment of an event to the barrier that made its signal visible, in milliseconds, over the
-- last five minutes. _rw_timestamp is RisingWave's hidden commit time of a row. What comes on top is
-- the commit of that barrier, some tens of milliseconds.
SELECT count(*) AS signals,
  round((percentile_cont(0.5) WITHIN GROUP (ORDER BY age_ms))::NUMERIC, 0) AS p50_ms,
  round((percentile_cont(0.95) WITHIN GROUP (ORDER BY age_ms))::NUMERIC, 0) AS p95_ms,
  round(max(age_ms)::NUMERIC, 0) AS max_ms
FROM (
  SELECT (1000 * EXTRACT(EPOCH FROM _rw_timestamp - occurred_at))::DOUBLE PRECISION AS age_ms
  FROM fraud_signal_log
  WHERE occurred_at > now() - INTERVAL '5 minutes'
) AS recent;
