-- What people do. Detection never writes here; people never write elsewhere.
CREATE TABLE IF NOT EXISTS users (
  username VARCHAR PRIMARY KEY, password_hash VARCHAR NOT NULL, role VARCHAR NOT NULL,
  must_change BOOLEAN NOT NULL, disabled BOOLEAN NOT NULL, epoch BIGINT NOT NULL,
  created_at TIMESTAMPTZ NOT NULL
);
CREATE TABLE IF NOT EXISTS api_keys (
  key_id VARCHAR PRIMARY KEY, name VARCHAR NOT NULL, digest VARCHAR NOT NULL,
  created_by VARCHAR NOT NULL, created_at TIMESTAMPTZ NOT NULL, revoked_at TIMESTAMPTZ
);
-- Keys from before keys had roles are machines.
ALTER TABLE api_keys ADD COLUMN IF NOT EXISTS role VARCHAR DEFAULT 'machine';
-- A case without a row is NEW. The snapshot is the case as of the latest action.
CREATE TABLE IF NOT EXISTS case_reviews (
  case_id VARCHAR PRIMARY KEY, status VARCHAR NOT NULL, owner VARCHAR, disposition VARCHAR,
  proposed_by VARCHAR, reason VARCHAR, version BIGINT NOT NULL, reviewed_at TIMESTAMPTZ NOT NULL,
  snapshot JSON NOT NULL
);
-- The customer, and the last signal that a closing covers, so that detection knows what is decided.
ALTER TABLE case_reviews ADD COLUMN IF NOT EXISTS customer_id VARCHAR;
ALTER TABLE case_reviews ADD COLUMN IF NOT EXISTS closed_until TIMESTAMPTZ;
CREATE TABLE IF NOT EXISTS snoozes (
  snooze_id VARCHAR PRIMARY KEY, pattern VARCHAR NOT NULL, entity_kind VARCHAR NOT NULL,
  entity VARCHAR NOT NULL, until TIMESTAMPTZ NOT NULL, reason VARCHAR NOT NULL,
  created_by VARCHAR NOT NULL, created_at TIMESTAMPTZ NOT NULL, ended_at TIMESTAMPTZ
);
CREATE TABLE IF NOT EXISTS smr_drafts (
  case_id VARCHAR PRIMARY KEY, fields JSON NOT NULL, updated_by VARCHAR NOT NULL,
  updated_at TIMESTAMPTZ NOT NULL
);
-- Only ever added to; each entry carries the hash of the one before it.
CREATE TABLE IF NOT EXISTS audit_log (
  seq BIGINT PRIMARY KEY, acted_at TIMESTAMPTZ NOT NULL, actor VARCHAR NOT NULL, role VARCHAR NOT NULL,
  action VARCHAR NOT NULL, subject_kind VARCHAR NOT NULL, subject VARCHAR NOT NULL,
  detail JSON NOT NULL, previous_hash VARCHAR NOT NULL, hash VARCHAR NOT NULL
);
CREATE INDEX IF NOT EXISTS audit_log_subject ON audit_log (subject);
-- How far each follower of the audit log has come.
CREATE TABLE IF NOT EXISTS audit_followers (
  name VARCHAR PRIMARY KEY, seq BIGINT NOT NULL
);
-- Filters and order of the queue under a name.
CREATE TABLE IF NOT EXISTS saved_views (
  owner VARCHAR NOT NULL, name VARCHAR NOT NULL, shared BOOLEAN NOT NULL, query VARCHAR NOT NULL,
  saved_at TIMESTAMPTZ NOT NULL, PRIMARY KEY (owner, name)
);
-- Values of named lists, for the events in [since, until) of their own time.
CREATE TABLE IF NOT EXISTS list_entries (
  entry_id VARCHAR PRIMARY KEY, list_name VARCHAR NOT NULL, value VARCHAR NOT NULL,
  since TIMESTAMPTZ NOT NULL, until TIMESTAMPTZ, reason VARCHAR NOT NULL,
  added_by VARCHAR NOT NULL, added_at TIMESTAMPTZ NOT NULL, ended_by VARCHAR, ended_at TIMESTAMPTZ
);
-- Changes of patterns' blocks: proposed, in force, retired.
CREATE TABLE IF NOT EXISTS rule_versions (
  pattern VARCHAR NOT NULL, version BIGINT NOT NULL, state VARCHAR NOT NULL, changes JSON NOT NULL,
  reason VARCHAR NOT NULL, preview JSON NOT NULL, author VARCHAR NOT NULL,
  created_at TIMESTAMPTZ NOT NULL, decided_by VARCHAR, decided_at TIMESTAMPTZ,
  PRIMARY KEY (pattern, version)
);
-- Of a version that ran in shadow: from which event on, and the last comparison with the live one.
ALTER TABLE rule_versions ADD COLUMN IF NOT EXISTS shadow_since TIMESTAMPTZ;
ALTER TABLE rule_versions ADD COLUMN IF NOT EXISTS compared JSON;
