{{ config(materialized='sink', enabled=is_live(), zero_downtime={'enabled': false}) }}

-- One message per signal, keyed by signal_id; a signal whose evidence grows is sent again.
create sink if not exists {{ this }} from {{ ref('fraud_signal_log') }}
with (
    connector = 'kafka',
    properties.bootstrap.server = '{{ setting('kafka_brokers') }}',
    topic = '{{ setting('signals_topic') }}',
    primary_key = 'signal_id'
)
format plain encode json (
    force_append_only = 'true',
    timestamptz.handling.mode = 'utc_string',
    jsonb.handling.mode = 'dynamic'
) key encode text
