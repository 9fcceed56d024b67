{{ config(materialized='source') }}

{{ kafka_bytes('card_events') }}
