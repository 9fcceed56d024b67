{{ config(materialized='table_with_connector', enabled=target.type == 'risingwave', full_refresh=false, zero_downtime=none) }}

-- Reviews: one row per case, written by users and their tools, never by detection.
create table if not exists {{ this }} (
    case_id varchar primary key,
    customer_id varchar,
    status varchar,
    owner varchar,
    disposition varchar,
    reviewed_at timestamptz,
    closed_until timestamptz
)
