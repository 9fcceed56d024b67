create schema if not exists "public"

-- Reviews: one row per case, written by users and their tools, never by detection.
create table if not exists "dev"."public"."case_reviews" (
    case_id varchar primary key,
    customer_id varchar,
    status varchar,
    owner varchar,
    disposition varchar,
    reviewed_at timestamptz,
    closed_until timestamptz
);

create table if not exists "dev"."public"."fraud_signal_log" (
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
);

create source if not exists "dev"."public"."raw_alerts" (record bytea)
include timestamp as received_at
include partition as kafka_partition
include offset as kafka_offset
with (
    connector = 'kafka',
    topic = 'banking.alerts',
    properties.bootstrap.server = 'redpanda:9092',
    scan.startup.mode = 'earliest'
)
format plain encode bytes;

create source if not exists "dev"."public"."raw_card_events" (record bytea)
include timestamp as received_at
include partition as kafka_partition
include offset as kafka_offset
with (
    connector = 'kafka',
    topic = 'banking.card_events',
    properties.bootstrap.server = 'redpanda:9092',
    scan.startup.mode = 'earliest'
)
format plain encode bytes;

create source if not exists "dev"."public"."raw_kyc_profiles" (record bytea)
include timestamp as received_at
include partition as kafka_partition
include offset as kafka_offset
with (
    connector = 'kafka',
    topic = 'banking.kyc_profiles',
    properties.bootstrap.server = 'redpanda:9092',
    scan.startup.mode = 'earliest'
)
format plain encode bytes;

create source if not exists "dev"."public"."raw_logins" (record bytea)
include timestamp as received_at
include partition as kafka_partition
include offset as kafka_offset
with (
    connector = 'kafka',
    topic = 'banking.logins',
    properties.bootstrap.server = 'redpanda:9092',
    scan.startup.mode = 'earliest'
)
format plain encode bytes;

create source if not exists "dev"."public"."raw_transactions" (record bytea)
include timestamp as received_at
include partition as kafka_partition
include offset as kafka_offset
with (
    connector = 'kafka',
    topic = 'banking.transactions',
    properties.bootstrap.server = 'redpanda:9092',
    scan.startup.mode = 'earliest'
)
format plain encode bytes;

create table if not exists "dev"."public"."src_alerts" (
    event_id varchar
)
append only
include payload as payload
include timestamp as received_at
include partition as kafka_partition
include offset as kafka_offset
with (
    connector = 'kafka',
    topic = 'banking.alerts',
    properties.bootstrap.server = 'redpanda:9092',
    scan.startup.mode = 'earliest',
    retention_seconds = 604800
)
format plain encode json;

create table if not exists "dev"."public"."src_card_events" (
    event_id varchar
)
append only
include payload as payload
include timestamp as received_at
include partition as kafka_partition
include offset as kafka_offset
with (
    connector = 'kafka',
    topic = 'banking.card_events',
    properties.bootstrap.server = 'redpanda:9092',
    scan.startup.mode = 'earliest',
    retention_seconds = 604800
)
format plain encode json;

create table if not exists "dev"."public"."src_kyc_profiles" (
    account_ids varchar[],
    registered_device_ids varchar[],
    event_id varchar
)
append only
include payload as payload
include timestamp as received_at
include partition as kafka_partition
include offset as kafka_offset
with (
    connector = 'kafka',
    topic = 'banking.kyc_profiles',
    properties.bootstrap.server = 'redpanda:9092',
    scan.startup.mode = 'earliest'
)
format plain encode json;

create table if not exists "dev"."public"."src_logins" (
    event_id varchar
)
append only
include payload as payload
include timestamp as received_at
include partition as kafka_partition
include offset as kafka_offset
with (
    connector = 'kafka',
    topic = 'banking.logins',
    properties.bootstrap.server = 'redpanda:9092',
    scan.startup.mode = 'earliest',
    retention_seconds = 604800
)
format plain encode json;

create table if not exists "dev"."public"."src_transactions" (
    event_id varchar
)
append only
include payload as payload
include timestamp as received_at
include partition as kafka_partition
include offset as kafka_offset
with (
    connector = 'kafka',
    topic = 'banking.transactions',
    properties.bootstrap.server = 'redpanda:9092',
    scan.startup.mode = 'earliest',
    retention_seconds = 604800
)
format plain encode json;

create materialized view if not exists "dev"."public"."mv_fraud_signals"
  as
-- signals remain after their events have left the slice that the seven views read
select signal_id, pattern, rule_id, severity, weight, customer_id, account_id, subject, event_id, occurred_at, window_start, observed, threshold, amount, reason, evidence, exposed from "dev"."public"."fraud_signal_log"
  ;

create index if not exists
  "__dbt_index_mv_fraud_signals_customer_id"
  on "dev"."public"."mv_fraud_signals"
  (customer_id);

create index if not exists
  "__dbt_index_mv_fraud_signals_account_id"
  on "dev"."public"."mv_fraud_signals"
  (account_id);

create index if not exists
  "__dbt_index_mv_fraud_signals_event_id"
  on "dev"."public"."mv_fraud_signals"
  (event_id);

-- One message per signal, keyed by signal_id; a signal whose evidence grows is sent again.
create sink if not exists "dev"."public"."sink_fraud_signals_kafka" from "dev"."public"."fraud_signal_log"
with (
    connector = 'kafka',
    properties.bootstrap.server = 'redpanda:9092',
    topic = 'fraud.signals',
    primary_key = 'signal_id'
)
format plain encode json (
    force_append_only = 'true',
    timestamptz.handling.mode = 'utc_string',
    jsonb.handling.mode = 'dynamic'
) key encode text;

create materialized view if not exists "dev"."public"."stg_alerts"
  as with records_of_alerts as (
    select
        received_at, kafka_partition, kafka_offset,
        payload ->> 'event_id' as event_id,
        jsonb_typeof(payload -> 'event_id') as type_of_event_id,
        payload ->> 'occurred_at' as occurred_at,
        jsonb_typeof(payload -> 'occurred_at') as type_of_occurred_at,
        payload ->> 'customer_id' as customer_id,
        jsonb_typeof(payload -> 'customer_id') as type_of_customer_id,
        payload ->> 'alert_type' as alert_type,
        jsonb_typeof(payload -> 'alert_type') as type_of_alert_type,
        payload ->> 'severity' as severity,
        jsonb_typeof(payload -> 'severity') as type_of_severity,
        payload ->> 'confidence' as confidence,
        jsonb_typeof(payload -> 'confidence') as type_of_confidence,
        payload ->> 'rule_id' as rule_id,
        jsonb_typeof(payload -> 'rule_id') as type_of_rule_id,
        payload ->> 'account_id' as account_id,
        jsonb_typeof(payload -> 'account_id') as type_of_account_id,
        payload ->> 'transaction_id' as transaction_id,
        jsonb_typeof(payload -> 'transaction_id') as type_of_transaction_id
    from "dev"."public"."src_alerts"
),
judged_alerts as (
    select
        *,
        case
        when event_id is null or not (type_of_event_id in ('string')
            and length(event_id) between 1 and 64
            and not event_id ~ '[\x00-\x1f\x7f]'
            and event_id not in ('.', '..')) then 'event_id'
        when occurred_at is null or not (type_of_occurred_at in ('string')
            and occurred_at ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]+)?([Zz]|[+-]([01][0-9]|2[0-3]):?[0-5][0-9])$'
            and coalesce(cast(left(occurred_at, 10) || 'T' || substr(occurred_at, 12, 8)
                || substr(left(occurred_at, length(occurred_at) - case when right(occurred_at, 1) in ('Z', 'z') then 1 when left(right(occurred_at, 3), 1) = ':' then 6 else 5 end), 20, 7)
                || case
                    when right(occurred_at, 1) in ('Z', 'z') then 'Z'
                    else left(right(occurred_at, case when right(occurred_at, 1) in ('Z', 'z') then 1 when left(right(occurred_at, 3), 1) = ':' then 6 else 5 end), 3) || ':' || right(occurred_at, 2)
                end as timestamptz) between cast('1970-01-01T00:00:00Z' as timestamptz) and cast('9999-12-31T23:59:59.999999Z' as timestamptz), false)) then 'occurred_at'
        when customer_id is null or not (type_of_customer_id in ('string')
            and length(customer_id) between 1 and 64
            and not customer_id ~ '[\x00-\x1f\x7f]'
            and customer_id not in ('.', '..')) then 'customer_id'
        when alert_type is null or not (type_of_alert_type in ('string')
            and alert_type ~ '^[A-Z][A-Z0-9_]{2,39}$') then 'alert_type'
        when severity is null or not (type_of_severity in ('string')
            and severity in ('LOW', 'MEDIUM', 'HIGH', 'CRITICAL')) then 'severity'
        when confidence is null or not (type_of_confidence in ('number')
            and coalesce(cast(confidence as double precision) between 0 and 1, false)) then 'confidence'
        when rule_id is null or not (type_of_rule_id in ('string')
            and length(rule_id) between 1 and 64
            and not rule_id ~ '[\x00-\x1f\x7f]'
            and rule_id not in ('.', '..')) then 'rule_id'
        when account_id is not null and not (type_of_account_id in ('string')
            and length(account_id) between 1 and 64
            and not account_id ~ '[\x00-\x1f\x7f]'
            and account_id not in ('.', '..')) then 'account_id'
        when transaction_id is not null and not (type_of_transaction_id in ('string')
            and length(transaction_id) between 1 and 64
            and not transaction_id ~ '[\x00-\x1f\x7f]'
            and transaction_id not in ('.', '..')) then 'transaction_id'
    end as broken_field
    from records_of_alerts
),
valid as (
    select * from judged_alerts
    where
        broken_field is null
        -- an event may not be from the future; its arrival is the broker's timestamp, not the clock
        and cast(left(occurred_at, 10) || 'T' || substr(occurred_at, 12, 8)
                || substr(left(occurred_at, length(occurred_at) - case when right(occurred_at, 1) in ('Z', 'z') then 1 when left(right(occurred_at, 3), 1) = ':' then 6 else 5 end), 20, 7)
                || case
                    when right(occurred_at, 1) in ('Z', 'z') then 'Z'
                    else left(right(occurred_at, case when right(occurred_at, 1) in ('Z', 'z') then 1 when left(right(occurred_at, 3), 1) = ':' then 6 else 5 end), 3) || ':' || right(occurred_at, 2)
                end as timestamptz)
            <= received_at + interval '60 seconds'
)
select distinct on (event_id)
    event_id,
    cast(left(occurred_at, 10) || 'T' || substr(occurred_at, 12, 8)
                || substr(left(occurred_at, length(occurred_at) - case when right(occurred_at, 1) in ('Z', 'z') then 1 when left(right(occurred_at, 3), 1) = ':' then 6 else 5 end), 20, 7)
                || case
                    when right(occurred_at, 1) in ('Z', 'z') then 'Z'
                    else left(right(occurred_at, case when right(occurred_at, 1) in ('Z', 'z') then 1 when left(right(occurred_at, 3), 1) = ':' then 6 else 5 end), 3) || ':' || right(occurred_at, 2)
                end as timestamptz) as occurred_at,
    customer_id,
    alert_type,
    severity,
    cast(confidence as double precision) as confidence,
    rule_id,
    account_id,
    transaction_id
from valid
  ;

create materialized view if not exists "dev"."public"."stg_card_events"
  as with records_of_card_events as (
    select
        received_at, kafka_partition, kafka_offset,
        payload ->> 'event_id' as event_id,
        jsonb_typeof(payload -> 'event_id') as type_of_event_id,
        payload ->> 'occurred_at' as occurred_at,
        jsonb_typeof(payload -> 'occurred_at') as type_of_occurred_at,
        payload ->> 'card_token' as card_token,
        jsonb_typeof(payload -> 'card_token') as type_of_card_token,
        payload ->> 'account_id' as account_id,
        jsonb_typeof(payload -> 'account_id') as type_of_account_id,
        payload ->> 'customer_id' as customer_id,
        jsonb_typeof(payload -> 'customer_id') as type_of_customer_id,
        payload ->> 'event_type' as event_type,
        jsonb_typeof(payload -> 'event_type') as type_of_event_type
    from "dev"."public"."src_card_events"
),
judged_card_events as (
    select
        *,
        case
        when event_id is null or not (type_of_event_id in ('string')
            and length(event_id) between 1 and 64
            and not event_id ~ '[\x00-\x1f\x7f]'
            and event_id not in ('.', '..')) then 'event_id'
        when occurred_at is null or not (type_of_occurred_at in ('string')
            and occurred_at ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]+)?([Zz]|[+-]([01][0-9]|2[0-3]):?[0-5][0-9])$'
            and coalesce(cast(left(occurred_at, 10) || 'T' || substr(occurred_at, 12, 8)
                || substr(left(occurred_at, length(occurred_at) - case when right(occurred_at, 1) in ('Z', 'z') then 1 when left(right(occurred_at, 3), 1) = ':' then 6 else 5 end), 20, 7)
                || case
                    when right(occurred_at, 1) in ('Z', 'z') then 'Z'
                    else left(right(occurred_at, case when right(occurred_at, 1) in ('Z', 'z') then 1 when left(right(occurred_at, 3), 1) = ':' then 6 else 5 end), 3) || ':' || right(occurred_at, 2)
                end as timestamptz) between cast('1970-01-01T00:00:00Z' as timestamptz) and cast('9999-12-31T23:59:59.999999Z' as timestamptz), false)) then 'occurred_at'
        when card_token is null or not (type_of_card_token in ('string')
            and card_token ~ '^[A-Za-z][A-Za-z0-9_-]{3,63}$') then 'card_token'
        when account_id is null or not (type_of_account_id in ('string')
            and length(account_id) between 1 and 64
            and not account_id ~ '[\x00-\x1f\x7f]'
            and account_id not in ('.', '..')) then 'account_id'
        when customer_id is null or not (type_of_customer_id in ('string')
            and length(customer_id) between 1 and 64
            and not customer_id ~ '[\x00-\x1f\x7f]'
            and customer_id not in ('.', '..')) then 'customer_id'
        when event_type is null or not (type_of_event_type in ('string')
            and event_type in ('ISSUED', 'ACTIVATED', 'PIN_CHANGED', 'LIMIT_CHANGED', 'WALLET_PROVISIONED', 'BLOCKED', 'UNBLOCKED', 'REPLACED', 'EXPIRED')) then 'event_type'
    end as broken_field
    from records_of_card_events
),
valid as (
    select * from judged_card_events
    where
        broken_field is null
        -- an event may not be from the future; its arrival is the broker's timestamp, not the clock
        and cast(left(occurred_at, 10) || 'T' || substr(occurred_at, 12, 8)
                || substr(left(occurred_at, length(occurred_at) - case when right(occurred_at, 1) in ('Z', 'z') then 1 when left(right(occurred_at, 3), 1) = ':' then 6 else 5 end), 20, 7)
                || case
                    when right(occurred_at, 1) in ('Z', 'z') then 'Z'
                    else left(right(occurred_at, case when right(occurred_at, 1) in ('Z', 'z') then 1 when left(right(occurred_at, 3), 1) = ':' then 6 else 5 end), 3) || ':' || right(occurred_at, 2)
                end as timestamptz)
            <= received_at + interval '60 seconds'
)
select distinct on (event_id)
    event_id,
    cast(left(occurred_at, 10) || 'T' || substr(occurred_at, 12, 8)
                || substr(left(occurred_at, length(occurred_at) - case when right(occurred_at, 1) in ('Z', 'z') then 1 when left(right(occurred_at, 3), 1) = ':' then 6 else 5 end), 20, 7)
                || case
                    when right(occurred_at, 1) in ('Z', 'z') then 'Z'
                    else left(right(occurred_at, case when right(occurred_at, 1) in ('Z', 'z') then 1 when left(right(occurred_at, 3), 1) = ':' then 6 else 5 end), 3) || ':' || right(occurred_at, 2)
                end as timestamptz) as occurred_at,
    card_token,
    account_id,
    customer_id,
    event_type
from valid
  ;

create materialized view if not exists "dev"."public"."stg_kyc_profiles"
  as with records_of_kyc_profiles as (
    select
        received_at, kafka_partition, kafka_offset,
        payload ->> 'event_id' as event_id,
        jsonb_typeof(payload -> 'event_id') as type_of_event_id,
        payload ->> 'occurred_at' as occurred_at,
        jsonb_typeof(payload -> 'occurred_at') as type_of_occurred_at,
        payload ->> 'customer_id' as customer_id,
        jsonb_typeof(payload -> 'customer_id') as type_of_customer_id,
        payload ->> 'account_ids' as account_ids,
        jsonb_typeof(payload -> 'account_ids') as type_of_account_ids,
        account_ids as listed_account_ids,
        payload ->> 'registered_device_ids' as registered_device_ids,
        jsonb_typeof(payload -> 'registered_device_ids') as type_of_registered_device_ids,
        registered_device_ids as listed_registered_device_ids,
        payload ->> 'risk_tier' as risk_tier,
        jsonb_typeof(payload -> 'risk_tier') as type_of_risk_tier,
        payload ->> 'kyc_status' as kyc_status,
        jsonb_typeof(payload -> 'kyc_status') as type_of_kyc_status,
        payload ->> 'is_pep' as is_pep,
        jsonb_typeof(payload -> 'is_pep') as type_of_is_pep,
        payload ->> 'country' as country,
        jsonb_typeof(payload -> 'country') as type_of_country,
        payload ->> 'home_latitude' as home_latitude,
        jsonb_typeof(payload -> 'home_latitude') as type_of_home_latitude,
        payload ->> 'home_longitude' as home_longitude,
        jsonb_typeof(payload -> 'home_longitude') as type_of_home_longitude,
        payload ->> 'segment' as segment,
        jsonb_typeof(payload -> 'segment') as type_of_segment
    from "dev"."public"."src_kyc_profiles"
),
judged_kyc_profiles as (
    select
        *,
        case
        when event_id is null or not (type_of_event_id in ('string')
            and length(event_id) between 1 and 64
            and not event_id ~ '[\x00-\x1f\x7f]'
            and event_id not in ('.', '..')) then 'event_id'
        when occurred_at is null or not (type_of_occurred_at in ('string')
            and occurred_at ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]+)?([Zz]|[+-]([01][0-9]|2[0-3]):?[0-5][0-9])$'
            and coalesce(cast(left(occurred_at, 10) || 'T' || substr(occurred_at, 12, 8)
                || substr(left(occurred_at, length(occurred_at) - case when right(occurred_at, 1) in ('Z', 'z') then 1 when left(right(occurred_at, 3), 1) = ':' then 6 else 5 end), 20, 7)
                || case
                    when right(occurred_at, 1) in ('Z', 'z') then 'Z'
                    else left(right(occurred_at, case when right(occurred_at, 1) in ('Z', 'z') then 1 when left(right(occurred_at, 3), 1) = ':' then 6 else 5 end), 3) || ':' || right(occurred_at, 2)
                end as timestamptz) between cast('1970-01-01T00:00:00Z' as timestamptz) and cast('9999-12-31T23:59:59.999999Z' as timestamptz), false)) then 'occurred_at'
        when customer_id is null or not (type_of_customer_id in ('string')
            and length(customer_id) between 1 and 64
            and not customer_id ~ '[\x00-\x1f\x7f]'
            and customer_id not in ('.', '..')) then 'customer_id'
        when account_ids is null or not (type_of_account_ids in ('array')
            and account_ids ~ '^\[("([^"\\\x7f]|\\["\\/]){1,64}"(, ?"([^"\\\x7f]|\\["\\/]){1,64}")*)?\]$'
            and not account_ids ~ '"[.][.]?"') then 'account_ids'
        when registered_device_ids is null or not (type_of_registered_device_ids in ('array')
            and registered_device_ids ~ '^\[("([^"\\\x7f]|\\["\\/]){1,64}"(, ?"([^"\\\x7f]|\\["\\/]){1,64}")*)?\]$'
            and not registered_device_ids ~ '"[.][.]?"') then 'registered_device_ids'
        when risk_tier is null or not (type_of_risk_tier in ('string')
            and risk_tier in ('LOW', 'MEDIUM', 'HIGH')) then 'risk_tier'
        when kyc_status is null or not (type_of_kyc_status in ('string')
            and kyc_status in ('VERIFIED', 'PENDING', 'EXPIRED', 'REJECTED')) then 'kyc_status'
        when is_pep is null or not (type_of_is_pep in ('boolean')) then 'is_pep'
        when country is null or not (type_of_country in ('string')
            and country ~ '^[A-Z]{2}$') then 'country'
        when home_latitude is null or not (type_of_home_latitude in ('number')
            and coalesce(cast(home_latitude as double precision) between -90 and 90, false)) then 'home_latitude'
        when home_longitude is null or not (type_of_home_longitude in ('number')
            and coalesce(cast(home_longitude as double precision) between -180 and 180, false)) then 'home_longitude'
        when segment is null or not (type_of_segment in ('string')
            and segment in ('RETAIL', 'PREMIUM', 'STUDENT', 'BUSINESS', 'CASH_BUSINESS')) then 'segment'
    end as broken_field
    from records_of_kyc_profiles
),
valid as (
    select * from judged_kyc_profiles
    where
        broken_field is null
        -- an event may not be from the future; its arrival is the broker's timestamp, not the clock
        and cast(left(occurred_at, 10) || 'T' || substr(occurred_at, 12, 8)
                || substr(left(occurred_at, length(occurred_at) - case when right(occurred_at, 1) in ('Z', 'z') then 1 when left(right(occurred_at, 3), 1) = ':' then 6 else 5 end), 20, 7)
                || case
                    when right(occurred_at, 1) in ('Z', 'z') then 'Z'
                    else left(right(occurred_at, case when right(occurred_at, 1) in ('Z', 'z') then 1 when left(right(occurred_at, 3), 1) = ':' then 6 else 5 end), 3) || ':' || right(occurred_at, 2)
                end as timestamptz)
            <= received_at + interval '60 seconds'
)
select distinct on (event_id)
    event_id,
    cast(left(occurred_at, 10) || 'T' || substr(occurred_at, 12, 8)
                || substr(left(occurred_at, length(occurred_at) - case when right(occurred_at, 1) in ('Z', 'z') then 1 when left(right(occurred_at, 3), 1) = ':' then 6 else 5 end), 20, 7)
                || case
                    when right(occurred_at, 1) in ('Z', 'z') then 'Z'
                    else left(right(occurred_at, case when right(occurred_at, 1) in ('Z', 'z') then 1 when left(right(occurred_at, 3), 1) = ':' then 6 else 5 end), 3) || ':' || right(occurred_at, 2)
                end as timestamptz) as occurred_at,
    customer_id,
    listed_account_ids as account_ids,
    listed_registered_device_ids as registered_device_ids,
    risk_tier,
    kyc_status,
    cast(is_pep as boolean) as is_pep,
    country,
    cast(home_latitude as double precision) as home_latitude,
    cast(home_longitude as double precision) as home_longitude,
    segment
from valid
  ;

create materialized view if not exists "dev"."public"."stg_logins"
  as with records_of_logins as (
    select
        received_at, kafka_partition, kafka_offset,
        payload ->> 'event_id' as event_id,
        jsonb_typeof(payload -> 'event_id') as type_of_event_id,
        payload ->> 'occurred_at' as occurred_at,
        jsonb_typeof(payload -> 'occurred_at') as type_of_occurred_at,
        payload ->> 'customer_id' as customer_id,
        jsonb_typeof(payload -> 'customer_id') as type_of_customer_id,
        payload ->> 'outcome' as outcome,
        jsonb_typeof(payload -> 'outcome') as type_of_outcome,
        payload ->> 'failure_reason' as failure_reason,
        jsonb_typeof(payload -> 'failure_reason') as type_of_failure_reason,
        payload ->> 'device_id' as device_id,
        jsonb_typeof(payload -> 'device_id') as type_of_device_id,
        payload ->> 'ip_address' as ip_address,
        jsonb_typeof(payload -> 'ip_address') as type_of_ip_address,
        payload ->> 'country' as country,
        jsonb_typeof(payload -> 'country') as type_of_country
    from "dev"."public"."src_logins"
),
judged_logins as (
    select
        *,
        case
        when event_id is null or not (type_of_event_id in ('string')
            and length(event_id) between 1 and 64
            and not event_id ~ '[\x00-\x1f\x7f]'
            and event_id not in ('.', '..')) then 'event_id'
        when occurred_at is null or not (type_of_occurred_at in ('string')
            and occurred_at ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]+)?([Zz]|[+-]([01][0-9]|2[0-3]):?[0-5][0-9])$'
            and coalesce(cast(left(occurred_at, 10) || 'T' || substr(occurred_at, 12, 8)
                || substr(left(occurred_at, length(occurred_at) - case when right(occurred_at, 1) in ('Z', 'z') then 1 when left(right(occurred_at, 3), 1) = ':' then 6 else 5 end), 20, 7)
                || case
                    when right(occurred_at, 1) in ('Z', 'z') then 'Z'
                    else left(right(occurred_at, case when right(occurred_at, 1) in ('Z', 'z') then 1 when left(right(occurred_at, 3), 1) = ':' then 6 else 5 end), 3) || ':' || right(occurred_at, 2)
                end as timestamptz) between cast('1970-01-01T00:00:00Z' as timestamptz) and cast('9999-12-31T23:59:59.999999Z' as timestamptz), false)) then 'occurred_at'
        when customer_id is null or not (type_of_customer_id in ('string')
            and length(customer_id) between 1 and 64
            and not customer_id ~ '[\x00-\x1f\x7f]'
            and customer_id not in ('.', '..')) then 'customer_id'
        when outcome is null or not (type_of_outcome in ('string')
            and outcome in ('SUCCESS', 'FAILURE')) then 'outcome'
        when failure_reason is not null and not (type_of_failure_reason in ('string')
            and failure_reason in ('BAD_PASSWORD', 'MFA_FAILED', 'UNKNOWN_USER', 'LOCKED')) then 'failure_reason'
        when device_id is not null and not (type_of_device_id in ('string')
            and length(device_id) between 1 and 64
            and not device_id ~ '[\x00-\x1f\x7f]'
            and device_id not in ('.', '..')) then 'device_id'
        when ip_address is not null and not (type_of_ip_address in ('string')
            and length(ip_address) between 1 and 45
            and not ip_address ~ '[\x00-\x1f\x7f]'
            and ip_address not in ('.', '..')) then 'ip_address'
        when country is not null and not (type_of_country in ('string')
            and country ~ '^[A-Z]{2}$') then 'country'
    end as broken_field
    from records_of_logins
),
valid as (
    select * from judged_logins
    where
        broken_field is null
        -- an event may not be from the future; its arrival is the broker's timestamp, not the clock
        and cast(left(occurred_at, 10) || 'T' || substr(occurred_at, 12, 8)
                || substr(left(occurred_at, length(occurred_at) - case when right(occurred_at, 1) in ('Z', 'z') then 1 when left(right(occurred_at, 3), 1) = ':' then 6 else 5 end), 20, 7)
                || case
                    when right(occurred_at, 1) in ('Z', 'z') then 'Z'
                    else left(right(occurred_at, case when right(occurred_at, 1) in ('Z', 'z') then 1 when left(right(occurred_at, 3), 1) = ':' then 6 else 5 end), 3) || ':' || right(occurred_at, 2)
                end as timestamptz)
            <= received_at + interval '60 seconds'
)
select distinct on (event_id)
    event_id,
    cast(left(occurred_at, 10) || 'T' || substr(occurred_at, 12, 8)
                || substr(left(occurred_at, length(occurred_at) - case when right(occurred_at, 1) in ('Z', 'z') then 1 when left(right(occurred_at, 3), 1) = ':' then 6 else 5 end), 20, 7)
                || case
                    when right(occurred_at, 1) in ('Z', 'z') then 'Z'
                    else left(right(occurred_at, case when right(occurred_at, 1) in ('Z', 'z') then 1 when left(right(occurred_at, 3), 1) = ':' then 6 else 5 end), 3) || ':' || right(occurred_at, 2)
                end as timestamptz) as occurred_at,
    customer_id,
    outcome,
    failure_reason,
    device_id,
    ip_address,
    country
from valid
  ;

create materialized view if not exists "dev"."public"."rejected_records"
  as with
records_of_transactions as (
    select
        received_at, kafka_partition, kafka_offset,
        payload ->> 'event_id' as event_id,
        jsonb_typeof(payload -> 'event_id') as type_of_event_id,
        payload ->> 'occurred_at' as occurred_at,
        jsonb_typeof(payload -> 'occurred_at') as type_of_occurred_at,
        payload ->> 'transaction_id' as transaction_id,
        jsonb_typeof(payload -> 'transaction_id') as type_of_transaction_id,
        payload ->> 'account_id' as account_id,
        jsonb_typeof(payload -> 'account_id') as type_of_account_id,
        payload ->> 'customer_id' as customer_id,
        jsonb_typeof(payload -> 'customer_id') as type_of_customer_id,
        payload ->> 'transaction_type' as transaction_type,
        jsonb_typeof(payload -> 'transaction_type') as type_of_transaction_type,
        payload ->> 'channel' as channel,
        jsonb_typeof(payload -> 'channel') as type_of_channel,
        payload ->> 'card_present' as card_present,
        jsonb_typeof(payload -> 'card_present') as type_of_card_present,
        payload ->> 'amount' as amount,
        jsonb_typeof(payload -> 'amount') as type_of_amount,
        payload ->> 'currency' as currency,
        jsonb_typeof(payload -> 'currency') as type_of_currency,
        payload ->> 'status' as status,
        jsonb_typeof(payload -> 'status') as type_of_status,
        payload ->> 'card_token' as card_token,
        jsonb_typeof(payload -> 'card_token') as type_of_card_token,
        payload ->> 'card_bin' as card_bin,
        jsonb_typeof(payload -> 'card_bin') as type_of_card_bin,
        payload ->> 'card_last4' as card_last4,
        jsonb_typeof(payload -> 'card_last4') as type_of_card_last4,
        payload ->> 'merchant_id' as merchant_id,
        jsonb_typeof(payload -> 'merchant_id') as type_of_merchant_id,
        payload ->> 'merchant_category' as merchant_category,
        jsonb_typeof(payload -> 'merchant_category') as type_of_merchant_category,
        payload ->> 'merchant_country' as merchant_country,
        jsonb_typeof(payload -> 'merchant_country') as type_of_merchant_country,
        payload ->> 'city' as city,
        jsonb_typeof(payload -> 'city') as type_of_city,
        payload ->> 'latitude' as latitude,
        jsonb_typeof(payload -> 'latitude') as type_of_latitude,
        payload ->> 'longitude' as longitude,
        jsonb_typeof(payload -> 'longitude') as type_of_longitude,
        payload ->> 'device_id' as device_id,
        jsonb_typeof(payload -> 'device_id') as type_of_device_id,
        payload ->> 'ip_address' as ip_address,
        jsonb_typeof(payload -> 'ip_address') as type_of_ip_address,
        payload ->> 'payee_id' as payee_id,
        jsonb_typeof(payload -> 'payee_id') as type_of_payee_id
    from "dev"."public"."src_transactions"
),
judged_transactions as (
    select
        *,
        case
        when event_id is null or not (type_of_event_id in ('string')
            and length(event_id) between 1 and 64
            and not event_id ~ '[\x00-\x1f\x7f]'
            and event_id not in ('.', '..')) then 'event_id'
        when occurred_at is null or not (type_of_occurred_at in ('string')
            and occurred_at ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]+)?([Zz]|[+-]([01][0-9]|2[0-3]):?[0-5][0-9])$'
            and coalesce(cast(left(occurred_at, 10) || 'T' || substr(occurred_at, 12, 8)
                || substr(left(occurred_at, length(occurred_at) - case when right(occurred_at, 1) in ('Z', 'z') then 1 when left(right(occurred_at, 3), 1) = ':' then 6 else 5 end), 20, 7)
                || case
                    when right(occurred_at, 1) in ('Z', 'z') then 'Z'
                    else left(right(occurred_at, case when right(occurred_at, 1) in ('Z', 'z') then 1 when left(right(occurred_at, 3), 1) = ':' then 6 else 5 end), 3) || ':' || right(occurred_at, 2)
                end as timestamptz) between cast('1970-01-01T00:00:00Z' as timestamptz) and cast('9999-12-31T23:59:59.999999Z' as timestamptz), false)) then 'occurred_at'
        when transaction_id is null or not (type_of_transaction_id in ('string')
            and length(transaction_id) between 1 and 64
            and not transaction_id ~ '[\x00-\x1f\x7f]'
            and transaction_id not in ('.', '..')) then 'transaction_id'
        when account_id is null or not (type_of_account_id in ('string')
            and length(account_id) between 1 and 64
            and not account_id ~ '[\x00-\x1f\x7f]'
            and account_id not in ('.', '..')) then 'account_id'
        when customer_id is null or not (type_of_customer_id in ('string')
            and length(customer_id) between 1 and 64
            and not customer_id ~ '[\x00-\x1f\x7f]'
            and customer_id not in ('.', '..')) then 'customer_id'
        when transaction_type is null or not (type_of_transaction_type in ('string')
            and transaction_type in ('PURCHASE', 'CASH_DEPOSIT', 'CASH_WITHDRAWAL', 'TRANSFER', 'BILL_PAYMENT')) then 'transaction_type'
        when channel is null or not (type_of_channel in ('string')
            and channel in ('POS', 'ECOMMERCE', 'ATM', 'BRANCH', 'MOBILE')) then 'channel'
        when card_present is null or not (type_of_card_present in ('boolean')) then 'card_present'
        when amount is null or not (type_of_amount in ('string')
            and amount ~ '^(0|[1-9][0-9]{0,11})[.][0-9]{2}$') then 'amount'
        when currency is null or not (type_of_currency in ('string')
            and currency ~ '^[A-Z]{3}$') then 'currency'
        when status is null or not (type_of_status in ('string')
            and status in ('APPROVED', 'DECLINED', 'REVERSED')) then 'status'
        when card_token is not null and not (type_of_card_token in ('string')
            and card_token ~ '^[A-Za-z][A-Za-z0-9_-]{3,63}$') then 'card_token'
        when card_bin is not null and not (type_of_card_bin in ('string')
            and card_bin ~ '^[0-9]{6}$') then 'card_bin'
        when card_last4 is not null and not (type_of_card_last4 in ('string')
            and card_last4 ~ '^[0-9]{4}$') then 'card_last4'
        when merchant_id is not null and not (type_of_merchant_id in ('string')
            and length(merchant_id) between 1 and 64
            and not merchant_id ~ '[\x00-\x1f\x7f]'
            and merchant_id not in ('.', '..')) then 'merchant_id'
        when merchant_category is not null and not (type_of_merchant_category in ('string')
            and merchant_category ~ '^[0-9]{4}$') then 'merchant_category'
        when merchant_country is not null and not (type_of_merchant_country in ('string')
            and merchant_country ~ '^[A-Z]{2}$') then 'merchant_country'
        when city is not null and not (type_of_city in ('string')
            and length(city) between 1 and 100
            and not city ~ '[\x00-\x1f\x7f]'
            and city not in ('.', '..')) then 'city'
        when latitude is not null and not (type_of_latitude in ('number')
            and coalesce(cast(latitude as double precision) between -90 and 90, false)) then 'latitude'
        when longitude is not null and not (type_of_longitude in ('number')
            and coalesce(cast(longitude as double precision) between -180 and 180, false)) then 'longitude'
        when device_id is not null and not (type_of_device_id in ('string')
            and length(device_id) between 1 and 64
            and not device_id ~ '[\x00-\x1f\x7f]'
            and device_id not in ('.', '..')) then 'device_id'
        when ip_address is not null and not (type_of_ip_address in ('string')
            and length(ip_address) between 1 and 45
            and not ip_address ~ '[\x00-\x1f\x7f]'
            and ip_address not in ('.', '..')) then 'ip_address'
        when payee_id is not null and not (type_of_payee_id in ('string')
            and length(payee_id) between 1 and 64
            and not payee_id ~ '[\x00-\x1f\x7f]'
            and payee_id not in ('.', '..')) then 'payee_id'
    end as broken_field
    from records_of_transactions
),
records_of_logins as (
    select
        received_at, kafka_partition, kafka_offset,
        payload ->> 'event_id' as event_id,
        jsonb_typeof(payload -> 'event_id') as type_of_event_id,
        payload ->> 'occurred_at' as occurred_at,
        jsonb_typeof(payload -> 'occurred_at') as type_of_occurred_at,
        payload ->> 'customer_id' as customer_id,
        jsonb_typeof(payload -> 'customer_id') as type_of_customer_id,
        payload ->> 'outcome' as outcome,
        jsonb_typeof(payload -> 'outcome') as type_of_outcome,
        payload ->> 'failure_reason' as failure_reason,
        jsonb_typeof(payload -> 'failure_reason') as type_of_failure_reason,
        payload ->> 'device_id' as device_id,
        jsonb_typeof(payload -> 'device_id') as type_of_device_id,
        payload ->> 'ip_address' as ip_address,
        jsonb_typeof(payload -> 'ip_address') as type_of_ip_address,
        payload ->> 'country' as country,
        jsonb_typeof(payload -> 'country') as type_of_country
    from "dev"."public"."src_logins"
),
judged_logins as (
    select
        *,
        case
        when event_id is null or not (type_of_event_id in ('string')
            and length(event_id) between 1 and 64
            and not event_id ~ '[\x00-\x1f\x7f]'
            and event_id not in ('.', '..')) then 'event_id'
        when occurred_at is null or not (type_of_occurred_at in ('string')
            and occurred_at ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]+)?([Zz]|[+-]([01][0-9]|2[0-3]):?[0-5][0-9])$'
            and coalesce(cast(left(occurred_at, 10) || 'T' || substr(occurred_at, 12, 8)
                || substr(left(occurred_at, length(occurred_at) - case when right(occurred_at, 1) in ('Z', 'z') then 1 when left(right(occurred_at, 3), 1) = ':' then 6 else 5 end), 20, 7)
                || case
                    when right(occurred_at, 1) in ('Z', 'z') then 'Z'
                    else left(right(occurred_at, case when right(occurred_at, 1) in ('Z', 'z') then 1 when left(right(occurred_at, 3), 1) = ':' then 6 else 5 end), 3) || ':' || right(occurred_at, 2)
                end as timestamptz) between cast('1970-01-01T00:00:00Z' as timestamptz) and cast('9999-12-31T23:59:59.999999Z' as timestamptz), false)) then 'occurred_at'
        when customer_id is null or not (type_of_customer_id in ('string')
            and length(customer_id) between 1 and 64
            and not customer_id ~ '[\x00-\x1f\x7f]'
            and customer_id not in ('.', '..')) then 'customer_id'
        when outcome is null or not (type_of_outcome in ('string')
            and outcome in ('SUCCESS', 'FAILURE')) then 'outcome'
        when failure_reason is not null and not (type_of_failure_reason in ('string')
            and failure_reason in ('BAD_PASSWORD', 'MFA_FAILED', 'UNKNOWN_USER', 'LOCKED')) then 'failure_reason'
        when device_id is not null and not (type_of_device_id in ('string')
            and length(device_id) between 1 and 64
            and not device_id ~ '[\x00-\x1f\x7f]'
            and device_id not in ('.', '..')) then 'device_id'
        when ip_address is not null and not (type_of_ip_address in ('string')
            and length(ip_address) between 1 and 45
            and not ip_address ~ '[\x00-\x1f\x7f]'
            and ip_address not in ('.', '..')) then 'ip_address'
        when country is not null and not (type_of_country in ('string')
            and country ~ '^[A-Z]{2}$') then 'country'
    end as broken_field
    from records_of_logins
),
records_of_card_events as (
    select
        received_at, kafka_partition, kafka_offset,
        payload ->> 'event_id' as event_id,
        jsonb_typeof(payload -> 'event_id') as type_of_event_id,
        payload ->> 'occurred_at' as occurred_at,
        jsonb_typeof(payload -> 'occurred_at') as type_of_occurred_at,
        payload ->> 'card_token' as card_token,
        jsonb_typeof(payload -> 'card_token') as type_of_card_token,
        payload ->> 'account_id' as account_id,
        jsonb_typeof(payload -> 'account_id') as type_of_account_id,
        payload ->> 'customer_id' as customer_id,
        jsonb_typeof(payload -> 'customer_id') as type_of_customer_id,
        payload ->> 'event_type' as event_type,
        jsonb_typeof(payload -> 'event_type') as type_of_event_type
    from "dev"."public"."src_card_events"
),
judged_card_events as (
    select
        *,
        case
        when event_id is null or not (type_of_event_id in ('string')
            and length(event_id) between 1 and 64
            and not event_id ~ '[\x00-\x1f\x7f]'
            and event_id not in ('.', '..')) then 'event_id'
        when occurred_at is null or not (type_of_occurred_at in ('string')
            and occurred_at ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]+)?([Zz]|[+-]([01][0-9]|2[0-3]):?[0-5][0-9])$'
            and coalesce(cast(left(occurred_at, 10) || 'T' || substr(occurred_at, 12, 8)
                || substr(left(occurred_at, length(occurred_at) - case when right(occurred_at, 1) in ('Z', 'z') then 1 when left(right(occurred_at, 3), 1) = ':' then 6 else 5 end), 20, 7)
                || case
                    when right(occurred_at, 1) in ('Z', 'z') then 'Z'
                    else left(right(occurred_at, case when right(occurred_at, 1) in ('Z', 'z') then 1 when left(right(occurred_at, 3), 1) = ':' then 6 else 5 end), 3) || ':' || right(occurred_at, 2)
                end as timestamptz) between cast('1970-01-01T00:00:00Z' as timestamptz) and cast('9999-12-31T23:59:59.999999Z' as timestamptz), false)) then 'occurred_at'
        when card_token is null or not (type_of_card_token in ('string')
            and card_token ~ '^[A-Za-z][A-Za-z0-9_-]{3,63}$') then 'card_token'
        when account_id is null or not (type_of_account_id in ('string')
            and length(account_id) between 1 and 64
            and not account_id ~ '[\x00-\x1f\x7f]'
            and account_id not in ('.', '..')) then 'account_id'
        when customer_id is null or not (type_of_customer_id in ('string')
            and length(customer_id) between 1 and 64
            and not customer_id ~ '[\x00-\x1f\x7f]'
            and customer_id not in ('.', '..')) then 'customer_id'
        when event_type is null or not (type_of_event_type in ('string')
            and event_type in ('ISSUED', 'ACTIVATED', 'PIN_CHANGED', 'LIMIT_CHANGED', 'WALLET_PROVISIONED', 'BLOCKED', 'UNBLOCKED', 'REPLACED', 'EXPIRED')) then 'event_type'
    end as broken_field
    from records_of_card_events
),
records_of_alerts as (
    select
        received_at, kafka_partition, kafka_offset,
        payload ->> 'event_id' as event_id,
        jsonb_typeof(payload -> 'event_id') as type_of_event_id,
        payload ->> 'occurred_at' as occurred_at,
        jsonb_typeof(payload -> 'occurred_at') as type_of_occurred_at,
        payload ->> 'customer_id' as customer_id,
        jsonb_typeof(payload -> 'customer_id') as type_of_customer_id,
        payload ->> 'alert_type' as alert_type,
        jsonb_typeof(payload -> 'alert_type') as type_of_alert_type,
        payload ->> 'severity' as severity,
        jsonb_typeof(payload -> 'severity') as type_of_severity,
        payload ->> 'confidence' as confidence,
        jsonb_typeof(payload -> 'confidence') as type_of_confidence,
        payload ->> 'rule_id' as rule_id,
        jsonb_typeof(payload -> 'rule_id') as type_of_rule_id,
        payload ->> 'account_id' as account_id,
        jsonb_typeof(payload -> 'account_id') as type_of_account_id,
        payload ->> 'transaction_id' as transaction_id,
        jsonb_typeof(payload -> 'transaction_id') as type_of_transaction_id
    from "dev"."public"."src_alerts"
),
judged_alerts as (
    select
        *,
        case
        when event_id is null or not (type_of_event_id in ('string')
            and length(event_id) between 1 and 64
            and not event_id ~ '[\x00-\x1f\x7f]'
            and event_id not in ('.', '..')) then 'event_id'
        when occurred_at is null or not (type_of_occurred_at in ('string')
            and occurred_at ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]+)?([Zz]|[+-]([01][0-9]|2[0-3]):?[0-5][0-9])$'
            and coalesce(cast(left(occurred_at, 10) || 'T' || substr(occurred_at, 12, 8)
                || substr(left(occurred_at, length(occurred_at) - case when right(occurred_at, 1) in ('Z', 'z') then 1 when left(right(occurred_at, 3), 1) = ':' then 6 else 5 end), 20, 7)
                || case
                    when right(occurred_at, 1) in ('Z', 'z') then 'Z'
                    else left(right(occurred_at, case when right(occurred_at, 1) in ('Z', 'z') then 1 when left(right(occurred_at, 3), 1) = ':' then 6 else 5 end), 3) || ':' || right(occurred_at, 2)
                end as timestamptz) between cast('1970-01-01T00:00:00Z' as timestamptz) and cast('9999-12-31T23:59:59.999999Z' as timestamptz), false)) then 'occurred_at'
        when customer_id is null or not (type_of_customer_id in ('string')
            and length(customer_id) between 1 and 64
            and not customer_id ~ '[\x00-\x1f\x7f]'
            and customer_id not in ('.', '..')) then 'customer_id'
        when alert_type is null or not (type_of_alert_type in ('string')
            and alert_type ~ '^[A-Z][A-Z0-9_]{2,39}$') then 'alert_type'
        when severity is null or not (type_of_severity in ('string')
            and severity in ('LOW', 'MEDIUM', 'HIGH', 'CRITICAL')) then 'severity'
        when confidence is null or not (type_of_confidence in ('number')
            and coalesce(cast(confidence as double precision) between 0 and 1, false)) then 'confidence'
        when rule_id is null or not (type_of_rule_id in ('string')
            and length(rule_id) between 1 and 64
            and not rule_id ~ '[\x00-\x1f\x7f]'
            and rule_id not in ('.', '..')) then 'rule_id'
        when account_id is not null and not (type_of_account_id in ('string')
            and length(account_id) between 1 and 64
            and not account_id ~ '[\x00-\x1f\x7f]'
            and account_id not in ('.', '..')) then 'account_id'
        when transaction_id is not null and not (type_of_transaction_id in ('string')
            and length(transaction_id) between 1 and 64
            and not transaction_id ~ '[\x00-\x1f\x7f]'
            and transaction_id not in ('.', '..')) then 'transaction_id'
    end as broken_field
    from records_of_alerts
),
records_of_kyc_profiles as (
    select
        received_at, kafka_partition, kafka_offset,
        payload ->> 'event_id' as event_id,
        jsonb_typeof(payload -> 'event_id') as type_of_event_id,
        payload ->> 'occurred_at' as occurred_at,
        jsonb_typeof(payload -> 'occurred_at') as type_of_occurred_at,
        payload ->> 'customer_id' as customer_id,
        jsonb_typeof(payload -> 'customer_id') as type_of_customer_id,
        payload ->> 'account_ids' as account_ids,
        jsonb_typeof(payload -> 'account_ids') as type_of_account_ids,
        account_ids as listed_account_ids,
        payload ->> 'registered_device_ids' as registered_device_ids,
        jsonb_typeof(payload -> 'registered_device_ids') as type_of_registered_device_ids,
        registered_device_ids as listed_registered_device_ids,
        payload ->> 'risk_tier' as risk_tier,
        jsonb_typeof(payload -> 'risk_tier') as type_of_risk_tier,
        payload ->> 'kyc_status' as kyc_status,
        jsonb_typeof(payload -> 'kyc_status') as type_of_kyc_status,
        payload ->> 'is_pep' as is_pep,
        jsonb_typeof(payload -> 'is_pep') as type_of_is_pep,
        payload ->> 'country' as country,
        jsonb_typeof(payload -> 'country') as type_of_country,
        payload ->> 'home_latitude' as home_latitude,
        jsonb_typeof(payload -> 'home_latitude') as type_of_home_latitude,
        payload ->> 'home_longitude' as home_longitude,
        jsonb_typeof(payload -> 'home_longitude') as type_of_home_longitude,
        payload ->> 'segment' as segment,
        jsonb_typeof(payload -> 'segment') as type_of_segment
    from "dev"."public"."src_kyc_profiles"
),
judged_kyc_profiles as (
    select
        *,
        case
        when event_id is null or not (type_of_event_id in ('string')
            and length(event_id) between 1 and 64
            and not event_id ~ '[\x00-\x1f\x7f]'
            and event_id not in ('.', '..')) then 'event_id'
        when occurred_at is null or not (type_of_occurred_at in ('string')
            and occurred_at ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]+)?([Zz]|[+-]([01][0-9]|2[0-3]):?[0-5][0-9])$'
            and coalesce(cast(left(occurred_at, 10) || 'T' || substr(occurred_at, 12, 8)
                || substr(left(occurred_at, length(occurred_at) - case when right(occurred_at, 1) in ('Z', 'z') then 1 when left(right(occurred_at, 3), 1) = ':' then 6 else 5 end), 20, 7)
                || case
                    when right(occurred_at, 1) in ('Z', 'z') then 'Z'
                    else left(right(occurred_at, case when right(occurred_at, 1) in ('Z', 'z') then 1 when left(right(occurred_at, 3), 1) = ':' then 6 else 5 end), 3) || ':' || right(occurred_at, 2)
                end as timestamptz) between cast('1970-01-01T00:00:00Z' as timestamptz) and cast('9999-12-31T23:59:59.999999Z' as timestamptz), false)) then 'occurred_at'
        when customer_id is null or not (type_of_customer_id in ('string')
            and length(customer_id) between 1 and 64
            and not customer_id ~ '[\x00-\x1f\x7f]'
            and customer_id not in ('.', '..')) then 'customer_id'
        when account_ids is null or not (type_of_account_ids in ('array')
            and account_ids ~ '^\[("([^"\\\x7f]|\\["\\/]){1,64}"(, ?"([^"\\\x7f]|\\["\\/]){1,64}")*)?\]$'
            and not account_ids ~ '"[.][.]?"') then 'account_ids'
        when registered_device_ids is null or not (type_of_registered_device_ids in ('array')
            and registered_device_ids ~ '^\[("([^"\\\x7f]|\\["\\/]){1,64}"(, ?"([^"\\\x7f]|\\["\\/]){1,64}")*)?\]$'
            and not registered_device_ids ~ '"[.][.]?"') then 'registered_device_ids'
        when risk_tier is null or not (type_of_risk_tier in ('string')
            and risk_tier in ('LOW', 'MEDIUM', 'HIGH')) then 'risk_tier'
        when kyc_status is null or not (type_of_kyc_status in ('string')
            and kyc_status in ('VERIFIED', 'PENDING', 'EXPIRED', 'REJECTED')) then 'kyc_status'
        when is_pep is null or not (type_of_is_pep in ('boolean')) then 'is_pep'
        when country is null or not (type_of_country in ('string')
            and country ~ '^[A-Z]{2}$') then 'country'
        when home_latitude is null or not (type_of_home_latitude in ('number')
            and coalesce(cast(home_latitude as double precision) between -90 and 90, false)) then 'home_latitude'
        when home_longitude is null or not (type_of_home_longitude in ('number')
            and coalesce(cast(home_longitude as double precision) between -180 and 180, false)) then 'home_longitude'
        when segment is null or not (type_of_segment in ('string')
            and segment in ('RETAIL', 'PREMIUM', 'STUDENT', 'BUSINESS', 'CASH_BUSINESS')) then 'segment'
    end as broken_field
    from records_of_kyc_profiles
)
select
    'transactions' as stream,
    event_id,
    'breaks the contract: ' || broken_field as reason,
    received_at, kafka_partition, kafka_offset
from judged_transactions
where broken_field is not null and event_id <> ''
union all
select
    'transactions' as stream,
    event_id,
    'from the future' as reason,
    received_at, kafka_partition, kafka_offset
from judged_transactions
where
    broken_field is null
    and cast(left(occurred_at, 10) || 'T' || substr(occurred_at, 12, 8)
                || substr(left(occurred_at, length(occurred_at) - case when right(occurred_at, 1) in ('Z', 'z') then 1 when left(right(occurred_at, 3), 1) = ':' then 6 else 5 end), 20, 7)
                || case
                    when right(occurred_at, 1) in ('Z', 'z') then 'Z'
                    else left(right(occurred_at, case when right(occurred_at, 1) in ('Z', 'z') then 1 when left(right(occurred_at, 3), 1) = ':' then 6 else 5 end), 3) || ':' || right(occurred_at, 2)
                end as timestamptz) > received_at + interval '60 seconds'
union all
-- src_transactions has no row: not JSON, or JSON without an event_id
select
    'transactions' as stream,
    cast(null as varchar) as event_id,
    'not a JSON record with an event_id' as reason,
    received_at, kafka_partition, kafka_offset
from "dev"."public"."raw_transactions"
where coalesce(cast(convert_from(record, 'utf8') as jsonb) ->> 'event_id', '') = ''
union all
select
    'logins' as stream,
    event_id,
    'breaks the contract: ' || broken_field as reason,
    received_at, kafka_partition, kafka_offset
from judged_logins
where broken_field is not null and event_id <> ''
union all
select
    'logins' as stream,
    event_id,
    'from the future' as reason,
    received_at, kafka_partition, kafka_offset
from judged_logins
where
    broken_field is null
    and cast(left(occurred_at, 10) || 'T' || substr(occurred_at, 12, 8)
                || substr(left(occurred_at, length(occurred_at) - case when right(occurred_at, 1) in ('Z', 'z') then 1 when left(right(occurred_at, 3), 1) = ':' then 6 else 5 end), 20, 7)
                || case
                    when right(occurred_at, 1) in ('Z', 'z') then 'Z'
                    else left(right(occurred_at, case when right(occurred_at, 1) in ('Z', 'z') then 1 when left(right(occurred_at, 3), 1) = ':' then 6 else 5 end), 3) || ':' || right(occurred_at, 2)
                end as timestamptz) > received_at + interval '60 seconds'
union all
-- src_logins has no row: not JSON, or JSON without an event_id
select
    'logins' as stream,
    cast(null as varchar) as event_id,
    'not a JSON record with an event_id' as reason,
    received_at, kafka_partition, kafka_offset
from "dev"."public"."raw_logins"
where coalesce(cast(convert_from(record, 'utf8') as jsonb) ->> 'event_id', '') = ''
union all
select
    'card_events' as stream,
    event_id,
    'breaks the contract: ' || broken_field as reason,
    received_at, kafka_partition, kafka_offset
from judged_card_events
where broken_field is not null and event_id <> ''
union all
select
    'card_events' as stream,
    event_id,
    'from the future' as reason,
    received_at, kafka_partition, kafka_offset
from judged_card_events
where
    broken_field is null
    and cast(left(occurred_at, 10) || 'T' || substr(occurred_at, 12, 8)
                || substr(left(occurred_at, length(occurred_at) - case when right(occurred_at, 1) in ('Z', 'z') then 1 when left(right(occurred_at, 3), 1) = ':' then 6 else 5 end), 20, 7)
                || case
                    when right(occurred_at, 1) in ('Z', 'z') then 'Z'
                    else left(right(occurred_at, case when right(occurred_at, 1) in ('Z', 'z') then 1 when left(right(occurred_at, 3), 1) = ':' then 6 else 5 end), 3) || ':' || right(occurred_at, 2)
                end as timestamptz) > received_at + interval '60 seconds'
union all
-- src_card_events has no row: not JSON, or JSON without an event_id
select
    'card_events' as stream,
    cast(null as varchar) as event_id,
    'not a JSON record with an event_id' as reason,
    received_at, kafka_partition, kafka_offset
from "dev"."public"."raw_card_events"
where coalesce(cast(convert_from(record, 'utf8') as jsonb) ->> 'event_id', '') = ''
union all
select
    'alerts' as stream,
    event_id,
    'breaks the contract: ' || broken_field as reason,
    received_at, kafka_partition, kafka_offset
from judged_alerts
where broken_field is not null and event_id <> ''
union all
select
    'alerts' as stream,
    event_id,
    'from the future' as reason,
    received_at, kafka_partition, kafka_offset
from judged_alerts
where
    broken_field is null
    and cast(left(occurred_at, 10) || 'T' || substr(occurred_at, 12, 8)
                || substr(left(occurred_at, length(occurred_at) - case when right(occurred_at, 1) in ('Z', 'z') then 1 when left(right(occurred_at, 3), 1) = ':' then 6 else 5 end), 20, 7)
                || case
                    when right(occurred_at, 1) in ('Z', 'z') then 'Z'
                    else left(right(occurred_at, case when right(occurred_at, 1) in ('Z', 'z') then 1 when left(right(occurred_at, 3), 1) = ':' then 6 else 5 end), 3) || ':' || right(occurred_at, 2)
                end as timestamptz) > received_at + interval '60 seconds'
union all
-- src_alerts has no row: not JSON, or JSON without an event_id
select
    'alerts' as stream,
    cast(null as varchar) as event_id,
    'not a JSON record with an event_id' as reason,
    received_at, kafka_partition, kafka_offset
from "dev"."public"."raw_alerts"
where coalesce(cast(convert_from(record, 'utf8') as jsonb) ->> 'event_id', '') = ''
union all
select
    'kyc_profiles' as stream,
    event_id,
    'breaks the contract: ' || broken_field as reason,
    received_at, kafka_partition, kafka_offset
from judged_kyc_profiles
where broken_field is not null and event_id <> ''
union all
select
    'kyc_profiles' as stream,
    event_id,
    'from the future' as reason,
    received_at, kafka_partition, kafka_offset
from judged_kyc_profiles
where
    broken_field is null
    and cast(left(occurred_at, 10) || 'T' || substr(occurred_at, 12, 8)
                || substr(left(occurred_at, length(occurred_at) - case when right(occurred_at, 1) in ('Z', 'z') then 1 when left(right(occurred_at, 3), 1) = ':' then 6 else 5 end), 20, 7)
                || case
                    when right(occurred_at, 1) in ('Z', 'z') then 'Z'
                    else left(right(occurred_at, case when right(occurred_at, 1) in ('Z', 'z') then 1 when left(right(occurred_at, 3), 1) = ':' then 6 else 5 end), 3) || ':' || right(occurred_at, 2)
                end as timestamptz) > received_at + interval '60 seconds'
union all
-- src_kyc_profiles has no row: not JSON, or JSON without an event_id
select
    'kyc_profiles' as stream,
    cast(null as varchar) as event_id,
    'not a JSON record with an event_id' as reason,
    received_at, kafka_partition, kafka_offset
from "dev"."public"."raw_kyc_profiles"
where coalesce(cast(convert_from(record, 'utf8') as jsonb) ->> 'event_id', '') = ''
  ;

create materialized view if not exists "dev"."public"."stg_transactions"
  as with typed as (
    with records_of_transactions as (
        select
            received_at, kafka_partition, kafka_offset,
            payload ->> 'event_id' as event_id,
            jsonb_typeof(payload -> 'event_id') as type_of_event_id,
            payload ->> 'occurred_at' as occurred_at,
            jsonb_typeof(payload -> 'occurred_at') as type_of_occurred_at,
            payload ->> 'transaction_id' as transaction_id,
            jsonb_typeof(payload -> 'transaction_id') as type_of_transaction_id,
            payload ->> 'account_id' as account_id,
            jsonb_typeof(payload -> 'account_id') as type_of_account_id,
            payload ->> 'customer_id' as customer_id,
            jsonb_typeof(payload -> 'customer_id') as type_of_customer_id,
            payload ->> 'transaction_type' as transaction_type,
            jsonb_typeof(payload -> 'transaction_type') as type_of_transaction_type,
            payload ->> 'channel' as channel,
            jsonb_typeof(payload -> 'channel') as type_of_channel,
            payload ->> 'card_present' as card_present,
            jsonb_typeof(payload -> 'card_present') as type_of_card_present,
            payload ->> 'amount' as amount,
            jsonb_typeof(payload -> 'amount') as type_of_amount,
            payload ->> 'currency' as currency,
            jsonb_typeof(payload -> 'currency') as type_of_currency,
            payload ->> 'status' as status,
            jsonb_typeof(payload -> 'status') as type_of_status,
            payload ->> 'card_token' as card_token,
            jsonb_typeof(payload -> 'card_token') as type_of_card_token,
            payload ->> 'card_bin' as card_bin,
            jsonb_typeof(payload -> 'card_bin') as type_of_card_bin,
            payload ->> 'card_last4' as card_last4,
            jsonb_typeof(payload -> 'card_last4') as type_of_card_last4,
            payload ->> 'merchant_id' as merchant_id,
            jsonb_typeof(payload -> 'merchant_id') as type_of_merchant_id,
            payload ->> 'merchant_category' as merchant_category,
            jsonb_typeof(payload -> 'merchant_category') as type_of_merchant_category,
            payload ->> 'merchant_country' as merchant_country,
            jsonb_typeof(payload -> 'merchant_country') as type_of_merchant_country,
            payload ->> 'city' as city,
            jsonb_typeof(payload -> 'city') as type_of_city,
            payload ->> 'latitude' as latitude,
            jsonb_typeof(payload -> 'latitude') as type_of_latitude,
            payload ->> 'longitude' as longitude,
            jsonb_typeof(payload -> 'longitude') as type_of_longitude,
            payload ->> 'device_id' as device_id,
            jsonb_typeof(payload -> 'device_id') as type_of_device_id,
            payload ->> 'ip_address' as ip_address,
            jsonb_typeof(payload -> 'ip_address') as type_of_ip_address,
            payload ->> 'payee_id' as payee_id,
            jsonb_typeof(payload -> 'payee_id') as type_of_payee_id
        from "dev"."public"."src_transactions"
    ),
    judged_transactions as (
        select
            *,
            case
            when event_id is null or not (type_of_event_id in ('string')
                and length(event_id) between 1 and 64
                and not event_id ~ '[\x00-\x1f\x7f]'
                and event_id not in ('.', '..')) then 'event_id'
            when occurred_at is null or not (type_of_occurred_at in ('string')
                and occurred_at ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]+)?([Zz]|[+-]([01][0-9]|2[0-3]):?[0-5][0-9])$'
                and coalesce(cast(left(occurred_at, 10) || 'T' || substr(occurred_at, 12, 8)
                    || substr(left(occurred_at, length(occurred_at) - case when right(occurred_at, 1) in ('Z', 'z') then 1 when left(right(occurred_at, 3), 1) = ':' then 6 else 5 end), 20, 7)
                    || case
                        when right(occurred_at, 1) in ('Z', 'z') then 'Z'
                        else left(right(occurred_at, case when right(occurred_at, 1) in ('Z', 'z') then 1 when left(right(occurred_at, 3), 1) = ':' then 6 else 5 end), 3) || ':' || right(occurred_at, 2)
                    end as timestamptz) between cast('1970-01-01T00:00:00Z' as timestamptz) and cast('9999-12-31T23:59:59.999999Z' as timestamptz), false)) then 'occurred_at'
            when transaction_id is null or not (type_of_transaction_id in ('string')
                and length(transaction_id) between 1 and 64
                and not transaction_id ~ '[\x00-\x1f\x7f]'
                and transaction_id not in ('.', '..')) then 'transaction_id'
            when account_id is null or not (type_of_account_id in ('string')
                and length(account_id) between 1 and 64
                and not account_id ~ '[\x00-\x1f\x7f]'
                and account_id not in ('.', '..')) then 'account_id'
            when customer_id is null or not (type_of_customer_id in ('string')
                and length(customer_id) between 1 and 64
                and not customer_id ~ '[\x00-\x1f\x7f]'
                and customer_id not in ('.', '..')) then 'customer_id'
            when transaction_type is null or not (type_of_transaction_type in ('string')
                and transaction_type in ('PURCHASE', 'CASH_DEPOSIT', 'CASH_WITHDRAWAL', 'TRANSFER', 'BILL_PAYMENT')) then 'transaction_type'
            when channel is null or not (type_of_channel in ('string')
                and channel in ('POS', 'ECOMMERCE', 'ATM', 'BRANCH', 'MOBILE')) then 'channel'
            when card_present is null or not (type_of_card_present in ('boolean')) then 'card_present'
            when amount is null or not (type_of_amount in ('string')
                and amount ~ '^(0|[1-9][0-9]{0,11})[.][0-9]{2}$') then 'amount'
            when currency is null or not (type_of_currency in ('string')
                and currency ~ '^[A-Z]{3}$') then 'currency'
            when status is null or not (type_of_status in ('string')
                and status in ('APPROVED', 'DECLINED', 'REVERSED')) then 'status'
            when card_token is not null and not (type_of_card_token in ('string')
                and card_token ~ '^[A-Za-z][A-Za-z0-9_-]{3,63}$') then 'card_token'
            when card_bin is not null and not (type_of_card_bin in ('string')
                and card_bin ~ '^[0-9]{6}$') then 'card_bin'
            when card_last4 is not null and not (type_of_card_last4 in ('string')
                and card_last4 ~ '^[0-9]{4}$') then 'card_last4'
            when merchant_id is not null and not (type_of_merchant_id in ('string')
                and length(merchant_id) between 1 and 64
                and not merchant_id ~ '[\x00-\x1f\x7f]'
                and merchant_id not in ('.', '..')) then 'merchant_id'
            when merchant_category is not null and not (type_of_merchant_category in ('string')
                and merchant_category ~ '^[0-9]{4}$') then 'merchant_category'
            when merchant_country is not null and not (type_of_merchant_country in ('string')
                and merchant_country ~ '^[A-Z]{2}$') then 'merchant_country'
            when city is not null and not (type_of_city in ('string')
                and length(city) between 1 and 100
                and not city ~ '[\x00-\x1f\x7f]'
                and city not in ('.', '..')) then 'city'
            when latitude is not null and not (type_of_latitude in ('number')
                and coalesce(cast(latitude as double precision) between -90 and 90, false)) then 'latitude'
            when longitude is not null and not (type_of_longitude in ('number')
                and coalesce(cast(longitude as double precision) between -180 and 180, false)) then 'longitude'
            when device_id is not null and not (type_of_device_id in ('string')
                and length(device_id) between 1 and 64
                and not device_id ~ '[\x00-\x1f\x7f]'
                and device_id not in ('.', '..')) then 'device_id'
            when ip_address is not null and not (type_of_ip_address in ('string')
                and length(ip_address) between 1 and 45
                and not ip_address ~ '[\x00-\x1f\x7f]'
                and ip_address not in ('.', '..')) then 'ip_address'
            when payee_id is not null and not (type_of_payee_id in ('string')
                and length(payee_id) between 1 and 64
                and not payee_id ~ '[\x00-\x1f\x7f]'
                and payee_id not in ('.', '..')) then 'payee_id'
        end as broken_field
        from records_of_transactions
    ),
    valid as (
        select * from judged_transactions
        where
            broken_field is null
            -- an event may not be from the future; its arrival is the broker's timestamp, not the clock
            and cast(left(occurred_at, 10) || 'T' || substr(occurred_at, 12, 8)
                    || substr(left(occurred_at, length(occurred_at) - case when right(occurred_at, 1) in ('Z', 'z') then 1 when left(right(occurred_at, 3), 1) = ':' then 6 else 5 end), 20, 7)
                    || case
                        when right(occurred_at, 1) in ('Z', 'z') then 'Z'
                        else left(right(occurred_at, case when right(occurred_at, 1) in ('Z', 'z') then 1 when left(right(occurred_at, 3), 1) = ':' then 6 else 5 end), 3) || ':' || right(occurred_at, 2)
                    end as timestamptz)
                <= received_at + interval '60 seconds'
    )
    select distinct on (event_id)
        event_id,
        cast(left(occurred_at, 10) || 'T' || substr(occurred_at, 12, 8)
                    || substr(left(occurred_at, length(occurred_at) - case when right(occurred_at, 1) in ('Z', 'z') then 1 when left(right(occurred_at, 3), 1) = ':' then 6 else 5 end), 20, 7)
                    || case
                        when right(occurred_at, 1) in ('Z', 'z') then 'Z'
                        else left(right(occurred_at, case when right(occurred_at, 1) in ('Z', 'z') then 1 when left(right(occurred_at, 3), 1) = ':' then 6 else 5 end), 3) || ':' || right(occurred_at, 2)
                    end as timestamptz) as occurred_at,
        transaction_id,
        account_id,
        customer_id,
        transaction_type,
        channel,
        cast(card_present as boolean) as card_present,
        cast(amount as numeric) as amount,
        currency,
        status,
        card_token,
        card_bin,
        card_last4,
        merchant_id,
        merchant_category,
        merchant_country,
        city,
        cast(latitude as double precision) as latitude,
        cast(longitude as double precision) as longitude,
        device_id,
        ip_address,
        payee_id
    from valid
)
select
    *,
    cast(case currency
        when 'AUD' then amount
        when 'USD' then round(amount * 1.53, 2)
        when 'EUR' then round(amount * 1.77, 2)
        when 'GBP' then round(amount * 2.04, 2)
        when 'NZD' then round(amount * 0.88, 2)
        when 'SGD' then round(amount * 1.18, 2)
        when 'HKD' then round(amount * 0.196, 2)
        when 'JPY' then round(amount * 0.0101, 2)
        when 'CNY' then round(amount * 0.213, 2)
        when 'INR' then round(amount * 0.0174, 2)
        when 'THB' then round(amount * 0.047, 2)
        when 'IDR' then round(amount * 0.000093, 2)
        when 'MYR' then round(amount * 0.36, 2)
        when 'PHP' then round(amount * 0.026, 2)
        when 'FJD' then round(amount * 0.67, 2)
        when 'CAD' then round(amount * 1.1, 2)
        when 'CHF' then round(amount * 1.9, 2)
        when 'KRW' then round(amount * 0.00106, 2)
        when 'VND' then round(amount * 0.000058, 2)
    end as numeric) as base_amount
from typed
  ;

create view if not exists "dev"."public"."fraud_cases"
  as with moments as (
    select
        customer_id,
        occurred_at,
        signal_id,
        account_id,
        pattern,
        weight,
        exposed,
        0 as closes
    from "dev"."public"."mv_fraud_signals"
    union all
    -- a closing covers the signals up to its moment, that moment included
    select
        customer_id,
        closed_until as occurred_at,
        cast(null as varchar) as signal_id,
        cast(null as varchar) as account_id,
        cast(null as varchar) as pattern,
        cast(null as double precision) as weight,
        cast(array[] as varchar[]) as exposed,
        1 as closes
    from "dev"."public"."case_reviews"
    where status = 'CLOSED' and closed_until is not null
),
placed as (
    select
        *,
        sum(closes) over (
            partition by customer_id
            order by occurred_at, closes, signal_id
            rows between unbounded preceding and current row
        ) as closed_before
    from moments
),
signals as (
    select
        *,
        lag(occurred_at) over (partition by customer_id, closed_before order by occurred_at, signal_id) as previous_at
    from placed
    where closes = 0
),
-- a gap longer than gap_seconds starts another session of signals
sessions as (
    select
        *,
        sum(case when previous_at >= occurred_at - interval '1800 seconds' then 0 else 1 end) over (
            partition by customer_id, closed_before
            order by occurred_at, signal_id
            rows between unbounded preceding and current row
        ) as session_number
    from signals
),
entries as (
    select
        customer_id,
        closed_before,
        session_number,
        signal_id,
        occurred_at,
        unnest(exposed) as entry
    from sessions
),
-- a transaction that several signals expose counts once, at the first of them
counted_entries as (
    select
        *,
        row_number() over (
            partition by customer_id, closed_before, session_number, entry
            order by occurred_at, signal_id
        ) as place
    from entries
),
money as (
    select
        customer_id,
        signal_id,
        sum(cast(split_part(entry, ' ', 2) as numeric)) as exposure
    from counted_entries
    where place = 1
    group by customer_id, signal_id
),
steps as (
    select
        sessions.customer_id,
        sessions.closed_before,
        sessions.session_number,
        sessions.signal_id,
        sessions.occurred_at,
        cast(sessions.weight as numeric) as weight,
        row_number() over (
            partition by sessions.customer_id, sessions.closed_before, sessions.session_number, sessions.pattern
            order by sessions.occurred_at, sessions.signal_id
        ) as place_of_pattern,
        coalesce(money.exposure, 0) as exposure
    from sessions
    left join money on sessions.customer_id = money.customer_id and sessions.signal_id = money.signal_id
),
sums as (
    select
        *,
        sum(case when place_of_pattern = 1 then weight else 0 end) over (
            partition by customer_id, closed_before, session_number
            order by occurred_at, signal_id
            rows between unbounded preceding and current row
        ) as weight_so_far,
        sum(exposure) over (
            partition by customer_id, closed_before, session_number
            order by occurred_at, signal_id
            rows between unbounded preceding and current row
        ) as exposure_so_far
    from steps
),
sufficient as (
    select
        customer_id,
        closed_before,
        session_number,
        min(occurred_at) as opened_at
    from sums
    where
        round(weight_so_far, 6) >= 0.5
        or exposure_so_far * least(1, round(weight_so_far, 6)) * least(1, round(weight_so_far, 6)) >= 1000
    group by customer_id, closed_before, session_number
),
ranked_openings as (
    select
        *,
        row_number() over (partition by customer_id, closed_before order by session_number) as place
    from sufficient
),
-- the first session that suffices opens the case; every later signal joins it
members as (
    select
        sessions.*,
        openings.opened_at
    from sessions
    inner join ranked_openings as openings
        on sessions.customer_id = openings.customer_id
        and sessions.closed_before = openings.closed_before
        and sessions.session_number >= openings.session_number
    where openings.place = 1
),
distinct_accounts as (
    select distinct
        customer_id,
        closed_before,
        account_id
    from members
    where account_id is not null
),
accounts as (
    select
        customer_id,
        closed_before,
        string_agg(account_id, ', ' order by account_id) as account_ids
    from distinct_accounts
    group by customer_id, closed_before
),
gathered as (
    select
        customer_id,
        closed_before,
        count(*) as signal_count,
        min(occurred_at) as first_signal_at,
        max(occurred_at) as last_signal_at,
        min(opened_at) as opened_at
    from members
    group by customer_id, closed_before
),
member_entries as (
    select
        customer_id,
        closed_before,
        unnest(exposed) as entry
    from members
),
distinct_entries as (
    select distinct
        customer_id,
        closed_before,
        entry
    from member_entries
),
exposures as (
    select
        customer_id,
        closed_before,
        sum(cast(split_part(entry, ' ', 2) as numeric)) as exposure,
        sum(case when split_part(entry, ' ', 1) = 'gone' then cast(split_part(entry, ' ', 2) as numeric) else 0 end) as already_gone
    from distinct_entries
    group by customer_id, closed_before
),
patterns as (
    select
        customer_id,
        closed_before,
        pattern,
        max(cast(weight as numeric)) as weight,
        min(occurred_at) as first_at,
        case pattern
            when 'geo_impossible' then 'BLOCK_CARD'
            when 'structuring' then 'REFER_AML'
            when 'cnp_spike' then 'BLOCK_CARD'
            when 'account_takeover' then 'HOLD_PAYMENT'
            when 'compound' then 'CONTACT_CUSTOMER'
            when 'velocity' then 'STEP_UP'
            when 'brute_force_login' then 'LOCK_SESSION'
            when 'unusual_amount' then 'CONTACT_CUSTOMER'
            when 'new_payee_large' then 'HOLD_PAYMENT'
        end as action,
        case pattern
            when 'geo_impossible' then 1
            when 'structuring' then 2
            when 'cnp_spike' then 3
            when 'account_takeover' then 4
            when 'compound' then 5
            when 'velocity' then 6
            when 'brute_force_login' then 7
            when 'unusual_amount' then 8
            when 'new_payee_large' then 9
        end as action_rank
    from members
    group by customer_id, closed_before, pattern
),
ranked_actions as (
    select
        *,
        row_number() over (partition by customer_id, closed_before, action order by action_rank) as place_of_action
    from patterns
),
scores as (
    select
        customer_id,
        closed_before,
        cast(least(1, round(sum(weight), 6)) as double precision) as score,
        string_agg(pattern, ', ' order by first_at, pattern) as patterns,
        string_agg(case when place_of_action = 1 then action end, ', ' order by action_rank) as actions,
        first_value(action order by action_rank) as recommended_action
    from ranked_actions
    group by customer_id, closed_before
),
cases as (
    select
        gathered.*,
        coalesce(accounts.account_ids, '') as account_ids,
        scores.score,
        scores.patterns,
        scores.actions,
        scores.recommended_action,
        case
        when scores.score >= 0.8 then 'critical'
        when scores.score >= 0.5 then 'high'
        when scores.score >= 0.25 then 'medium'
        else 'low'
    end as level,
        coalesce(exposures.exposure, 0) as exposure,
        coalesce(exposures.already_gone, 0) as already_gone
    from gathered
    inner join scores
        on gathered.customer_id = scores.customer_id
        and gathered.closed_before = scores.closed_before
    left join accounts
        on gathered.customer_id = accounts.customer_id
        and gathered.closed_before = accounts.closed_before
    left join exposures
        on gathered.customer_id = exposures.customer_id
        and gathered.closed_before = exposures.closed_before
)
select
    'case_' || left(md5(customer_id || '|' || cast(cast(closed_before as bigint) as varchar)), 12) as case_id,
    customer_id,
    account_ids,
    level,
    score,
    patterns,
    signal_count,
    exposure,
    already_gone,
    first_signal_at,
    last_signal_at,
    opened_at,
    case level
        when 'critical' then opened_at + interval '900 seconds'
        when 'high' then opened_at + interval '3600 seconds'
        when 'medium' then opened_at + interval '14400 seconds'
        when 'low' then opened_at + interval '28800 seconds'
    end as due_at,
    recommended_action,
    actions,
    false as withdrawn,
    case when closed_before > 0 then 'case_' || left(md5(customer_id || '|' || cast(cast(closed_before - 1 as bigint) as varchar)), 12) end as previous_case_id
from cases
  ;

create materialized view if not exists "dev"."public"."mv_correlated_alert_burst"
  as with watched as (
    select
        event_id,
        occurred_at,
        customer_id,
        alert_type,
        '' as exposure_entry
    from "dev"."public"."stg_alerts"
    where
        customer_id is not null
        and occurred_at > now() - interval '21960 seconds'
        and alert_type is not null
),
gathered as (
    select
        *,
        array_agg(alert_type) over (
            partition by customer_id
            order by occurred_at
            range between interval '300 seconds' preceding and current row
        ) as values_in_window
    from watched
),
compared as (
    select
        *,
        array_sort(array_distinct(values_in_window)) as different_values,
        array_length(array_distinct(values_in_window)) as observed
    from gathered
),
exposing as (
    select
        *,
        cast(array[] as varchar[]) as exposed
    from compared
),
fired as (
    select *
    from exposing
    where
        observed >= 2
        and occurred_at > now() - interval '21600 seconds'
)
select
    'compound:' || event_id as signal_id,
    'compound' as pattern,
    'FR-CMP-001' as rule_id,
    'CRITICAL' as severity,
    cast(0.35 as double precision) as weight,
    customer_id,
    cast(null as varchar) as account_id,
    customer_id as subject,
    event_id,
    occurred_at,
    occurred_at - interval '300 seconds' as window_start,
    cast(observed as double precision) as observed,
    cast(2 as double precision) as threshold,
    cast(null as numeric) as amount,
    cast(cast(trunc(observed) as bigint) as varchar)
        || ' different alert types for customer '
        || customer_id
        || ' within '
        || '5 minutes'
        || '; the limit is '
        || '2'
        || '.' as reason,
    jsonb_build_object('window_seconds', 300, 'values', different_values) as evidence,
    exposed
from fired
  ;

create materialized view if not exists "dev"."public"."mv_login_failure_storm"
  as with watched as (
    select
        event_id,
        occurred_at,
        customer_id,
        '' as exposure_entry
    from "dev"."public"."stg_logins"
    where
        customer_id is not null
        and outcome = 'FAILURE'
        and occurred_at > now() - interval '21720 seconds'
),
counted as (
    select
        *,
        count(*) over (
            partition by customer_id
            order by occurred_at
            range between interval '60 seconds' preceding and current row
        ) as observed
    from watched
),
exposing as (
    select
        *,
        cast(array[] as varchar[]) as exposed
    from counted
),
fired as (
    select *
    from exposing
    where
        observed >= 3
        and occurred_at > now() - interval '21600 seconds'
)
select
    'brute_force_login:' || event_id as signal_id,
    'brute_force_login' as pattern,
    'FR-BFL-001' as rule_id,
    'MEDIUM' as severity,
    cast(0.25 as double precision) as weight,
    customer_id,
    cast(null as varchar) as account_id,
    customer_id as subject,
    event_id,
    occurred_at,
    occurred_at - interval '60 seconds' as window_start,
    cast(observed as double precision) as observed,
    cast(3 as double precision) as threshold,
    cast(null as numeric) as amount,
    cast(cast(trunc(observed) as bigint) as varchar)
        || ' failed logins of customer '
        || customer_id
        || ' within '
        || '1 minute'
        || '; the limit is '
        || '3'
        || '.' as reason,
    jsonb_build_object('window_seconds', 60) as evidence,
    exposed
from fired
  ;

create materialized view if not exists "dev"."public"."account_links"
  as
with links as (
    select
        customer_id,
        account_id,
        occurred_at
    from "dev"."public"."stg_transactions"
    union all
    -- in a subquery, as the planner of RisingWave 2.4 fails on unnest in an arm of a union
    select
        customer_id,
        account_id,
        occurred_at
    from (
        select
            customer_id,
            unnest(account_ids) as account_id,
            occurred_at
        from "dev"."public"."stg_kyc_profiles"
    ) as listed
)
select
    customer_id,
    account_id,
    min(occurred_at) as held_since
from links
group by customer_id, account_id
  ;

create materialized view if not exists "dev"."public"."mv_channel_risk"
  as with payments as (
    select
        payments.channel,
        payments.base_amount,
        payments.status,
        payments.occurred_at,
        flags.event_id is not null as flagged
    from (
        select * from "dev"."public"."stg_transactions"
        where occurred_at > now() - interval '86400 seconds'
    ) as payments
    left join (
        select distinct event_id from "dev"."public"."mv_fraud_signals"
        where occurred_at > now() - interval '86400 seconds'
    ) as flags
        on payments.event_id = flags.event_id
)
select
    window_start,
    window_start + interval '5 minutes' as window_end,
    channel,
    count(*) as transactions,
    coalesce(sum(base_amount), 0) as amount,
    count(*) filter (where flagged) as flagged,
    coalesce(sum(base_amount) filter (where flagged), 0) as flagged_amount,
    round(100.0 * count(*) filter (where flagged) / count(*), 2) as fraud_rate_pct,
    round(100.0 * count(*) filter (where status = 'DECLINED') / count(*), 2) as declined_pct
from hop(payments, occurred_at, interval '60 seconds', interval '300 seconds')
group by window_start, channel
  ;

create materialized view if not exists "dev"."public"."mv_cnp_spike"
  as with watched as (
    select
        event_id,
        occurred_at,
        customer_id,
        account_id,
        card_token,
        base_amount,
        coalesce(case
            when status = 'APPROVED' and transaction_type <> 'CASH_DEPOSIT'
                then
                    case when card_present or transaction_type = 'CASH_WITHDRAWAL' then 'gone ' else 'at_risk ' end
                    || cast(base_amount as varchar) || ' ' || event_id
        end, '') as exposure_entry
    from "dev"."public"."stg_transactions"
    where
        card_token is not null
        and card_present = false
        and occurred_at > now() - interval '21960 seconds'
),
counted as (
    select
        *,
        count(*) over (
            partition by card_token
            order by occurred_at
            range between interval '300 seconds' preceding and current row
        ) as observed
    from watched
),
followed as (
    select
        *,
        max(case when observed >= 8 then occurred_at end) over (
            partition by card_token
            order by occurred_at, event_id
            rows between unbounded preceding and 1 preceding
        ) as fired_before_at
    from counted
),
listed as (
    select
        *,
        array_agg(exposure_entry) over (
            partition by card_token, fired_before_at
            order by occurred_at
            range between interval '300 seconds' preceding and current row
        ) as entries
    from followed
),
exposing as (
    select
        *,
        array_sort(array_remove(entries, '')) as exposed
    from listed
),
fired as (
    select *
    from exposing
    where
        observed >= 8
        and occurred_at > now() - interval '21600 seconds'
)
select
    'cnp_spike:' || event_id as signal_id,
    'cnp_spike' as pattern,
    'FR-CNP-001' as rule_id,
    'HIGH' as severity,
    cast(0.4 as double precision) as weight,
    customer_id,
    account_id,
    coalesce(card_token, 'None') as subject,
    event_id,
    occurred_at,
    occurred_at - interval '300 seconds' as window_start,
    cast(observed as double precision) as observed,
    cast(8 as double precision) as threshold,
    base_amount as amount,
    cast(cast(trunc(observed) as bigint) as varchar)
        || ' card-not-present transactions on one card within '
        || '5 minutes'
        || '; the limit is '
        || '8'
        || '.' as reason,
    jsonb_build_object('window_seconds', 300) as evidence,
    exposed
from fired
  ;

create materialized view if not exists "dev"."public"."mv_device_anomalies"
  as with sightings as (
    select
        customer_id,
        device_id,
        min(occurred_at) as first_seen_at
    from "dev"."public"."stg_transactions"
    where
        customer_id is not null
        and device_id is not null
    group by customer_id, device_id
),
-- of two profiles at the same time, the one with the later event_id is in force
ranked_profiles as (
    select
        customer_id,
        occurred_at as in_force_since,
        registered_device_ids,
        row_number() over (partition by customer_id, occurred_at order by event_id desc) as place
    from "dev"."public"."stg_kyc_profiles"
),
profiles as (
    select customer_id, in_force_since, registered_device_ids
    from ranked_profiles
    where place = 1
),
watched as (
    select
        event_id,
        occurred_at,
        customer_id,
        account_id,
        base_amount,
        device_id,
        amount,
        currency,
        coalesce(case
            when status = 'APPROVED' and transaction_type <> 'CASH_DEPOSIT'
                then
                    case when card_present or transaction_type = 'CASH_WITHDRAWAL' then 'gone ' else 'at_risk ' end
                    || cast(base_amount as varchar) || ' ' || event_id
        end, '') as exposure_entry
    from "dev"."public"."stg_transactions"
    where
        customer_id is not null
        and card_present = false
        and device_id is not null
        and base_amount >= 500
        and occurred_at > now() - interval '21600 seconds'
),
judged as (
    select
        watched.*,
        sightings.first_seen_at,
        profiles.registered_device_ids
    from watched
    inner join sightings
        on watched.customer_id = sightings.customer_id and watched.device_id = sightings.device_id
    asof left join profiles
        on watched.customer_id = profiles.customer_id
        and profiles.in_force_since <= watched.occurred_at
),
fired as (
    select
        *,
        base_amount as observed,
        array_sort(array_remove(array[exposure_entry], '')) as exposed
    from judged
    where
        not coalesce(device_id = any(registered_device_ids), false)
        and first_seen_at >= occurred_at - interval '86400 seconds'
)
select
    'account_takeover:' || event_id as signal_id,
    'account_takeover' as pattern,
    'FR-ATO-001' as rule_id,
    'HIGH' as severity,
    cast(0.35 as double precision) as weight,
    customer_id,
    account_id,
    customer_id as subject,
    event_id,
    occurred_at,
    occurred_at - interval '86400 seconds' as window_start,
    cast(observed as double precision) as observed,
    cast(500 as double precision) as threshold,
    base_amount as amount,
    currency
        || ' '
        || cast(amount as varchar)
        || ' spent without the card from device '
        || device_id
        || ', which customer '
        || customer_id
        || ' has not registered and first used less than '
        || '24 hours'
        || ' ago.' as reason,
    jsonb_build_object('window_seconds', 86400, 'value', device_id, 'first_seen_at', first_seen_at) as evidence,
    exposed
from fired
  ;

create materialized view if not exists "dev"."public"."mv_fraud_kpis_1min"
  as with reported_transactions as (
    select occurred_at, base_amount
    from "dev"."public"."stg_transactions"
    where occurred_at > now() - interval '86400 seconds'
),
reported_signals as (
    select occurred_at, pattern, event_id
    from "dev"."public"."mv_fraud_signals"
    where occurred_at > now() - interval '86400 seconds'
),
money as (
    select
        window_start,
        count(*) as transactions,
        coalesce(sum(base_amount), 0) as amount,
        count(*) - count(base_amount) as without_rate
    from tumble(reported_transactions, occurred_at, interval '1 minute')
    group by window_start
),
fired as (
    select
        window_start,
        count(*) as signals,
        -- a signal has the time of the transaction at which it fired
        count(distinct case when pattern in ('velocity', 'geo_impossible', 'account_takeover', 'cnp_spike', 'structuring', 'unusual_amount', 'new_payee_large') then event_id end) as flagged,
        count(*) filter (where pattern = 'velocity') as signals_velocity,
        count(*) filter (where pattern = 'geo_impossible') as signals_geo_impossible,
        count(*) filter (where pattern = 'account_takeover') as signals_account_takeover,
        count(*) filter (where pattern = 'cnp_spike') as signals_cnp_spike,
        count(*) filter (where pattern = 'brute_force_login') as signals_brute_force_login,
        count(*) filter (where pattern = 'structuring') as signals_structuring,
        count(*) filter (where pattern = 'compound') as signals_compound,
        count(*) filter (where pattern = 'unusual_amount') as signals_unusual_amount,
        count(*) filter (where pattern = 'new_payee_large') as signals_new_payee_large
    from tumble(reported_signals, occurred_at, interval '1 minute')
    group by window_start
)
select
    coalesce(money.window_start, fired.window_start) as window_start,
    coalesce(money.window_start, fired.window_start) + interval '1 minute' as window_end,
    coalesce(money.transactions, 0) as transactions,
    coalesce(money.amount, 0) as amount,
    coalesce(money.without_rate, 0) as without_rate,
    coalesce(fired.flagged, 0) as flagged,
    case
        when money.transactions > 0 then round(100.0 * coalesce(fired.flagged, 0) / money.transactions, 2)
        else 0
    end as fraud_rate_pct,
    coalesce(fired.signals, 0) as signals,
    coalesce(fired.signals_velocity, 0) as signals_velocity,
    coalesce(fired.signals_geo_impossible, 0) as signals_geo_impossible,
    coalesce(fired.signals_account_takeover, 0) as signals_account_takeover,
    coalesce(fired.signals_cnp_spike, 0) as signals_cnp_spike,
    coalesce(fired.signals_brute_force_login, 0) as signals_brute_force_login,
    coalesce(fired.signals_structuring, 0) as signals_structuring,
    coalesce(fired.signals_compound, 0) as signals_compound,
    coalesce(fired.signals_unusual_amount, 0) as signals_unusual_amount,
    coalesce(fired.signals_new_payee_large, 0) as signals_new_payee_large
from money
full join fired on money.window_start = fired.window_start
  ;

create materialized view if not exists "dev"."public"."mv_geo_impossible_trips"
  as with watched as (
    select
        event_id,
        occurred_at,
        customer_id,
        account_id,
        card_token,
        base_amount,
        city,
        latitude,
        longitude,
        coalesce(case
            when status = 'APPROVED' and transaction_type <> 'CASH_DEPOSIT'
                then
                    case when card_present or transaction_type = 'CASH_WITHDRAWAL' then 'gone ' else 'at_risk ' end
                    || cast(base_amount as varchar) || ' ' || event_id
        end, '') as exposure_entry
    from "dev"."public"."stg_transactions"
    where
        card_token is not null
        and card_present = true
        and latitude is not null
        and longitude is not null
        and occurred_at > now() - interval '28860 seconds'
),
steps as (
    select
        *,
        lag(event_id) over (partition by card_token order by occurred_at, event_id) as previous_event_id,
        lag(exposure_entry) over (partition by card_token order by occurred_at, event_id) as previous_exposure_entry,
        lag(occurred_at) over (partition by card_token order by occurred_at, event_id) as previous_at,
        lag(city) over (partition by card_token order by occurred_at, event_id) as previous_city,
        lag(latitude) over (partition by card_token order by occurred_at, event_id) as previous_latitude,
        lag(longitude) over (partition by card_token order by occurred_at, event_id) as previous_longitude
    from watched
),
measured as (
    select
        *,
        2 * 6371 * asin(sqrt(least(
            cast(1 as double precision),
            power(sin(radians(latitude - previous_latitude) / 2), 2)
            + cos(radians(previous_latitude)) * cos(radians(latitude))
            * power(sin(radians(longitude - previous_longitude) / 2), 2)
        ))) as distance_km
    from steps
    where previous_at > occurred_at - interval '7200 seconds'
),
fired as (
    select
        *,
        cast(round(cast(distance_km as numeric), 1) as double precision) as observed,
        array_sort(array_remove(array[coalesce(previous_exposure_entry, ''), exposure_entry], '')) as exposed,
        coalesce(previous_city, 'an unnamed place') as from_city,
        coalesce(city, 'an unnamed place') as to_city,
        cast(floor(extract(epoch from (occurred_at - previous_at)) / 60) as bigint) as minutes
    from measured
    where
        distance_km > 1000
        and occurred_at > now() - interval '21600 seconds'
)
select
    'geo_impossible:' || event_id as signal_id,
    'geo_impossible' as pattern,
    'FR-GEO-001' as rule_id,
    'HIGH' as severity,
    cast(0.5 as double precision) as weight,
    customer_id,
    account_id,
    coalesce(card_token, 'None') as subject,
    event_id,
    occurred_at,
    occurred_at - interval '7200 seconds' as window_start,
    cast(observed as double precision) as observed,
    cast(1000 as double precision) as threshold,
    base_amount as amount,
    'Card present in '
        || to_city
        || ' '
        || cast(minutes as varchar)
        || ' minutes after '
        || from_city
        || ', '
        || cast(cast(trunc(observed) as bigint) as varchar)
        || ' km away; '
        || '1000'
        || ' km within '
        || '2 hours'
        || ' is not possible for one card.' as reason,
    jsonb_build_object('window_seconds', 7200, 'from_city', from_city, 'to_city', to_city, 'minutes', minutes, 'previous_event_id', previous_event_id) as evidence,
    exposed
from fired
  ;

create materialized view if not exists "dev"."public"."mv_merchant_risk"
  as with payments as (
    select
        payments.merchant_id,
        payments.merchant_category,
        payments.merchant_country,
        payments.base_amount,
        payments.status,
        payments.occurred_at,
        flags.event_id is not null as flagged
    from (
        select * from "dev"."public"."stg_transactions"
        where occurred_at > now() - interval '86400 seconds'
    ) as payments
    left join (
        select distinct event_id from "dev"."public"."mv_fraud_signals"
        where occurred_at > now() - interval '86400 seconds'
    ) as flags
        on payments.event_id = flags.event_id
)
select
    merchant_id,
    max(merchant_category) as merchant_category,
    max(merchant_country) as merchant_country,
    count(*) as transactions,
    coalesce(sum(base_amount), 0) as amount,
    count(*) filter (where flagged) as flagged,
    coalesce(sum(base_amount) filter (where flagged), 0) as flagged_amount,
    round(100.0 * count(*) filter (where flagged) / count(*), 2) as fraud_rate_pct,
    round(100.0 * count(*) filter (where status = 'DECLINED') / count(*), 2) as declined_pct,
    max(occurred_at) as last_seen_at
from payments
where merchant_id is not null
group by merchant_id
  ;

create materialized view if not exists "dev"."public"."mv_new_payee_payments"
  as with sightings as (
    select
        customer_id,
        payee_id,
        min(occurred_at) as first_seen_at
    from "dev"."public"."stg_transactions"
    where
        customer_id is not null
        and payee_id is not null
    group by customer_id, payee_id
),
keys as (
    select
        customer_id,
        min(first_seen_at) as known_since
    from sightings
    group by customer_id
),
watched as (
    select
        event_id,
        occurred_at,
        customer_id,
        account_id,
        base_amount,
        payee_id,
        amount,
        currency,
        coalesce(case
            when status = 'APPROVED' and transaction_type <> 'CASH_DEPOSIT'
                then
                    case when card_present or transaction_type = 'CASH_WITHDRAWAL' then 'gone ' else 'at_risk ' end
                    || cast(base_amount as varchar) || ' ' || event_id
        end, '') as exposure_entry
    from "dev"."public"."stg_transactions"
    where
        customer_id is not null
        and transaction_type in ('TRANSFER', 'BILL_PAYMENT')
        and status = 'APPROVED'
        and (not (case when payee_id is not null then false end))
        and payee_id is not null
        and base_amount >= 1000
        and occurred_at > now() - interval '21600 seconds'
),
judged as (
    select
        watched.*,
        sightings.first_seen_at,
        keys.known_since
    from watched
    inner join sightings
        on watched.customer_id = sightings.customer_id and watched.payee_id = sightings.payee_id
    inner join keys on watched.customer_id = keys.customer_id
),
fired as (
    select
        *,
        base_amount as observed,
        array_sort(array_remove(array[exposure_entry], '')) as exposed
    from judged
    where
        first_seen_at >= occurred_at - interval '86400 seconds'
        and known_since < occurred_at - interval '86400 seconds'
)
select
    'new_payee_large:' || event_id as signal_id,
    'new_payee_large' as pattern,
    'FR-PAY-001' as rule_id,
    'MEDIUM' as severity,
    cast(0.2 as double precision) as weight,
    customer_id,
    account_id,
    customer_id as subject,
    event_id,
    occurred_at,
    occurred_at - interval '86400 seconds' as window_start,
    cast(observed as double precision) as observed,
    cast(1000 as double precision) as threshold,
    base_amount as amount,
    currency
        || ' '
        || cast(amount as varchar)
        || ' to payee '
        || payee_id
        || ', whom customer '
        || customer_id
        || ' first paid less than '
        || '24 hours'
        || ' ago.' as reason,
    jsonb_build_object('window_seconds', 86400, 'value', payee_id, 'first_seen_at', first_seen_at) as evidence,
    exposed
from fired
  ;

create materialized view if not exists "dev"."public"."mv_structuring_detection"
  as with watched as (
    select
        event_id,
        occurred_at,
        customer_id,
        account_id,
        base_amount,
        coalesce(case
            when status = 'APPROVED' and transaction_type <> 'CASH_DEPOSIT'
                then
                    case when card_present or transaction_type = 'CASH_WITHDRAWAL' then 'gone ' else 'at_risk ' end
                    || cast(base_amount as varchar) || ' ' || event_id
        end, '') as exposure_entry
    from "dev"."public"."stg_transactions"
    where
        account_id is not null
        and transaction_type in ('CASH_DEPOSIT', 'CASH_WITHDRAWAL')
        and base_amount >= 9000
        and base_amount < 10000
        and status not in ('DECLINED', 'REVERSED')
        and occurred_at > now() - interval '25260 seconds'
),
counted as (
    select
        *,
        count(*) over (
            partition by account_id
            order by occurred_at
            range between interval '3600 seconds' preceding and current row
        ) as observed
    from watched
),
followed as (
    select
        *,
        max(case when observed >= 2 then occurred_at end) over (
            partition by account_id
            order by occurred_at, event_id
            rows between unbounded preceding and 1 preceding
        ) as fired_before_at
    from counted
),
listed as (
    select
        *,
        array_agg(exposure_entry) over (
            partition by account_id, fired_before_at
            order by occurred_at
            range between interval '3600 seconds' preceding and current row
        ) as entries
    from followed
),
exposing as (
    select
        *,
        array_sort(array_remove(entries, '')) as exposed
    from listed
),
fired as (
    select *
    from exposing
    where
        observed >= 2
        and occurred_at > now() - interval '21600 seconds'
)
select
    'structuring:' || event_id as signal_id,
    'structuring' as pattern,
    'FR-AML-001' as rule_id,
    'HIGH' as severity,
    cast(0.5 as double precision) as weight,
    customer_id,
    account_id,
    account_id as subject,
    event_id,
    occurred_at,
    occurred_at - interval '3600 seconds' as window_start,
    cast(observed as double precision) as observed,
    cast(2 as double precision) as threshold,
    base_amount as amount,
    cast(cast(trunc(observed) as bigint) as varchar)
        || ' cash transactions just under the reporting threshold on account '
        || account_id
        || ' within '
        || '1 hour'
        || '; the limit is '
        || '2'
        || '.' as reason,
    jsonb_build_object('window_seconds', 3600) as evidence,
    exposed
from fired
  ;

create materialized view if not exists "dev"."public"."mv_unusual_amounts"
  as with watched as (
    select
        event_id,
        occurred_at,
        customer_id,
        account_id,
        base_amount,
        coalesce(case
            when status = 'APPROVED' and transaction_type <> 'CASH_DEPOSIT'
                then
                    case when card_present or transaction_type = 'CASH_WITHDRAWAL' then 'gone ' else 'at_risk ' end
                    || cast(base_amount as varchar) || ' ' || event_id
        end, '') as exposure_entry,
        cast(floor(100 * ln(cast(base_amount as double precision))) as bigint) as steps,
        cast(floor(100 * ln(cast(40 as double precision))) as bigint) as centre
    from "dev"."public"."stg_transactions"
    where
        customer_id is not null
        and transaction_type not in ('CASH_DEPOSIT')
        and status = 'APPROVED'
        and base_amount is not null
        and base_amount > 0
        and occurred_at > now() - interval '2613660 seconds'
),
remembered as (
    select
        *,
        count(*) over (
            partition by customer_id
            order by occurred_at, event_id
            rows between 30 preceding and 1 preceding
        ) as known,
        coalesce(sum(steps) over (
            partition by customer_id
            order by occurred_at, event_id
            rows between 30 preceding and 1 preceding
        ), 0) as steps_sum,
        coalesce(sum(steps * steps) over (
            partition by customer_id
            order by occurred_at, event_id
            rows between 30 preceding and 1 preceding
        ), 0) as squares_sum
    from watched
),
averaged as (
    select
        *,
        cast(steps_sum + 5 * centre as double precision) / (known + 5) as mean,
        cast(
            squares_sum + 5 * (floor(100 * 1.2) * floor(100 * 1.2) + centre * centre)
            as double precision
        ) / (known + 5) as mean_square
    from remembered
    where base_amount >= 200 and known >= 5
),
spread as (
    select
        *,
        sqrt(mean_square - mean * mean) as deviation
    from averaged
),
fired as (
    select
        *,
        floor((steps - mean) / deviation * 10) / 10 as observed,
        greatest(1, cast(floor(exp(mean / 100)) as bigint)) as usual,
        cast(floor(exp((mean + 1.645 * deviation) / 100)) as bigint) as most,
        cast(floor(
            cast(base_amount as double precision) / greatest(1, cast(floor(exp(mean / 100)) as bigint))
        ) as bigint) as times,
        array_sort(array_remove(array[exposure_entry], '')) as exposed
    from spread
    where
        floor((steps - mean) / deviation * 10) / 10 >= 2.5
        and occurred_at > now() - interval '21600 seconds'
)
select
    'unusual_amount:' || event_id as signal_id,
    'unusual_amount' as pattern,
    'FR-UNU-001' as rule_id,
    'MEDIUM' as severity,
    cast(0.2 as double precision) as weight,
    customer_id,
    account_id,
    customer_id as subject,
    event_id,
    occurred_at,
    occurred_at - interval '2592000 seconds' as window_start,
    cast(observed as double precision) as observed,
    cast(2.5 as double precision) as threshold,
    base_amount as amount,
    'AUD '
        || cast(base_amount as varchar)
        || ' is '
        || cast(times as varchar)
        || ' times the usual AUD '
        || cast(usual as varchar)
        || ' of customer '
        || customer_id
        || '; 95 % of their payments are below AUD '
        || cast(most as varchar)
        || '.' as reason,
    jsonb_build_object('window_seconds', 2592000, 'usual', usual, 'most', most, 'times', times) as evidence,
    exposed
from fired
  ;

create materialized view if not exists "dev"."public"."mv_velocity_alerts"
  as with watched as (
    select
        event_id,
        occurred_at,
        customer_id,
        account_id,
        base_amount,
        coalesce(case
            when status = 'APPROVED' and transaction_type <> 'CASH_DEPOSIT'
                then
                    case when card_present or transaction_type = 'CASH_WITHDRAWAL' then 'gone ' else 'at_risk ' end
                    || cast(base_amount as varchar) || ' ' || event_id
        end, '') as exposure_entry
    from "dev"."public"."stg_transactions"
    where
        account_id is not null
        and occurred_at > now() - interval '21720 seconds'
),
counted as (
    select
        *,
        count(*) over (
            partition by account_id
            order by occurred_at
            range between interval '60 seconds' preceding and current row
        ) as observed
    from watched
),
followed as (
    select
        *,
        max(case when observed >= 5 then occurred_at end) over (
            partition by account_id
            order by occurred_at, event_id
            rows between unbounded preceding and 1 preceding
        ) as fired_before_at
    from counted
),
listed as (
    select
        *,
        array_agg(exposure_entry) over (
            partition by account_id, fired_before_at
            order by occurred_at
            range between interval '60 seconds' preceding and current row
        ) as entries
    from followed
),
exposing as (
    select
        *,
        array_sort(array_remove(entries, '')) as exposed
    from listed
),
fired as (
    select *
    from exposing
    where
        observed >= 5
        and occurred_at > now() - interval '21600 seconds'
)
select
    'velocity:' || event_id as signal_id,
    'velocity' as pattern,
    'FR-VEL-001' as rule_id,
    'MEDIUM' as severity,
    cast(0.3 as double precision) as weight,
    customer_id,
    account_id,
    account_id as subject,
    event_id,
    occurred_at,
    occurred_at - interval '60 seconds' as window_start,
    cast(observed as double precision) as observed,
    cast(5 as double precision) as threshold,
    base_amount as amount,
    cast(cast(trunc(observed) as bigint) as varchar)
        || ' transactions on account '
        || account_id
        || ' within '
        || '1 minute'
        || '; the limit is '
        || '5'
        || '.' as reason,
    jsonb_build_object('window_seconds', 60) as evidence,
    exposed
from fired
  ;

create materialized view if not exists "dev"."public"."mv_open_fraud_cases"
  as
-- of two profiles at the same time, the one with the later event_id is in force
with ranked_profiles as (
    select
        customer_id,
        risk_tier,
        row_number() over (partition by customer_id order by occurred_at desc, event_id desc) as place
    from "dev"."public"."stg_kyc_profiles"
),
profiles as (
    select customer_id, risk_tier
    from ranked_profiles
    where place = 1
)
select
    cases.case_id,
    cases.customer_id,
    cases.account_ids,
    cases.level,
    cases.score,
    cases.patterns,
    cases.signal_count,
    cases.exposure,
    cases.already_gone,
    cases.first_signal_at,
    cases.last_signal_at,
    cases.opened_at,
    cases.due_at,
    profiles.risk_tier as kyc_risk_tier,
    cases.recommended_action,
    cases.actions,
    cases.withdrawn,
    cases.previous_case_id,
    reviews.owner,
    coalesce(reviews.status, 'NEW') as status
from "dev"."public"."fraud_cases" as cases
left join profiles on cases.customer_id = profiles.customer_id
left join "dev"."public"."case_reviews" as reviews on cases.case_id = reviews.case_id
where coalesce(reviews.status, 'NEW') <> 'CLOSED'
  ;

create index if not exists
  "__dbt_index_mv_open_fraud_cases_customer_id"
  on "dev"."public"."mv_open_fraud_cases"
  (customer_id);

create view if not exists "dev"."public"."account_signals"
  as
with signals as (
    select * from "dev"."public"."mv_fraud_signals"
)
-- an account-level signal counts for its account
select
    account_id,
    signal_id,
    customer_id,
    pattern,
    weight,
    event_id,
    amount,
    occurred_at
from signals
where account_id is not null
union all
-- a customer-level signal counts for every account that the customer held by then
select
    links.account_id,
    signals.signal_id,
    signals.customer_id,
    signals.pattern,
    signals.weight,
    signals.event_id,
    signals.amount,
    signals.occurred_at
from signals
inner join "dev"."public"."account_links" as links
    on links.customer_id = signals.customer_id
    and links.held_since <= signals.occurred_at
where signals.account_id is null
  ;

-- ignore_delete: rows that leave a view as time passes stay in the log; a row whose evidence grows
-- because of a late event replaces the one with its signal_id.
create sink if not exists "dev"."public"."sink_fraud_signal_log" into "dev"."public"."fraud_signal_log" as
select signal_id, pattern, rule_id, severity, weight, customer_id, account_id, subject, event_id, occurred_at, window_start, observed, threshold, amount, reason, evidence, exposed from "dev"."public"."mv_velocity_alerts"
union all
select signal_id, pattern, rule_id, severity, weight, customer_id, account_id, subject, event_id, occurred_at, window_start, observed, threshold, amount, reason, evidence, exposed from "dev"."public"."mv_geo_impossible_trips"
union all
select signal_id, pattern, rule_id, severity, weight, customer_id, account_id, subject, event_id, occurred_at, window_start, observed, threshold, amount, reason, evidence, exposed from "dev"."public"."mv_device_anomalies"
union all
select signal_id, pattern, rule_id, severity, weight, customer_id, account_id, subject, event_id, occurred_at, window_start, observed, threshold, amount, reason, evidence, exposed from "dev"."public"."mv_cnp_spike"
union all
select signal_id, pattern, rule_id, severity, weight, customer_id, account_id, subject, event_id, occurred_at, window_start, observed, threshold, amount, reason, evidence, exposed from "dev"."public"."mv_login_failure_storm"
union all
select signal_id, pattern, rule_id, severity, weight, customer_id, account_id, subject, event_id, occurred_at, window_start, observed, threshold, amount, reason, evidence, exposed from "dev"."public"."mv_structuring_detection"
union all
select signal_id, pattern, rule_id, severity, weight, customer_id, account_id, subject, event_id, occurred_at, window_start, observed, threshold, amount, reason, evidence, exposed from "dev"."public"."mv_correlated_alert_burst"
union all
select signal_id, pattern, rule_id, severity, weight, customer_id, account_id, subject, event_id, occurred_at, window_start, observed, threshold, amount, reason, evidence, exposed from "dev"."public"."mv_unusual_amounts"
union all
select signal_id, pattern, rule_id, severity, weight, customer_id, account_id, subject, event_id, occurred_at, window_start, observed, threshold, amount, reason, evidence, exposed from "dev"."public"."mv_new_payee_payments"
with (ignore_delete = 'true');

create materialized view if not exists "dev"."public"."mv_account_risk_score_realtime"
  as
with
recent as (
    select * from "dev"."public"."account_signals"
    where occurred_at > now() - interval '120 seconds'
),
patterns as (
    select
        account_id,
        pattern,
        max(cast(weight as numeric)) as weight,
        first_value(customer_id order by occurred_at desc) as customer_id,
        count(*) as signal_count,
        max(occurred_at) as last_signal_at
    from recent
    group by account_id, pattern
),
scores as (
    select
        account_id,
        first_value(customer_id order by last_signal_at desc) as customer_id,
        cast(least(1, round(sum(weight), 6)) as double precision) as risk_score,
        string_agg(pattern, ', ' order by pattern) as patterns,
        cast(sum(signal_count) as bigint) as signal_count,
        max(last_signal_at) as last_signal_at
    from patterns
    group by account_id
)
select
    account_id,
    customer_id,
    risk_score,
    case
        when risk_score >= 0.8 then 'critical'
        when risk_score >= 0.5 then 'high'
        when risk_score >= 0.25 then 'medium'
        else 'low'
    end as risk_level,
    patterns,
    signal_count,
    last_signal_at,
    -- a stream may not select the clock: the score is as of the time of the query
    cast(null as timestamptz) as as_of
from scores
  ;

create index if not exists
  "__dbt_index_mv_account_risk_score_realtime_account_id"
  on "dev"."public"."mv_account_risk_score_realtime"
  (account_id);

create view if not exists "dev"."public"."risk_history"
  as with last_fired as (
    select
        account_id,
        occurred_at,
        max(case when pattern = 'account_takeover' then occurred_at end) over (
            partition by account_id
            order by occurred_at
            range between unbounded preceding and current row
        ) as last_account_takeover_at,
        max(case when pattern = 'brute_force_login' then occurred_at end) over (
            partition by account_id
            order by occurred_at
            range between unbounded preceding and current row
        ) as last_brute_force_login_at,
        max(case when pattern = 'cnp_spike' then occurred_at end) over (
            partition by account_id
            order by occurred_at
            range between unbounded preceding and current row
        ) as last_cnp_spike_at,
        max(case when pattern = 'compound' then occurred_at end) over (
            partition by account_id
            order by occurred_at
            range between unbounded preceding and current row
        ) as last_compound_at,
        max(case when pattern = 'geo_impossible' then occurred_at end) over (
            partition by account_id
            order by occurred_at
            range between unbounded preceding and current row
        ) as last_geo_impossible_at,
        max(case when pattern = 'new_payee_large' then occurred_at end) over (
            partition by account_id
            order by occurred_at
            range between unbounded preceding and current row
        ) as last_new_payee_large_at,
        max(case when pattern = 'structuring' then occurred_at end) over (
            partition by account_id
            order by occurred_at
            range between unbounded preceding and current row
        ) as last_structuring_at,
        max(case when pattern = 'unusual_amount' then occurred_at end) over (
            partition by account_id
            order by occurred_at
            range between unbounded preceding and current row
        ) as last_unusual_amount_at,
        max(case when pattern = 'velocity' then occurred_at end) over (
            partition by account_id
            order by occurred_at
            range between unbounded preceding and current row
        ) as last_velocity_at
    from "dev"."public"."account_signals"
),
moments as (
    select distinct * from last_fired
),
scores as (
    select
        account_id,
        occurred_at,
        cast(least(1, round(
              case when last_account_takeover_at > occurred_at - interval '120 seconds' then cast(0.35 as numeric) else 0 end
            + case when last_brute_force_login_at > occurred_at - interval '120 seconds' then cast(0.25 as numeric) else 0 end
            + case when last_cnp_spike_at > occurred_at - interval '120 seconds' then cast(0.4 as numeric) else 0 end
            + case when last_compound_at > occurred_at - interval '120 seconds' then cast(0.35 as numeric) else 0 end
            + case when last_geo_impossible_at > occurred_at - interval '120 seconds' then cast(0.5 as numeric) else 0 end
            + case when last_new_payee_large_at > occurred_at - interval '120 seconds' then cast(0.2 as numeric) else 0 end
            + case when last_structuring_at > occurred_at - interval '120 seconds' then cast(0.5 as numeric) else 0 end
            + case when last_unusual_amount_at > occurred_at - interval '120 seconds' then cast(0.2 as numeric) else 0 end
            + case when last_velocity_at > occurred_at - interval '120 seconds' then cast(0.3 as numeric) else 0 end
        , 6)) as double precision) as risk_score,
        concat_ws(', ',
            case when last_account_takeover_at > occurred_at - interval '120 seconds' then 'account_takeover' end,
            case when last_brute_force_login_at > occurred_at - interval '120 seconds' then 'brute_force_login' end,
            case when last_cnp_spike_at > occurred_at - interval '120 seconds' then 'cnp_spike' end,
            case when last_compound_at > occurred_at - interval '120 seconds' then 'compound' end,
            case when last_geo_impossible_at > occurred_at - interval '120 seconds' then 'geo_impossible' end,
            case when last_new_payee_large_at > occurred_at - interval '120 seconds' then 'new_payee_large' end,
            case when last_structuring_at > occurred_at - interval '120 seconds' then 'structuring' end,
            case when last_unusual_amount_at > occurred_at - interval '120 seconds' then 'unusual_amount' end,
            case when last_velocity_at > occurred_at - interval '120 seconds' then 'velocity' end
        ) as patterns
    from moments
)
select
    account_id,
    occurred_at,
    risk_score,
    case
        when risk_score >= 0.8 then 'critical'
        when risk_score >= 0.5 then 'high'
        when risk_score >= 0.25 then 'medium'
        else 'low'
    end as risk_level,
    patterns
from scores
  ;
