-- The share of transactions at which a signal fired.
SELECT spans.span, sum(k.transactions) AS transactions, sum(k.flagged) AS flagged,
  round(100.0 * sum(k.flagged) / nullif(sum(k.transactions), 0), 2) AS fraud_rate_pct
FROM (
  SELECT 'last 5 minutes' AS span, now() - INTERVAL '5 minutes' AS since
  UNION ALL SELECT 'last hour', now() - INTERVAL '1 hour'
  UNION ALL SELECT 'last day', now() - INTERVAL '24 hours'
) AS spans
JOIN mv_fraud_kpis_1min AS k ON k.window_start > spans.since
GROUP BY spans.span
ORDER BY transactions;
