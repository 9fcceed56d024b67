-- The embedded store. Events keep every field of the contract, and what became of them.
CREATE TABLE IF NOT EXISTS transactions (
  event_id VARCHAR NOT NULL, occurred_at TIMESTAMPTZ NOT NULL, transaction_id VARCHAR NOT NULL,
  account_id VARCHAR NOT NULL, customer_id VARCHAR NOT NULL, transaction_type VARCHAR NOT NULL,
  channel VARCHAR NOT NULL, card_present BOOLEAN NOT NULL, amount DECIMAL(18, 2) NOT NULL,
  currency VARCHAR NOT NULL, status VARCHAR NOT NULL, card_token VARCHAR, card_bin VARCHAR,
  card_last4 VARCHAR, merchant_id VARCHAR, merchant_category VARCHAR, merchant_country VARCHAR,
  city VARCHAR, latitude DOUBLE, longitude DOUBLE, device_id VARCHAR, ip_address VARCHAR,
  payee_id VARCHAR, base_amount DECIMAL(18, 2), ingest_status VARCHAR NOT NULL, received_at TIMESTAMPTZ NOT NULL
);
CREATE TABLE IF NOT EXISTS logins (
  event_id VARCHAR NOT NULL, occurred_at TIMESTAMPTZ NOT NULL, customer_id VARCHAR NOT NULL,
  outcome VARCHAR NOT NULL, failure_reason VARCHAR, device_id VARCHAR, ip_address VARCHAR,
  country VARCHAR, ingest_status VARCHAR NOT NULL, received_at TIMESTAMPTZ NOT NULL
);
CREATE TABLE IF NOT EXISTS card_events (
  event_id VARCHAR NOT NULL, occurred_at TIMESTAMPTZ NOT NULL, card_token VARCHAR NOT NULL,
  account_id VARCHAR NOT NULL, customer_id VARCHAR NOT NULL, event_type VARCHAR NOT NULL,
  ingest_status VARCHAR NOT NULL, received_at TIMESTAMPTZ NOT NULL
);
CREATE TABLE IF NOT EXISTS alerts (
  event_id VARCHAR NOT NULL, occurred_at TIMESTAMPTZ NOT NULL, customer_id VARCHAR NOT NULL,
  alert_type VARCHAR NOT NULL, severity VARCHAR NOT NULL, confidence DOUBLE NOT NULL,
  rule_id VARCHAR NOT NULL, account_id VARCHAR, transaction_id VARCHAR,
  ingest_status VARCHAR NOT NULL, received_at TIMESTAMPTZ NOT NULL
);
CREATE TABLE IF NOT EXISTS kyc_profiles (
  event_id VARCHAR NOT NULL, occurred_at TIMESTAMPTZ NOT NULL, customer_id VARCHAR NOT NULL,
  account_ids VARCHAR[] NOT NULL, registered_device_ids VARCHAR[] NOT NULL,
  risk_tier VARCHAR NOT NULL, kyc_status VARCHAR NOT NULL, is_pep BOOLEAN NOT NULL,
  country VARCHAR NOT NULL, home_latitude DOUBLE NOT NULL, home_longitude DOUBLE NOT NULL,
  segment VARCHAR NOT NULL, ingest_status VARCHAR NOT NULL, received_at TIMESTAMPTZ NOT NULL
);
CREATE TABLE IF NOT EXISTS fraud_signals (
  signal_id VARCHAR PRIMARY KEY, pattern VARCHAR NOT NULL, rule_id VARCHAR NOT NULL,
  severity VARCHAR NOT NULL, weight DOUBLE NOT NULL, customer_id VARCHAR NOT NULL,
  account_id VARCHAR, subject VARCHAR NOT NULL, event_id VARCHAR NOT NULL,
  occurred_at TIMESTAMPTZ NOT NULL, window_start TIMESTAMPTZ NOT NULL, observed DOUBLE NOT NULL,
  threshold DOUBLE NOT NULL, amount DECIMAL(18, 2), reason VARCHAR NOT NULL,
  evidence JSON NOT NULL, exposed VARCHAR[] NOT NULL
);
-- Signals of patterns in shadow: without effect on scores and cases.
CREATE TABLE IF NOT EXISTS shadow_signals (
  signal_id VARCHAR PRIMARY KEY, pattern VARCHAR NOT NULL, rule_id VARCHAR NOT NULL,
  severity VARCHAR NOT NULL, weight DOUBLE NOT NULL, customer_id VARCHAR NOT NULL,
  account_id VARCHAR, subject VARCHAR NOT NULL, event_id VARCHAR NOT NULL,
  occurred_at TIMESTAMPTZ NOT NULL, window_start TIMESTAMPTZ NOT NULL, observed DOUBLE NOT NULL,
  threshold DOUBLE NOT NULL, amount DECIMAL(18, 2), reason VARCHAR NOT NULL,
  evidence JSON NOT NULL, exposed VARCHAR[] NOT NULL
);
-- Patterns that were put in shadow because they fired on too many customers.
CREATE TABLE IF NOT EXISTS braked (
  pattern VARCHAR PRIMARY KEY, braked_at TIMESTAMPTZ NOT NULL, fired BIGINT NOT NULL,
  active BIGINT NOT NULL
);
-- Which accounts a signal counts for: its own, or every account its customer held at the time.
CREATE TABLE IF NOT EXISTS account_signals (
  account_id VARCHAR NOT NULL, signal_id VARCHAR NOT NULL, occurred_at TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (account_id, signal_id)
);
CREATE TABLE IF NOT EXISTS risk_history (
  account_id VARCHAR NOT NULL, occurred_at TIMESTAMPTZ NOT NULL, risk_score DOUBLE NOT NULL,
  risk_level VARCHAR NOT NULL, patterns VARCHAR NOT NULL, PRIMARY KEY (account_id, occurred_at)
);
CREATE TABLE IF NOT EXISTS cases (
  case_id VARCHAR PRIMARY KEY, customer_id VARCHAR NOT NULL, account_ids VARCHAR NOT NULL,
  level VARCHAR NOT NULL, score DOUBLE NOT NULL, patterns VARCHAR NOT NULL,
  signal_count BIGINT NOT NULL, exposure DECIMAL(18, 2) NOT NULL,
  already_gone DECIMAL(18, 2) NOT NULL, first_signal_at TIMESTAMPTZ NOT NULL,
  last_signal_at TIMESTAMPTZ NOT NULL, opened_at TIMESTAMPTZ NOT NULL,
  due_at TIMESTAMPTZ NOT NULL, recommended_action VARCHAR NOT NULL,
  actions VARCHAR NOT NULL, withdrawn BOOLEAN NOT NULL, previous_case_id VARCHAR
);
-- What callers were told about transactions that they asked to have scored.
CREATE TABLE IF NOT EXISTS score_decisions (
  event_id VARCHAR PRIMARY KEY, account_id VARCHAR NOT NULL, decided_at TIMESTAMPTZ NOT NULL,
  decision VARCHAR NOT NULL, risk_level VARCHAR NOT NULL, risk_score DOUBLE NOT NULL,
  answer JSON NOT NULL
);
CREATE TABLE IF NOT EXISTS dead_letters (
  stream VARCHAR NOT NULL, reason VARCHAR NOT NULL, origin VARCHAR NOT NULL,
  "offset" BIGINT NOT NULL, raw BLOB NOT NULL, received_at TIMESTAMPTZ NOT NULL
);
CREATE TABLE IF NOT EXISTS source_positions (
  source VARCHAR PRIMARY KEY, position VARCHAR NOT NULL, committed_at TIMESTAMPTZ NOT NULL
);
-- The Parquet files of the archive, and until when they hold events.
CREATE TABLE IF NOT EXISTS archived (
  file VARCHAR PRIMARY KEY, stream VARCHAR NOT NULL, until TIMESTAMPTZ NOT NULL,
  events BIGINT NOT NULL
);
-- One row: how far event time has come, and what was counted but leaves no row of its own.
CREATE TABLE IF NOT EXISTS progress (
  schema_version INTEGER NOT NULL, watermark TIMESTAMPTZ, final TIMESTAMPTZ,
  lanes VARCHAR NOT NULL, duplicates BIGINT NOT NULL, committed_at TIMESTAMPTZ
);
