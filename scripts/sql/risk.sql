-- Accounts by risk score, as of now.
SELECT account_id, risk_score, risk_level, patterns, last_signal_at, customer_id, signal_count
FROM mv_account_risk_score_realtime
ORDER BY risk_score DESC, account_id
LIMIT 20;
