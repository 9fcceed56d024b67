-- The newest minutes.
SELECT window_start, transactions, amount, flagged, fraud_rate_pct, signals
FROM mv_fraud_kpis_1min
ORDER BY window_start DESC
LIMIT 15;
