-- Open cases, the most urgent first.
SELECT case_id, level, score, account_id, patterns, exposure, recommended_action, due_at, status, owner
FROM mv_open_fraud_cases
ORDER BY score DESC, due_at, case_id
LIMIT 20;
