{{ config(materialized='table_with_connector', enabled=is_live(), full_refresh=false, zero_downtime=none) }}

create table if not exists {{ this }} (
    signal_id varchar primary key,
    pattern varchar,
    rule_id varchar,
    severity varchar,
    weight double precision,
    customer_id varchar,
    account_id varchar,
    subject varchar,
    event_id varchar,
    occurred_at timestamptz,
    window_start timestamptz,
    observed double precision,
    threshold double precision,
    amount numeric,
    reason varchar,
    evidence jsonb,
    exposed varchar[]
)
